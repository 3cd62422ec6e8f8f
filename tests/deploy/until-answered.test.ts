import { expect, it } from "vitest";
import { HttpRefusal, NoAnswer } from "../../deploy/hub/http.ts";
import { untilAnswered } from "../../deploy/hub/until-answered.ts";
import { quietDeps } from "./hub-http.ts";

const limits = { outageMs: 60_000, refusalMs: 5_000, pauseMs: 1_000 };
const refusal = (status: number, headers: Record<string, string> = {}) =>
  new HttpRefusal(
    { method: "GET", url: "http://hub.invalid/x", repeatable: true },
    { status, headers: new Headers(headers), bytes: Buffer.alloc(0) },
  );

/** Asks somebody who answers like this, the last for ever. */
async function asked(answers: readonly (number | "away" | "here" | Error)[]) {
  let at = 0;
  const { deps, http, clock, abort } = quietDeps();
  const outcome = await untilAnswered(
    () => {
      const one = answers[Math.min(at++, answers.length - 1)]!;
      if (one === "here") return Promise.resolve("here");
      return Promise.reject(one === "away" ? new NoAnswer("nobody") : typeof one === "number" ? refusal(one) : one);
    },
    limits,
    { ...deps, http },
  ).catch((error: unknown) => error as Error);
  return { outcome, asks: at, seconds: Math.round(clock.now / 1000), abort };
}

it.each<[string, (number | "away" | "here")[], object | string, number, number]>([
  ["an answer", ["here"], "here", 1, 0],
  ["an answer after an outage", ["away", "away", 500, 502, 429, 408, "here"], "here", 7, 6],
  ["an answer after refusals that pass", [404, 401, 404, "here"], "here", 4, 3],
  ["an outage that lasts", ["away"], { name: "NoAnswer" }, 61, 60],
  ["errors of the server that last", [503], { status: 503 }, 61, 60],
  ["a refusal that lasts, heard at least three times", [404], { status: 404 }, 6, 5],
  [
    "an outage after refusals starts its own time, and the other way round",
    [404, 404, 404, 404, "away", 404, 404, 404, "here"],
    "here",
    9,
    8,
  ],
])("%s", async (_, answers, wanted, asks, seconds) => {
  const found = await asked(answers);
  if (typeof wanted === "string") expect(found.outcome).toBe(wanted);
  else expect(found.outcome).toMatchObject(wanted);
  expect([found.asks, found.seconds]).toEqual([asks, seconds]);
});

it("a refusal is heard three times also where it may not last at all", async () => {
  const { deps, http } = quietDeps();
  let asks = 0;
  const ask = () => {
    asks += 1;
    return Promise.reject(refusal(404));
  };
  await expect(untilAnswered(ask, { ...limits, refusalMs: 0 }, { ...deps, http })).rejects.toMatchObject({
    status: 404,
  });
  expect(asks).toBe(3);
});

it("waits as long as it is asked to", async () => {
  const { deps, http, clock } = quietDeps();
  let asks = 0;
  await untilAnswered(
    () => (asks++ === 0 ? Promise.reject(refusal(503, { "retry-after": "9" })) : Promise.resolve()),
    limits,
    { ...deps, http },
  );
  expect(clock.pauses).toEqual([9_000]);
});

it("what is no answer of a server ends it at once", async () => {
  const { outcome, asks } = await asked([new TypeError("a fault of ours")]);
  expect(outcome).toBeInstanceOf(TypeError);
  expect(asks).toBe(1);
});
