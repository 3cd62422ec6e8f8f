import { describe, expect, it } from "vitest";
import { catalog, metricsFor, type Sample } from "../../../eval/metrics/catalog.ts";
import type { MetricName } from "../../../models/core/manifest/gates.ts";
import { type Task, tasks } from "../../../models/core/manifest/manifest.ts";
import type { MetricResult } from "../../../eval/schema/metrics.ts";
import { binaryA, binaryB, binaryGroups, many, metric, numberA, numberB, options, sample } from "./samples.ts";

/** The same sample with one value of one array replaced. */
function spoiled(rows: Sample, field: "labels" | "scores", at: number, to: number): Sample {
  const values = rows[field].slice();
  values[at] = to;
  return { ...rows, [field]: values };
}

const binaryNames = metricsFor("binary-classification").map(({ name }) => name);
const manyNames = metricsFor("multiclass-classification")
  .map(({ name }) => name)
  .filter((name) => catalog.get(name)?.measure(many, { ...options, intervals: false }).status === "ok");
const numberNames = metricsFor("regression").map(({ name }) => name);
const every: [MetricName, Sample][] = [
  ...binaryNames.map((name): [MetricName, Sample] => [
    name,
    name === "precision_at_k" ? { ...binaryA, groups: binaryGroups } : binaryA,
  ]),
  ...manyNames.map((name): [MetricName, Sample] => [name, many]),
  ...numberNames.map((name): [MetricName, Sample] => [name, numberA]),
];

describe("the catalog", () => {
  it("knows the metrics of each task, and none for tasks that it does not measure", () => {
    expect(binaryNames).toEqual([
      "auroc",
      "average_precision",
      "partial_auroc",
      "tpr_at_fpr",
      "log_loss",
      "brier",
      "ece",
      "accuracy",
      "precision",
      "recall",
      "false_positive_rate",
      "f1",
      "macro_f1",
      "precision_at_k",
    ]);
    expect(manyNames).toEqual([
      "auroc",
      "log_loss",
      "brier",
      "ece",
      "accuracy",
      "precision",
      "recall",
      "f1",
      "macro_f1",
    ]);
    expect(numberNames).toEqual(["mae", "rmse", "r2", "median_absolute_error", "mape", "smape", "mase"]);
    expect(metricsFor("forecasting").map(({ name }) => name)).toEqual([
      ...numberNames,
      "owa",
      "quantile_loss",
      "interval_coverage",
    ]);
    const rankings = [
      "ndcg_at_k",
      "recall_at_k",
      "precision_at_k",
      "map_at_k",
      "mrr",
      "hit_rate_at_k",
      "coverage_at_k",
    ];
    const ofAnswers: Partial<Record<Task, string[]>> = {
      ranking: rankings,
      "token-classification": ["entity_f1"],
      "speech-to-text": ["wer", "cer"],
      translation: ["bleu", "chrf"],
      "text-generation": ["wer", "cer", "bleu", "chrf"],
    };
    for (const [task, names] of Object.entries(ofAnswers) as [Task, string[]][])
      expect(metricsFor(task).map(({ name }) => name)).toEqual(names);
    for (const task of tasks) expect(metricsFor(task).length, task).toBeGreaterThan(0);
    for (const [name, definition] of catalog) {
      expect(definition.name).toBe(name);
      expect(definition.range[0]).toBeLessThan(definition.range[1]);
    }
  });
});

