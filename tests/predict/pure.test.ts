import { describe, expect, it } from "vitest";
import { stepAfter } from "../../predict/policy.ts";
import { targetOf } from "../../predict/target.ts";

const policy = { attempts: 4, baseMs: 100, maxMs: 1000, maxWaitMs: 60_000 };
const refusal = (status: number | null, code = "x", retryAfterMs: number | null = null) => ({
  ok: false as const,
  status,
  code,
  detail: "",
  retryAfterMs,
});
const step = (failure: ReturnType<typeof refusal>, rows: number, attempt = 1) =>
  stepAfter(failure, rows, attempt, policy, () => 0.5);

describe("the step after a failed request", () => {
  it("is a wait below a bound that doubles, on top of Retry-After", () => {
    expect(step(refusal(503), 8)).toEqual({ do: "again", waitMs: 50 });
    expect(step(refusal(503), 8, 3)).toEqual({ do: "again", waitMs: 200 });
    expect(step(refusal(429, "rate-limit", 2000), 8)).toEqual({ do: "again", waitMs: 2050 });
    expect(step(refusal(null, "network"), 8)).toEqual({ do: "again", waitMs: 50 });
  });

  it("is to fail after the last attempt, at a Retry-After that is too long, or when the row itself is wrong", () => {
    expect(step(refusal(503), 8, 4)).toEqual({ do: "fail" });
    expect(step(refusal(503, "x", 60_001), 8)).toEqual({ do: "fail" });
    expect(step(refusal(413), 1)).toEqual({ do: "fail" });
  });

  it("is a split when one row may be the cause; a request that is too large costs no attempt", () => {
    expect(step(refusal(504), 8)).toEqual({ do: "split", counts: true, waitMs: 50 });
    expect(step(refusal(null, "timeout"), 8)).toEqual({ do: "split", counts: true, waitMs: 50 });
    expect(step(refusal(413), 8, 4)).toEqual({ do: "split", counts: false, waitMs: 0 });
    expect(step(refusal(500), 1)).toEqual({ do: "again", waitMs: 50 });
  });

  it("is to stop after a refusal that concerns the whole run", () => {
    for (const status of [301, 401, 403, 404, 405]) expect(step(refusal(status), 8)).toEqual({ do: "stop" });
  });
});

it("a Space is asked at its own host", () => {
  expect(targetOf("Octo/My_Births.v2")).toEqual({ kind: "remote", origin: "https://octo-my-births-v2.hf.space" });
  expect(targetOf("http://127.0.0.1:7860/")).toEqual({ kind: "remote", origin: "http://127.0.0.1:7860" });
  expect(targetOf("https://x.example/models-of/us/")).toEqual({
    kind: "remote",
    origin: "https://x.example/models-of/us",
  });
});
