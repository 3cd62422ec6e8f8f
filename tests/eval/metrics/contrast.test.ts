import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ContrastResult, metricsFor, type Sample } from "../../../eval/metrics/catalog.ts";
import { normalQuantile } from "../../../eval/stats/normal.ts";
import { RandomStream } from "../../../eval/stats/random.ts";
import type { MetricName } from "../../../models/core/manifest/gates.ts";
import { r } from "../stats/reference.ts";
import {
  binaryA,
  binaryB,
  binaryGroups,
  binaryWeights,
  many,
  manyWeights,
  metric,
  numberA,
  numberB,
  options,
  rowMetrics,
  sample,
  value,
} from "./samples.ts";

type Defined = Extract<ContrastResult, { status: "ok" }>;
function contrast(name: MetricName, one: Sample, two: Sample, more = {}): Defined {
  const result = metric(name).contrast(one, two, { ...options, ...more });
  if (result.status !== "ok") throw new Error(`${name}: ${result.reason}`);
  return result;
}

const pairs: [MetricName, Sample, Sample][] = [
  ...rowMetrics.map((name): [MetricName, Sample, Sample] => [name, binaryA, binaryB]),
  ...metricsFor("regression").map(({ name }): [MetricName, Sample, Sample] => [name, numberA, numberB]),
];
const rate = { at: 0.1 };

describe.each(pairs)("the contrast of %s", (name, one, two) => {
  it("is the difference of the two measured values, in the metric's own sign, with an interval around it", () => {
    const result = contrast(name, one, two, rate);
    expect(result.candidate).toBeCloseTo(value(name, one, rate), 12);
    expect(result.baseline).toBeCloseTo(value(name, two, rate), 12);
    expect(result.difference).toBeCloseTo(result.candidate - result.baseline, 12);
    expect(result.interval.low).toBeLessThan(result.interval.high);
    expect(result.interval.low).toBeLessThanOrEqual(result.difference);
    expect(result.interval.high).toBeGreaterThanOrEqual(result.difference);
    expect(result.interval.method.length).toBeGreaterThan(3);
  });
  it("changes sign when the models swap places", () => {
    const forth = contrast(name, one, two, rate);
    const back = contrast(name, two, one, rate);
    expect(back.difference).toBeCloseTo(-forth.difference, 12);
    // Order statistics (R+1)p and (R+1)(1-p) mirror each other, and so do the ends of the interval.
    const width = forth.interval.high - forth.interval.low;
    expect(Math.abs(back.interval.low + forth.interval.high)).toBeLessThan(1e-6 * width);
    expect(Math.abs(back.interval.high + forth.interval.low)).toBeLessThan(1e-6 * width);
  });
  it("on the relative scale is candidate / baseline - 1, with its interval", () => {
    const result = contrast(name, one, two, { ...rate, scale: "relative" });
    expect(result.difference).toBeCloseTo(result.candidate / result.baseline - 1, 12);
    expect(result.interval.low).toBeLessThan(result.difference);
    expect(result.interval.high).toBeGreaterThan(result.difference);
    const absolute = contrast(name, one, two, rate);
    expect(Math.sign(result.interval.low)).toBe(Math.sign(absolute.interval.low));
  });
  it("widens with the level and repeats with the seed", () => {
    const narrow = contrast(name, one, two, { ...rate, level: 0.8 });
    const wide = contrast(name, one, two, { ...rate, level: 0.98 });
    expect(wide.interval.low).toBeLessThan(narrow.interval.low);
    expect(wide.interval.high).toBeGreaterThan(narrow.interval.high);
    expect(contrast(name, one, two, rate)).toEqual(contrast(name, one, two, rate));
  });
  it("with weights, clusters or a given number of resamples is defined and similar", () => {
    const plain = contrast(name, one, two, rate);
    const width = plain.interval.high - plain.interval.low;
    const n = one.labels.length;
    const groups = one === binaryA ? binaryGroups : Array.from({ length: n }, (_, i) => `g${i % 40}`);
    for (const more of [
      { groups },
      { weights: new Float64Array(n).fill(3) },
      { groups, weights: new Float64Array(n).fill(3) },
    ]) {
      const result = contrast(name, { ...one, ...more }, { ...two, ...more }, rate);
      expect(result.difference).toBeCloseTo(plain.difference, 10);
      expect((result.interval.high - result.interval.low) / width).toBeGreaterThan(0.5);
      expect((result.interval.high - result.interval.low) / width).toBeLessThan(2);
    }
    expect(contrast(name, one, two, { ...rate, resamples: 300 }).interval.method).toMatch(
      name === "auroc" ? /DeLong/ : name === "average_precision" ? /infinitesimal jackknife/ : /300 resamples/,
    );
  });
});