describe.each(every)("%s with input that has no answer", (name, rows) => {
  const answers = (bad: Sample): { measured: MetricResult; contrasted: string[] } => ({
    measured: metric(name).measure(bad, options),
    contrasted: [metric(name).contrast(bad, rows, options).status, metric(name).contrast(rows, bad, options).status],
  });
  const because = (reason: RegExp): object => ({
    measured: { status: "undefined", reason: expect.stringMatching(reason) as string },
    contrasted: ["undefined", "undefined"],
  });
  it("names the row of a NaN or infinite score or label", () => {
    const width = rows.classCount > 2 ? rows.classCount : 1;
    for (const bad of [Number.NaN, Infinity, -Infinity]) {
      expect(answers(spoiled(rows, "scores", 3 * width, bad))).toMatchObject(because(/score of row 3 is/));
      expect(answers(spoiled(rows, "labels", 5, bad))).toMatchObject(because(/label of row 5 is/));
    }
  });
  it("says so for empty input, lengths that do not fit and unusable weights", () => {
    expect(answers(sample([], [], rows.classCount))).toMatchObject(because(/no rows/));
    expect(answers({ ...rows, scores: rows.scores.slice(1) })).toMatchObject(because(/scores for/));
    expect(answers({ ...rows, weights: new Float64Array(2) })).toMatchObject(because(/2 weights for/));
    expect(answers({ ...rows, groups: ["a"] })).toMatchObject(because(/1 groups for/));
    expect(answers({ ...rows, weights: new Float64Array(rows.labels.length) })).toMatchObject(
      because(/all weights are 0/),
    );
    expect(answers({ ...rows, weights: new Float64Array(rows.labels.length).fill(-1) })).toMatchObject(
      because(/weight of row 0 is -1/),
    );
    expect(answers({ ...rows, weights: new Float64Array(rows.labels.length).fill(Number.NaN) })).toMatchObject(
      because(/weight of row 0 is NaN/),
    );
  });
  it("refuses a pair with other rows, labels or weights", () => {
    const n = rows.labels.length;
    const width = rows.scores.length / n;
    const shorter = { ...rows, labels: rows.labels.slice(0, n - 1), scores: rows.scores.slice(0, (n - 1) * width) };
    expect(metric(name).contrast(rows, shorter, options)).toMatchObject({
      status: "undefined",
      reason: expect.stringContaining("rows") as string,
    });
    const relabelled = spoiled(
      rows,
      "labels",
      2,
      rows.classCount === 0 ? 1e3 : ((rows.labels[2] as number) + 1) % rows.classCount,
    );
    expect(metric(name).contrast(rows, relabelled, options)).toMatchObject({
      status: "undefined",
      reason: "the labels of row 2 differ",
    });
    expect(metric(name).contrast({ ...rows, weights: new Float64Array(n).fill(2) }, rows, options)).toMatchObject({
      status: "undefined",
      reason: "only one of the two has weights",
    });
  });
});

describe("metrics without a value on rows that are valid", () => {
  const reason = (name: MetricName, rows: Sample, more = {}): string => {
    const result = metric(name).measure(rows, { ...options, ...more });
    return result.status === "undefined" ? result.reason : `value ${result.value}`;
  };
  it("need both classes when they compare classes", () => {
    for (const name of ["auroc", "average_precision", "partial_auroc", "tpr_at_fpr"] as const) {
      expect(reason(name, sample([1, 1], [0.2, 0.3], 2))).toBe("there are no negative rows");
      expect(reason(name, sample([0, 0], [0.2, 0.3], 2))).toBe("there are no positive rows");
    }
    expect(reason("auroc", sample([0, 1], [0.5, 0.3, 0.2, 0.1, 0.8, 0.1], 3))).toBe("class 2 has no rows");
    expect(reason("auroc", sample([0, 1, 1], [0.1, 0.2, 0.3], 2, { weights: Float64Array.of(0, 1, 1) }))).toBe(
      "there are no negative rows",
    );
  });
  it("do not read 0/0 as 0", () => {
    const never = sample([1, 0, 1], [0.1, 0.2, 0.3], 2);
    expect(reason("precision", never)).toMatch(/no row is predicted positive/);
    expect(reason("recall", sample([0, 0], [0.9, 0.1], 2))).toMatch(/no positive rows/);
    expect(reason("f1", sample([0, 0], [0.1, 0.1], 2))).toMatch(/0\/0/);
    expect(reason("f1", never)).toBe("value 0");
    expect(reason("precision", sample([0, 1, 2], [1, 0, 0, 0, 1, 0, 0, 1, 0], 3))).toMatch(/predicted class 2/);
  });
  it("do not divide by a label of 0 or by constant labels", () => {
    expect(reason("mape", sample([1, 0], [1, 1], 0))).toMatch(/label of row 1 is 0/);
    expect(reason("r2", sample([2, 2, 2], [1, 2, 3], 0))).toMatch(/constant/);
    expect(reason("r2", sample([2, 2, 5], [1, 2, 3], 0, { weights: Float64Array.of(1, 1, 0) }))).toMatch(/constant/);
  });
  it("require probabilities where they use them as such", () => {
    for (const name of ["log_loss", "brier", "ece"] as const) {
      expect(reason(name, sample([1, 0], [1.2, 0.1], 2))).toMatch(/row 0 is 1.2, which is no probability/);
      expect(reason(name, sample([1, 0], [0.5, 0.2, 0.5, 0.5, 0.5, 0.5], 3))).toMatch(/add up to 1.2/);
    }
    expect(reason("auroc", sample([1, 0], [12, -3], 2))).toBe("value 1");
  });
  it("refuse labels that are not a class, and rates that are out of range", () => {
    expect(reason("accuracy", sample([0.5], [0.5], 2))).toMatch(/none of the 2 classes/);
    expect(reason("accuracy", sample([2], [0.5], 2))).toMatch(/none of the 2 classes/);
    expect(reason("tpr_at_fpr", binaryA, { at: 0 })).toMatch(/lies in/);
    expect(reason("tpr_at_fpr", binaryA, { at: 0.001 })).toMatch(/it takes 1000/);
    expect(reason("partial_auroc", binaryA, { at: 2 })).toMatch(/lies in/);
  });
  it("have no interval when a class has a single row, and then no contrast", () => {
    const one = sample([1, 0, 0], [0.5, 0.4, 0.6], 2);
    expect(metric("auroc").measure(one, options)).toMatchObject({ status: "ok", value: 0.5, interval: null });
    expect(metric("auroc").contrast(one, one, options)).toMatchObject({ status: "undefined" });
  });
  it("have no relative change from a value of 0", () => {
    const right = sample([1, 2, 3], [1, 2, 3], 0);
    expect(
      metric("mae").contrast(sample([1, 2, 3], [1, 2, 4], 0), right, { ...options, scale: "relative" }),
    ).toMatchObject({ status: "undefined", reason: expect.stringContaining("no relative change") as string });
  });
});

