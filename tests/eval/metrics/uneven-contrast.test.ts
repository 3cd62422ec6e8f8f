import { describe, expect, it } from "vitest";
import { metricsFor, type Sample } from "../../../eval/metrics/catalog.ts";
import { selectRows } from "../../../eval/predictions/select-rows.ts";
import { effectiveDegrees } from "../../../eval/stats/effective-degrees.ts";
import { jackknifeError } from "../../../eval/stats/jackknife.ts";
import { studentQuantile } from "../../../eval/stats/student.ts";
import { RandomStream } from "../../../eval/stats/random.ts";
import { normals } from "../../../bench/stats/normals.ts";
import { prepareUneven, unevenCells } from "../../../bench/stats/uneven-cells.ts";
import type { MetricName } from "../../../models/core/manifest/gates.ts";
import { binaryA, binaryB, metric, numberA, numberB, options, sample } from "./samples.ts";

const gates = 300;
/** 5 % of 300 are 15; 27 and more are seen once in 500 times. */
const most = 27;

/** Wrong passes of a candidate that is worse by exactly the margin, or of a confident limit at its true value. */
function wrongPasses(id: string, names: MetricName[], limit = false): Map<string, number> {
  const cell = unevenCells.find((one) => one.id === id);
  if (cell === undefined) throw new Error(`no kind of data ${id}`);
  const prepared = prepareUneven(cell);
  const passes = new Map<string, number>(names.map((name) => [name, 0]));
  for (let gate = 0; gate < gates; gate++) {
    const drawn = prepared.draw(17, gate);
    for (const { definition, margin, candidate: truth, options: asked } of prepared.metrics) {
      if (!names.includes(definition.name)) continue;
      const { candidate, baseline } = drawn(definition.name);
      if (limit) {
        const own = definition.measure(candidate, { ...asked, level: 0.9, seed: gate });
        if (own.status !== "ok" || own.interval === null) throw new Error("no interval");
        if (definition.direction === "higher" ? own.interval.low > truth : own.interval.high < truth)
          passes.set(definition.name, (passes.get(definition.name) as number) + 1);
        continue;
      }
      const result = definition.contrast(candidate, baseline, { ...asked, level: 0.9, seed: gate });
      if (result.status !== "ok") throw new Error(result.reason);
      const { low, high } = result.interval;
      if (definition.direction === "higher" ? low > -margin : high < margin)
        passes.set(definition.name, (passes.get(definition.name) as number) + 1);
    }
  }
  return passes;
}

describe("wrong passes at the exact boundary, seeded, 300 gates each", () => {
  it.each([
    ["binary n=500 clusters=5", ["accuracy", "log_loss", "auroc", "recall"]],
    ["regression n=500 clusters=5", ["mae", "rmse"]],
    ["binary n=500 weights=1.5", ["accuracy", "auroc"]],
    ["regression n=500 weights=2.5", ["mae"]],
    ["regression n=200 skewed", ["mae"]],
  ] as [string, MetricName[]][])("%s: no more than alpha allows", (id, names) => {
    for (const [name, count] of wrongPasses(id, names)) expect(count, `${name}, ${id}`).toBeLessThan(most);
  });
});

describe("confident limits at the true value over 20 clusters, seeded, 300 gates each", () => {
  it.each([
    ["binary n=500 clusters=20", ["auroc", "average_precision", "log_loss", "accuracy"]],
    ["regression n=500 clusters=20", ["mae", "rmse", "r2"]],
  ] as [string, MetricName[]][])("%s: no more than alpha allows", (id, names) => {
    for (const [name, count] of wrongPasses(id, names, true)) expect(count, `${name}, ${id}`).toBeLessThan(most);
  });
});

const grouped = (of: Sample, count: number): Sample => ({
  ...of,
  groups: Array.from(of.labels, (_, i) => `g${i % count}`),
});

