import * as fc from "fast-check";
import { expect, test } from "vitest";
import { pageModule } from "./page-module.ts";

type Point = { answersPerHour: number | null; maxPerHour: number | null; why: string };
const { breakEven, costLines } = await pageModule<{
  breakEven: (
    machine: { perHour: number | null; currency: string; medianMs: number | null },
    provider: { perAnswer: number | null; currency: string },
  ) => Point;
  costLines: (
    perHour: number,
    perAnswer: number,
    answersPerHour: number,
    steps?: number,
  ) => { machine: number[]; provider: number[]; maxAnswers: number };
}>("break-even.js");

const machine = { perHour: 0.03, currency: "USD", medianMs: 0.5 };
const provider = { perAnswer: 0.00002, currency: "USD" };

test("the point is where an hour of the machine costs as much as the answers of an hour", () => {
  expect(breakEven(machine, provider)).toEqual({ answersPerHour: 0.03 / 0.00002, maxPerHour: 7_200_000, why: "" });
});

test.each([
  ["no price of the machine", { ...machine, perHour: null }, provider, "the price of the machine"],
  ["no price of an answer", machine, { ...provider, perAnswer: null }, "the price of a remote answer"],
  ["two currencies", machine, { ...provider, currency: "EUR" }, "prices in one currency"],
])("nothing is claimed with %s", (_, one, other, why) => {
  expect(breakEven(one, other)).toMatchObject({ answersPerHour: null, why });
});

test("a machine that costs nothing always pays, a provider that costs nothing always does", () => {
  expect(breakEven({ ...machine, perHour: 0 }, provider)).toMatchObject({ answersPerHour: 0, why: "" });
  expect(breakEven(machine, { ...provider, perAnswer: 0 })).toMatchObject({ answersPerHour: null, why: "" });
  expect(breakEven({ ...machine, perHour: 0 }, { ...provider, perAnswer: 0 }).answersPerHour).toBe(0);
});

test("without a time per answer, a machine's maximum is unknown", () => {
  expect(breakEven({ ...machine, medianMs: null }, provider).maxPerHour).toBeNull();
  expect(breakEven({ ...machine, medianMs: 0 }, provider).maxPerHour).toBeNull();
});

test("below the point the provider is cheaper, above it the machine, at any prices; the lines cross in the middle", () => {
  const price = fc.double({ min: 1e-9, max: 1e4, noNaN: true });
  fc.assert(
    fc.property(price, price, (perHour, perAnswer) => {
      const point = breakEven({ ...machine, perHour }, { ...provider, perAnswer }).answersPerHour!;
      expect(point * 0.99 * perAnswer).toBeLessThan(perHour);
      expect(point * 1.01 * perAnswer).toBeGreaterThan(perHour);
      const lines = costLines(perHour, perAnswer, point, 10);
      expect(lines.machine).toHaveLength(11);
      expect(lines.provider[0]).toBe(0);
      expect(lines.provider[5]! / lines.machine[5]!).toBeCloseTo(1, 9);
      expect(lines.provider[10]! / perHour).toBeCloseTo(2, 9);
    }),
  );
});