describe("samples without variation", () => {
  it("two identical models: a difference of 0 with an interval of non-zero width", () => {
    for (const [name, rows] of every) {
      const result = metric(name).contrast(rows, rows, options);
      if (result.status !== "ok") throw new Error(`${name}: ${result.reason}`);
      expect(result.difference).toBe(0);
      expect(result.interval.low).toBeLessThan(0);
      expect(result.interval.high).toBeGreaterThan(0);
    }
  });
  it("a perfect model: an interval that reaches below 1 and narrows with more rows", () => {
    const perfect = (n: number): Sample =>
      sample(
        Array.from({ length: n }, (_, i) => i % 2),
        Array.from({ length: n }, (_, i) => 0.2 + 0.6 * (i % 2)),
        2,
      );
    for (const name of [
      "auroc",
      "average_precision",
      "partial_auroc",
      "accuracy",
      "recall",
      "precision",
      "f1",
    ] as const) {
      const lows = [40, 400].map((n) => {
        const result = metric(name).measure(perfect(n), options);
        if (result.status !== "ok" || result.interval === null) throw new Error(name);
        expect(result.value).toBe(1);
        expect(result.interval.high).toBe(1);
        return result.interval.low;
      }) as [number, number];
      expect(lows[0]).toBeGreaterThan(0.8);
      expect(lows[0]).toBeLessThan(0.97);
      expect(lows[1]).toBeGreaterThan(lows[0]);
      expect(lows[1]).toBeLessThan(0.998);
    }
  });
  it("the same error on every row does not make the next row certain", () => {
    const rows = sample(
      numberA.labels,
      numberA.labels.map((label) => label + 2),
      0,
    );
    for (const name of ["mae", "rmse", "median_absolute_error"] as const) {
      const result = metric(name).contrast(rows, numberB, options);
      expect(result.status).toBe("ok");
      const alone = metric(name).measure(rows, options);
      expect(
        alone.status === "ok" && alone.interval !== null && alone.interval.low < 2 && alone.interval.high > 2,
      ).toBe(true);
    }
    expect(metric("accuracy").contrast(binaryA, binaryB, options).status).toBe("ok");
  });
});
