import { expect, it } from "vitest";
import { sparkline } from "../../../bot/github/sparkline.ts";

it("draws values as bars between their minimum and maximum", () => {
  expect(sparkline([1, 2, 3])).toBe("▁▅█");
  expect(sparkline([2, 2])).toBe("▄▄");
  expect(sparkline([1, Number.NaN, 3])).toBe("▁ █");
});
