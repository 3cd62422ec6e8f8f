import { expect, it } from "vitest";
import { durationMs } from "../../../bot/commands/mute.ts";

it.each([
  ["30m", 1_800_000],
  ["2h", 7_200_000],
  ["3d", 259_200_000],
  ["0m", null],
  ["31d", null],
  ["2", null],
])("the duration %s is %s ms", (text, ms) => {
  expect(durationMs(text)).toBe(ms);
});
