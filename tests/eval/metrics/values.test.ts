import { describe, expect, it } from "vitest";
import { binOf, eceWithBins } from "../../../eval/metrics/ece.ts";
import { rawPartialArea } from "../../../eval/metrics/partial-auroc.ts";
import { rocOrder } from "../../../eval/metrics/roc-order.ts";
import type { MetricName } from "../../../models/core/manifest/gates.ts";
import { difference, python, r } from "../stats/reference.ts";
import {
  binaryA,
  binaryWeights,
  many,
  manyWeights,
  metric,
  numberA,
  numberWeights,
  options,
  sample,
  value,
} from "./samples.ts";
import scikit from "./fixtures/scikit-learn.json" with { type: "json" };

const at: Partial<Record<MetricName, { at: number }>> = { tpr_at_fpr: { at: 0.1 } };

describe.each([
  [
    "binary",
    python.binary,
    binaryA,
    binaryWeights,
    [
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
      "f1",
    ],
  ],
  [
    "multiclass",
    python.multiclass,
    many,
    manyWeights,
    ["auroc", "log_loss", "brier", "ece", "accuracy", "precision", "recall", "f1"],
  ],
  [
    "regression",
    python.regression,
    numberA,
    numberWeights,
    ["mae", "rmse", "r2", "median_absolute_error", "mape", "smape"],
  ],
] as const)("%s metrics against scikit-learn", (_, expected, rows, weights, names) => {
  it.each([...names])("%s agrees to 1e-12, plain and weighted, and lies in its own interval and range", (name) => {
    const plain = metric(name).measure(rows, { ...options, ...at[name] });
    const weighted = metric(name).measure({ ...rows, weights }, { ...options, ...at[name] });
    if (plain.status !== "ok" || weighted.status !== "ok") throw new Error("undefined");
    expect(difference(plain.value, expected.plain[name] as number)).toBeLessThan(1e-12);
    expect(difference(weighted.value, expected.weighted[name] as number)).toBeLessThan(1e-12);
    const [lowest, highest] = metric(name).range;
    for (const { value: estimate, interval } of [plain, weighted]) {
      expect(interval).not.toBeNull();
      expect(interval?.low).toBeLessThan(interval?.high as number);
      if (name !== "ece") expect(interval?.low).toBeLessThanOrEqual(estimate);
      expect(interval?.high).toBeGreaterThanOrEqual(estimate);
      expect(interval?.low).toBeGreaterThanOrEqual(lowest);
      expect(interval?.high).toBeLessThanOrEqual(highest);
      expect(interval?.level).toBe(options.level);
    }
  });
});

describe("conventions", () => {
  it("partial AUROC: scikit-learn's standardised value at another rate, pROC's raw and corrected ones", () => {
    expect(value("partial_auroc", binaryA, { at: 0.35 })).toBeCloseTo(
      python.binary.plain["partial_auroc_0.35"] as number,
      12,
    );
    expect(value("partial_auroc", binaryA)).toBeCloseTo(r.delong.partial_corrected, 12);
    const roc = rocOrder(binaryA);
    if (typeof roc === "string") throw new Error(roc);
    const weights = new Float64Array(binaryA.labels.length).fill(1);
    expect(rawPartialArea(roc, weights, 0.1)).toBeCloseTo(r.delong.partial_raw, 12);
    expect(value("partial_auroc", binaryA, { at: 1 })).toBeCloseTo(value("auroc", binaryA), 12);
  });
  it("a score at the threshold is positive; the threshold moves accuracy, precision, recall and F1", () => {
    const rows = sample([1, 1, 0, 0], [0.5, 0.4, 0.5, 0.1], 2);
    expect(value("accuracy", rows)).toBe(0.5);
    expect(value("recall", rows, { threshold: 0.4 })).toBe(1);
    expect(value("precision", rows, { threshold: 0.4 })).toBeCloseTo(2 / 3, 15);
    expect(value("f1", rows, { threshold: 0.4 })).toBeCloseTo(0.8, 15);
  });
  it("multiclass ties go to the first class", () => {
    expect(value("accuracy", sample([0, 1], [0.4, 0.4, 0.2, 0.4, 0.4, 0.2], 3))).toBe(0.5);
  });
  it("ECE bins are closed above, on both sides of every edge", () => {
    for (const bins of [10, 15])
      for (let k = 1; k < bins; k++) {
        const edge = k / bins;
        expect([binOf(edge, bins), binOf(edge * (1 + 1e-15), bins)]).toEqual([k - 1, k]);
      }
    expect([binOf(0, 15), binOf(1, 15)]).toEqual([0, 14]);
  });
  it("log loss stays finite at a probability of exactly 0", () => {
    expect(value("log_loss", sample([1, 0], [0, 0], 2))).toBeCloseTo(-Math.log(2 ** -52) / 2, 12);
  });
  it("sMAPE counts a row where truth and prediction are both 0 as exact", () => {
    expect(value("smape", sample([0, 1], [0, 3], 0))).toBe(0.5);
  });
  it("TPR at FPR does not interpolate and takes the tie as a whole", () => {
    const rows = sample([1, 0, 1, 0, 1, 0, 0, 0], [0.9, 0.8, 0.7, 0.7, 0.6, 0.3, 0.2, 0.1], 2);
    expect(value("tpr_at_fpr", rows, { at: 0.2 })).toBeCloseTo(1 / 3, 15);
    expect(value("tpr_at_fpr", rows, { at: 0.4 })).toBe(1);
  });

  it("agree with scikit-learn on the predictions of real models", () => {
    const { binary, multiclass, regression } = scikit;
    const names = {
      auroc: "roc_auc",
      partial_auroc: "roc_auc_max_fpr_0_1",
      average_precision: "average_precision",
      log_loss: "log_loss",
      brier: "brier",
      accuracy: "accuracy",
      precision: "precision",
      recall: "recall",
      f1: "f1",
    } as const;
    for (const [scores, expected] of [
      [binary.scores.a, binary.a],
      [binary.scores.b, binary.b],
    ] as const) {
      const rows = sample(binary.y, scores, 2);
      for (const [name, theirs] of Object.entries(names))
        expect(difference(value(name as MetricName, rows), expected[theirs])).toBeLessThan(1e-12);
      const parts = eceWithBins(10).prepare(rows, options);
      if (typeof parts === "string") throw new Error(parts);
      expect(parts.value(new Float64Array(rows.labels.length).fill(1))).toBeCloseTo(expected.ece_uniform10, 12);
    }
    const rows = sample(multiclass.y, multiclass.p.flat(), 10);
    expect(value("accuracy", rows)).toBeCloseTo(multiclass.accuracy, 12);
    expect(value("f1", rows)).toBeCloseTo(multiclass.f1_macro, 12);
    expect(value("auroc", rows)).toBeCloseTo(multiclass.auc_ovr_macro, 12);
    const numbers = sample(regression.y, regression.f, 0);
    for (const [name, theirs] of [
      ["mae", regression.mae],
      ["rmse", regression.rmse],
      ["r2", regression.r2],
      ["mape", regression.mape],
      ["median_absolute_error", regression.median_ae],
    ] as const) {
      expect(difference(value(name, numbers), theirs)).toBeLessThan(1e-12);
    }
  });
});
