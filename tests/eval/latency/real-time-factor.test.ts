import { expect, it } from "vitest";
import { realTimeFactor } from "../../../eval/latency/real-time-factor.ts";

it.each([
  ["calls of all rows", [100, 300], [2, 6], 0.05],
  ["calls that begin again", [100, 300, 100], [2, 6], 0.05],
  ["fewer calls than rows", [100], [2, 6], 0.05],
  ["a row whose length is not known", [100, 300], [2, null], null],
  ["no lengths", [100], [], null],
  ["no calls", [], [2], null],
])("seconds of work per second of sound: %s", (_, durationsMs, audioSeconds, expected) => {
  expect(realTimeFactor(durationsMs, audioSeconds)).toEqual(expected);
});