describe("the interval over equal clusters", () => {
  it.each(["mae", "log_loss"] as const)("%s: is t over the clusters' mean differences", (name) => {
    const [one, two] = name === "mae" ? [numberA, numberB] : [binaryA, binaryB];
    const rows = 10 * Math.floor(one.labels.length / 10);
    const cut = (of: Sample): Sample =>
      grouped(sample(of.labels.slice(0, rows), of.scores.slice(0, rows), of.classCount), 10);
    const [a, b] = [cut(one), cut(two)];
    const result = metric(name).contrast(a, b, options);
    if (result.status !== "ok") throw new Error(result.reason);
    const means = Array.from({ length: 10 }, (_, g) => {
      const pick = (of: Sample) =>
        metric(name).measure(
          sample(
            of.labels.filter((__, i) => i % 10 === g),
            of.scores.filter((__, i) => i % 10 === g),
            of.classCount,
          ),
          { ...options, intervals: false },
        );
      const [x, y] = [pick(a), pick(b)];
      return x.status === "ok" && y.status === "ok" ? x.value - y.value : Number.NaN;
    });
    const mean = means.reduce((sum, value) => sum + value / 10, 0);
    const error = Math.sqrt(means.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 90);
    // t_0.95 with 9 degrees of freedom, SciPy 1.17.1.
    const half = 1.8331129326536335 * error;
    const [left, right] = [mean - result.interval.low, result.interval.high - mean];
    expect(Math.min(left, right) / half).toBeCloseTo(1, 8);
    expect(Math.max(left, right) / half).toBeLessThan(1.3 + 1e-9);
    expect(result.interval.method).toBe("cluster jackknife, t over 10 clusters");
  });
  it("two groups of 100 rows do not show that five points were kept", () => {
    // 10 errors each against 13 and 11: the differences are -3 and -1 points.
    const correct = (errors: number): number[] => Array.from({ length: 100 }, (_, i) => (i < errors ? 0 : 1));
    const of = (first: number, second: number): Sample =>
      sample(new Array(200).fill(1), [...correct(first), ...correct(second)], 2, {
        groups: Array.from({ length: 200 }, (_, i) => (i < 100 ? "a" : "b")),
      });
    const result = metric("accuracy").contrast(of(13, 11), of(10, 10), options);
    expect(result).toMatchObject({ status: "ok" });
    if (result.status === "ok") expect(result.interval.low).toBeLessThan(-0.08);
  });
});

describe("corrections over clusters", () => {
  it.each([
    ["accuracy", 5],
    ["recall", 5],
    ["ece", 12],
    ["r2", 8],
    ["average_precision", 8],
  ] as [MetricName, number][])("%s over %d clusters: at most 1.15 times the t interval", (name, count) => {
    const [one, two] = name === "r2" ? [numberA, numberB] : [binaryA, binaryB];
    const [a, b] = [grouped(one, count), grouped(two, count)];
    const result = metric(name).contrast(a, b, options);
    if (result.status !== "ok") throw new Error(result.reason);
    const groups = a.groups as string[];
    const leftOut = [...new Set(groups)].map((group) => {
      const rows = Int32Array.from(groups.keys()).filter((i) => groups[i] !== group);
      const [x, y] = [a, b].map((of) => metric(name).measure(selectRows(of, rows), { ...options, intervals: false }));
      return x?.status === "ok" && y?.status === "ok" ? x.value - y.value : Number.NaN;
    });
    const half = studentQuantile(0.95, count - 1) * jackknifeError(Float64Array.from(leftOut));
    const width = result.interval.high - result.interval.low;
    // Clusters of nearly equal size and share of positives: what is left of unevenness is below 1 %.
    expect(width).toBeLessThan(2 * 1.16 * half);
    expect(width).toBeGreaterThan(2 * 0.99 * half);
  });
  it("precision and F1 over plain rows: no end is nearer than t with the degrees that few discordant rows leave", () => {
    // 40 discordant rows of 600.
    const labels = Array.from({ length: 600 }, (_, i) => (i < 100 ? 1 : 0));
    const of = (flips: (i: number) => boolean): Sample =>
      sample(
        labels,
        labels.map((label, i) => (flips(i) ? 1 - label : label) * 0.8 + 0.1),
        2,
      );
    const [a, b] = [
      of((i) => i < 12 || (i >= 100 && i < 115)),
      of((i) => (i >= 20 && i < 28) || (i >= 200 && i < 205)),
    ];
    for (const name of ["precision", "f1"] as const) {
      const result = metric(name).contrast(a, b, options);
      if (result.status !== "ok") throw new Error(result.reason);
      const leftOut = Float64Array.from(labels, (_, i) => {
        const rows = Int32Array.from(labels.keys()).filter((row) => row !== i);
        const [x, y] = [a, b].map((one) =>
          metric(name).measure(selectRows(one, rows), { ...options, intervals: false }),
        );
        return x?.status === "ok" && y?.status === "ok" ? x.value - y.value : Number.NaN;
      });
      const mean = leftOut.reduce((sum, value) => sum + value / 600, 0);
      const df = effectiveDegrees(leftOut, mean);
      expect(df).toBeLessThan(150);
      const half = studentQuantile(0.95, df) * jackknifeError(leftOut);
      expect(result.interval.low).toBeLessThanOrEqual(result.difference - half + 1e-12);
      expect(result.interval.high).toBeGreaterThanOrEqual(result.difference + half - 1e-12);
    }
  });
});