describe("AUROC", () => {
  it("has pROC's paired interval up to Welch-Satterthwaite's t", () => {
    const { interval, difference } = contrast("auroc", binaryA, binaryB);
    const widths = (interval.high - interval.low) / (r.delong.ci90[1] - r.delong.ci90[0]);
    expect(difference).toBeCloseTo(r.delong.auc_a - r.delong.auc_b, 13);
    expect(widths).toBeGreaterThan(1);
    expect(widths).toBeLessThan(1.03);
  });
  it("does not change under monotone maps of the scores, and is mirrored when their sign changes", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.boolean(), fc.integer({ min: -20, max: 20 })), { minLength: 4, maxLength: 60 }),
        (rows) => {
          const labels = rows.map(([positive]) => Number(positive));
          fc.pre(labels.includes(0) && labels.includes(1));
          const score = rows.map(([, s]) => s);
          const auroc = (map: (s: number) => number): number => value("auroc", sample(labels, score.map(map), 2));
          const plain = auroc((s) => s);
          expect(auroc((s) => Math.exp(s / 3))).toBe(plain);
          expect(auroc((s) => s ** 3 - 1e6)).toBe(plain);
          expect(auroc((s) => -s)).toBeCloseTo(1 - plain, 14);
        },
      ),
    );
  });
  it("with two classes as one-vs-rest is the binary one", () => {
    const three = sample(
      binaryA.labels,
      Array.from(binaryA.scores).flatMap((p) => [1 - p, p]),
      2,
    );
    expect(three.scores.length).toBe(2 * binaryA.labels.length);
    // A third class that is separated perfectly adds an AUROC of 1 to the mean and no variance of its own.
    const n = binaryA.labels.length;
    const labels = [...binaryA.labels, ...Array.from({ length: 50 }, () => 2)];
    const scores = [
      ...Array.from(binaryA.scores).flatMap((p) => [0.9 * (1 - p), 0.9 * p, 0.1]),
      ...Array.from({ length: 50 }, () => [0, 0, 1]).flat(),
    ];
    const macro = value("auroc", sample(labels, scores, 3));
    const rest = (c: number): number =>
      value(
        "auroc",
        sample(
          labels.map((label) => Number(label === c)),
          labels.map((_, i) => scores[3 * i + c] as number),
          2,
        ),
      );
    expect(macro).toBeCloseTo((rest(0) + rest(1) + rest(2)) / 3, 14);
    expect(rest(2)).toBe(1);
    expect(n + 50).toBe(labels.length);
  });
});

describe("more than two classes", () => {
  it.each(["auroc", "log_loss", "brier", "ece", "accuracy", "precision", "recall", "f1"] as const)(
    "%s: a model with noise mixed in is worse, plain, weighted and clustered",
    (name) => {
      const random = new RandomStream(17);
      const n = many.labels.length;
      const mixed = sample(
        many.labels,
        many.scores.map((p) => p),
        4,
      );
      for (let i = 0; i < n; i++) {
        const other = 4 * Math.floor(random.uniform() * n);
        for (let c = 0; c < 4; c++)
          mixed.scores[4 * i + c] = 0.5 * (many.scores[4 * i + c] as number) + 0.5 * (many.scores[other + c] as number);
      }
      const groups = Array.from({ length: n }, (_, i) => `g${i % 30}`);
      for (const more of [{}, { weights: manyWeights }, { groups }]) {
        const { difference, interval } = contrast(name, { ...mixed, ...more }, { ...many, ...more });
        if (name !== "ece") expect(Math.sign(difference)).toBe(metric(name).direction === "higher" ? -1 : 1);
        expect(interval.low).toBeLessThanOrEqual(difference);
        expect(interval.high).toBeGreaterThanOrEqual(difference);
        expect(interval.high - interval.low).toBeLessThan(0.5);
      }
    },
  );
});

