import { describe, expect, it } from "vitest";
import { accuracy } from "../../../eval/metrics/accuracy.ts";
import type { Sample } from "../../../eval/metrics/definition.ts";
import { falsePositiveRate } from "../../../eval/metrics/false-positive-rate.ts";
import { RandomStream } from "../../../eval/stats/random.ts";
import { wilson } from "../../../eval/stats/wilson.ts";
import { sample as sampleOf } from "./samples.ts";

const sample = (labels: number[], scores: number[], more: Partial<Sample> = {}) => sampleOf(labels, scores, 2, more);
const options = { level: 0.9, seed: 1 };
const labels = [1, 0, 0, 0, 0, 1];
const scores = [0.2, 0.9, 0.5, 0.4, 0.1, 0.8];

describe("values", () => {
  // 1 - sklearn.metrics.recall_score(labels, scores >= t, pos_label=0) of scikit-learn 1.2.1.
  it.each([
    [{}, undefined, 0.5],
    [{ threshold: 0.6 }, undefined, 0.25],
    [{}, 0.6, 0.25],
    [{ threshold: 0.05 }, 0.6, 1],
  ] as const)("asked %o, declared %s", (asked, declared, value) => {
    const one = sample(labels, scores, declared === undefined ? {} : { threshold: declared });
    const result = falsePositiveRate.measure(one, { ...options, ...asked });
    expect(result).toMatchObject({ status: "ok", value, n: 4 });
    expect(result.status === "ok" && result.interval).toMatchObject(wilson(value * 4, 4, 0.9));
  });

  it("each model is decided at its own threshold", () => {
    const candidate = sample(labels, scores, { threshold: 0.95 });
    const baseline = sample(labels, scores);
    expect(falsePositiveRate.contrast(candidate, baseline, options)).toMatchObject({
      candidate: 0,
      baseline: 0.5,
      difference: -0.5,
    });
    expect(accuracy.contrast(candidate, baseline, options)).toMatchObject({ candidate: 4 / 6, baseline: 0.5 });
  });

  it("weights count", () => {
    const weights = Float64Array.from([1, 3, 1, 1, 1, 1]);
    expect(falsePositiveRate.measure(sample(labels, scores, { weights }), options)).toMatchObject({ value: 4 / 6 });
  });
});

it.each([
  ["independent rows", false],
  ["clusters of uneven sizes", true],
])("%s: of two equal models, the paired interval leaves 0 out about once in ten", (_, clusters) => {
  const runs = 400;
  let out = 0;
  for (let seed = 0; seed < runs; seed++) {
    const random = new RandomStream(7, seed);
    const all: number[] = [];
    const groups: string[] = [];
    const [one, two]: [number[], number[]] = [[], []];
    for (let group = 0; group < 40; group++) {
      const shared = clusters ? random.uniform() : 0.5;
      for (let row = 0; row < 4 + (group % 4) * 4; row++) {
        all.push(row % 4 === 0 ? 1 : 0);
        groups.push(String(group));
        for (const side of [one, two]) side.push(random.uniform() < 0.1 + 0.4 * shared ? 0.9 : 0.1);
      }
    }
    const more = { groups: clusters ? groups : null };
    const result = falsePositiveRate.contrast(sample(all, one, more), sample(all, two, more), { ...options, seed });
    if (result.status !== "ok") throw new Error(result.reason);
    if (result.interval.low > 0 || result.interval.high < 0) out++;
  }
  // 3 standard errors of 400 runs at .1 are .045.
  expect(out / runs).toBeLessThan(0.145);
  expect(out / runs).toBeGreaterThan(0.03);
});

describe("degenerate cases", () => {
  it.each([
    ["no rows", sample([], []), /no rows/],
    ["no negatives", sample([1, 1], [0.1, 0.9]), /0\/0/],
    ["NaN", sample([0, 1], [Number.NaN, 0.9]), /NaN/],
  ])("%s", (_, one, reason) => {
    expect(falsePositiveRate.measure(one, options)).toMatchObject({
      status: "undefined",
      reason: expect.stringMatching(reason),
    });
  });

  it("no false alarm at all is not certainty", () => {
    const result = falsePositiveRate.measure(sample([0, 0, 0, 1], [0.1, 0.1, 0.1, 0.9]), options);
    expect(result).toMatchObject({ value: 0 });
    expect(result.status === "ok" && result.interval!.high).toBeGreaterThan(0.3);
  });
});