describe("degenerate units", () => {
  const names: [MetricName, Sample, Sample][] = [
    ...metricsFor("binary-classification").map(({ name }): [MetricName, Sample, Sample] => [name, binaryA, binaryB]),
    ...metricsFor("regression").map(({ name }): [MetricName, Sample, Sample] => [name, numberA, numberB]),
  ];
  it.each(names)("%s: one cluster gives no narrow interval", (name, one, two) => {
    const all = { ...options, at: 0.1 };
    const contrast = metric(name).contrast(grouped(one, 1), grouped(two, 1), all);
    if (contrast.status === "ok") {
      expect(contrast.interval.low).toBeLessThanOrEqual(contrast.difference);
      expect(Number.isFinite(contrast.interval.low) && Number.isFinite(contrast.interval.high)).toBe(true);
      const plain = metric(name).contrast(one, two, all);
      if (plain.status === "ok")
        expect(contrast.interval.high - contrast.interval.low).toBeGreaterThan(
          2 * (plain.interval.high - plain.interval.low),
        );
    }
    const own = metric(name).measure(grouped(one, 1), all);
    if (own.status === "ok" && own.interval !== null)
      expect(Number.isFinite(own.interval.low) && Number.isFinite(own.interval.high)).toBe(true);
  });
  it.each(names)("%s: all weight in one row of a class decides nothing", (name, one, two) => {
    const first = [one.labels.indexOf(1), one.labels.indexOf(0)];
    const weights = one.labels.map((_, i) => ((one.classCount === 2 ? first.includes(i) : i === 0) ? 1 : 0));
    const contrast = metric(name).contrast({ ...one, weights }, { ...two, weights }, { ...options, at: 0.5 });
    if (contrast.status === "ok") {
      expect(Number.isNaN(contrast.interval.low + contrast.interval.high)).toBe(false);
      if (metric(name).range[1] === 1 && name !== "r2")
        expect(contrast.interval.high - contrast.interval.low).toBeGreaterThan(0.5);
    }
  });
  it("nothing varies: the rule of three counts clusters, and effective rows", () => {
    const right = sample(new Array(100).fill(1), new Array(100).fill(0.9), 2);
    const width = (of: Sample): number => {
      const result = metric("accuracy").contrast(of, of, options);
      return result.status === "ok" ? result.interval.high : Number.NaN;
    };
    expect(width(grouped(right, 5))).toBeCloseTo(1 - 0.05 ** (1 / 5), 6);
    const weights = Float64Array.from({ length: 100 }, (_, i) => (i < 4 ? 1 : 1e-9));
    expect(width({ ...right, weights })).toBeCloseTo(1 - 0.05 ** (1 / 4), 3);
  });
  it("equal weights, whatever their size, are none", () => {
    const weights = new Float64Array(numberA.labels.length).fill(7);
    const [plain, weighted] = [{}, { weights }].map((more) =>
      metric("mae").contrast({ ...numberA, ...more }, { ...numberB, ...more }, options),
    );
    if (plain?.status !== "ok" || weighted?.status !== "ok") throw new Error("undefined");
    expect(weighted.interval.low).toBeCloseTo(plain.interval.low, 10);
    expect(weighted.interval.method).toBe(plain.interval.method);
  });
  it("uneven sizes of clusters widen the interval", () => {
    const noise = normals(new RandomStream(3, 0), 600);
    const labels = new Float64Array(600);
    const make = (group: (i: number) => number): number => {
      const groups = Array.from({ length: 600 }, (_, i) => String(group(i)));
      const one = sample(
        labels,
        noise.map((z) => 1 + 0.1 * z),
        0,
        { groups },
      );
      const two = sample(labels, new Float64Array(600).fill(1), 0, { groups });
      const result = metric("mae").contrast(one, two, options);
      return result.status === "ok" ? result.interval.high - result.interval.low : Number.NaN;
    };
    expect(make((i) => (i < 400 ? 0 : 1 + (i % 9)))).toBeGreaterThan(1.5 * make((i) => i % 10));
  });
});
