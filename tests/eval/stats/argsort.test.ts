import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { argsort } from "../../../eval/stats/argsort.ts";
import { RandomStream } from "../../../eval/stats/random.ts";

function slowly(values: Float64Array): number[] {
  return Array.from(values, (_, i) => i).sort((i, j) => {
    const left = values[i] as number;
    const right = values[j] as number;
    return left < right ? -1 : left > right ? 1 : i - j;
  });
}

describe("argsort", () => {
  const random = new RandomStream(2);
  const n = 3000;
  const make = (f: (i: number) => number): Float64Array => Float64Array.from({ length: n }, (_, i) => f(i));
  const cases: Record<string, Float64Array> = {
    "uniform doubles": make(() => random.uniform()),
    "both signs and magnitudes": make(() => (random.uniform() - 0.5) * 10 ** Math.floor(random.uniform() * 600 - 300)),
    "float32 scores": make(() => Math.fround(random.uniform())),
    "two digits, many ties": make(() => Math.round(random.uniform() * 100) / 100),
    "one value": make(() => 0.25),
    "differing in the last bits only": make(() => 1 + Math.floor(random.uniform() * 2 ** 30) * 2 ** -52),
    "negative, last bits only": make(() => -1 - Math.floor(random.uniform() * 2 ** 30) * 2 ** -52),
    "zeros of both signs, subnormals": make(
      () => [0, -0, 5e-324, -5e-324, 1e-310][Math.floor(random.uniform() * 5)] as number,
    ),
    infinities: make((i) => (i % 7 === 0 ? Infinity : i % 11 === 0 ? -Infinity : random.uniform())),
    sorted: make((i) => i),
    reversed: make((i) => -i),
  };
  it.each(Object.keys(cases))("orders %s as a stable comparison sort does", (name) => {
    const values = cases[name] as Float64Array;
    expect([...argsort(values)]).toEqual(slowly(values));
  });
  it("orders any doubles of any length, from a view into a larger buffer too", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ noNaN: true }), { maxLength: 400 }), (list) => {
        const values = Float64Array.from([0, ...list]).subarray(1);
        const order = [...argsort(values)];
        expect(order).toEqual(slowly(values));
      }),
      { numRuns: 200 },
    );
  });
});