describe("clusters", () => {
  it("widen the interval of rows that repeat each other, and do not change the value", () => {
    const copies = 5;
    const repeat = (rows: Sample, groups: boolean): Sample =>
      sample(
        [...rows.labels].flatMap((label) => Array.from({ length: copies }, () => label)),
        [...rows.scores].flatMap((score) => Array.from({ length: copies }, () => score)),
        rows.classCount,
        {
          groups: groups ? [...rows.labels].flatMap((_, i) => Array.from({ length: copies }, () => `row ${i}`)) : null,
          ...(rows.naiveScales === undefined
            ? {}
            : {
                naiveScales: Float64Array.from(
                  { length: copies * rows.labels.length },
                  (_, i) => rows.naiveScales?.[Math.floor(i / copies)] as number,
                ),
              }),
        },
      );
    for (const [name, one, two] of pairs) {
      const honest = contrast(name, repeat(one, true), repeat(two, true), rate);
      const naive = contrast(name, repeat(one, false), repeat(two, false), rate);
      const single = contrast(name, one, two, rate);
      const width = ({ interval }: Defined): number => interval.high - interval.low;
      expect(honest.difference).toBeCloseTo(naive.difference, 10);
      expect(width(honest) / width(naive)).toBeGreaterThan(1.6);
      expect(width(honest) / width(single)).toBeGreaterThan(0.8);
      expect(width(honest) / width(single)).toBeLessThan(1.25);
    }
  });
});

describe("large samples", () => {
  const random = new RandomStream(31);
  const n = 6000;
  const labels = Array.from({ length: n }, () => Number(random.uniform() < 0.2));
  const noisy = (noise: number): number[] =>
    labels.map((label) => Math.min(1, Math.max(0, 0.3 + 0.3 * label + noise * (random.uniform() - 0.5))));
  const one = sample(labels, noisy(0.9), 2);
  const two = sample(labels, noisy(1), 2);
  it.each(["log_loss", "brier", "f1", "precision", "average_precision", "partial_auroc", "ece"] as const)(
    "%s: the analytic or jackknife interval is close to the bootstrap's",
    (name) => {
      const analytic = contrast(name, one, two);
      const sampled = contrast(name, one, two, { resamples: 1000 });
      expect(analytic.interval.method).toMatch(/ABC|jackknife/);
      const width = sampled.interval.high - sampled.interval.low;
      // 100 random groups determine a standard error to 7 %, and 1,000 resamples an end to 3 % of the width.
      expect(Math.abs(analytic.interval.low - sampled.interval.low) / width).toBeLessThan(0.2);
      expect(Math.abs(analytic.interval.high - sampled.interval.high) / width).toBeLessThan(0.2);
    },
  );
  it("weights and clusters do not change which rows count", () => {
    const whole = contrast(
      "log_loss",
      { ...one, weights: new Float64Array(n).fill(2) },
      { ...two, weights: new Float64Array(n).fill(2) },
    );
    expect(whole.difference).toBeCloseTo(contrast("log_loss", one, two).difference, 12);
    const half = Float64Array.from(labels, (_, i) => (i < n / 2 ? 1 : 0));
    const cut = (rows: Sample): Sample => sample(rows.labels.slice(0, n / 2), rows.scores.slice(0, n / 2), 2);
    for (const name of ["auroc", "log_loss", "average_precision", "f1"] as const)
      expect(value(name, { ...one, weights: half })).toBeCloseTo(value(name, cut(one)), 12);
    expect(binaryWeights.length).toBe(binaryA.labels.length);
  });
});

describe("calibration of the average-precision contrast, seeded, 400 gates", () => {
  it("two equally good models are called different at alpha on either side: 40 positives of 200", () => {
    let better = 0;
    let worse = 0;
    for (let gate = 0; gate < 400; gate++) {
      const random = new RandomStream(91, gate);
      const normal = (): number => normalQuantile(random.uniform());
      const labels = Array.from({ length: 200 }, (_, i) => Number(i < 40));
      const common = labels.map((label) => 1.5 * label + 0.8 * normal());
      const { interval } = contrast(
        "average_precision",
        sample(
          labels,
          common.map((s) => s + 0.6 * normal()),
          2,
        ),
        sample(
          labels,
          common.map((s) => s + 0.6 * normal()),
          2,
        ),
      );
      if (interval.low > 0) better++;
      if (interval.high < 0) worse++;
    }
    const room = 3 * Math.sqrt((0.05 * 0.95) / 400);
    expect(better / 400).toBeLessThan(0.05 + room);
    expect(worse / 400).toBeLessThan(0.05 + room);
    expect(better + worse).toBeGreaterThan(12);
  });
});
