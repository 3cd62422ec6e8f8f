import { EventEmitter } from "node:events";
import { describe, expect, it } from "vitest";
import { accessFrom } from "../../../models/remote/access.ts";
import { createBreaker } from "../../../models/remote/breaker.ts";
import { retryAfterMs } from "../../../models/core/retry-after.ts";
import { retryDelayMs } from "../../../models/remote/retry.ts";
import { createTurns } from "../../../spaces/server/scheduling/turns.ts";
import { ClientDisconnect } from "../../../spaces/server/scheduling/client-disconnect.ts";

const reasonOf = (act: () => unknown) => {
  try {
    act();
    return null;
  } catch (error) {
    return (error as { reason: string }).reason;
  }
};

describe("the breaker", () => {
  it("counts consecutive failures, opens, tries one row, and closes or opens again", () => {
    let time = 0;
    const states: string[] = [];
    const breaker = createBreaker(
      { failures: 2, openMs: 100 },
      () => time,
      (state) => states.push(state),
    );
    breaker.admit().failed();
    breaker.admit().succeeded();
    breaker.admit().failed();
    expect(breaker.state()).toBe("closed");
    const early = breaker.admit();
    breaker.admit().failed();
    expect([breaker.state(), breaker.pauseMs(), reasonOf(() => breaker.admit())]).toEqual([
      "open",
      100,
      "circuit-open",
    ]);
    early.succeeded(); // admitted before the breaker opened, so it proves nothing
    expect(breaker.state()).toBe("open");
    time = 100;
    const probe = breaker.admit();
    expect([breaker.state(), reasonOf(() => breaker.admit())]).toEqual(["half-open", "circuit-open"]);
    probe.failed(5000); // the provider asks for a longer pause
    expect([breaker.state(), breaker.pauseMs()]).toEqual(["open", 5000]);
    time = 5100;
    breaker.admit().abandoned(); // its client disconnected, so the next one may try
    breaker.admit().succeeded();
    expect(breaker.state()).toBe("closed");
    expect(states).toEqual(["open", "half-open", "open", "half-open", "closed"]);
  });
});

describe("waiting between calls", () => {
  it("doubles its bound, is drawn below it, and never undercuts Retry-After", () => {
    const options = { baseMs: 100, maxMs: 350 };
    expect([1, 2, 3, 4].map((attempt) => retryDelayMs(attempt, null, options, () => 0.5))).toEqual([50, 100, 175, 175]);
    expect(retryDelayMs(1, 2000, options, () => 0.5)).toBe(2000);
    expect([
      retryAfterMs("3", 0),
      retryAfterMs("Thu, 01 Jan 1970 00:00:05 GMT", 1000),
      retryAfterMs("soon", 0),
      retryAfterMs(null, 0),
      retryAfterMs("-1", 0),
    ]).toEqual([3000, 4000, null, null, 0]);
  });
});

describe("turns", () => {
  it("are given in order, refused beyond the queue, given up by clients that disconnect, and drained", async () => {
    const turns = createTurns({ concurrency: 1, queue: 2 }, () => 0);
    const requestDeadline = { deadlineAt: 60_000 };
    const order: string[] = [];
    const first = await turns.take(requestDeadline);
    const response = Object.assign(new EventEmitter(), { writableFinished: false });
    const leaving = turns
      .take({ ...requestDeadline, disconnect: ClientDisconnect.of(response) })
      .catch((error: { reason: string }) => order.push(error.reason));
    const second = turns.take(requestDeadline).then((release) => {
      order.push("second");
      return release;
    });
    await expect(turns.take(requestDeadline)).rejects.toMatchObject({ reason: "queue-full" });
    response.emit("close");
    await leaving;
    first();
    first(); // giving a turn back twice counts once
    const closing = (await second, turns.close());
    await expect(turns.take(requestDeadline)).rejects.toMatchObject({ reason: "draining" });
    (await second)();
    await closing;
    expect([order, turns.taken(), turns.waiting()]).toEqual([["cancelled", "second"], 0, 0]);
  });

  it("are not waited for beyond the deadline", async () => {
    const turns = createTurns({ concurrency: 1, queue: 2 }, () => 0);
    await turns.take({ deadlineAt: 60_000 });
    await expect(turns.take({ deadlineAt: 1 })).rejects.toMatchObject({ reason: "deadline" });
  });
});

describe("access", () => {
  it("needs a token, and an endpoint that keeps the token safe", () => {
    expect(accessFrom({})).toMatchObject({ missing: { code: "not-configured" } });
    expect(accessFrom({ HF_TOKEN: " t " })).toEqual({ access: { token: "t", endpoint: null } });
    for (const endpoint of ["http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1", "https://example.com/v1"])
      expect(accessFrom({ HF_TOKEN: "t", HF_INFERENCE_ENDPOINT: endpoint })).toEqual({
        access: { token: "t", endpoint },
      });
    for (const endpoint of ["http://127.example.com", "ftp://127.0.0.1", "nowhere", "https://user:secret@example.com"])
      expect(() => accessFrom({ HF_TOKEN: "t", HF_INFERENCE_ENDPOINT: endpoint })).toThrow("HF_INFERENCE_ENDPOINT");
  });
});
