import { describe, expect, it } from "vitest";
import { topConfidence } from "../../../eval/report/series/confidence.ts";
import { forestRow } from "../../../eval/report/series/forest.ts";
import { histogram } from "../../../eval/report/series/histogram.ts";
import { reliabilityBins } from "../../../eval/report/series/reliability.ts";
import { residualPoints } from "../../../eval/report/series/residuals.ts";
import { rocCurve } from "../../../eval/report/series/roc.ts";
import { sampleRows } from "../../../eval/report/series/sample.ts";
import { check, limit, normal, predictions, seeded } from "./builders.ts";

const numbers = (...values: number[]) => Float64Array.from(values);
const area = ({
  falsePositiveRate: x,
  truePositiveRate: y,
}: {
  falsePositiveRate: number[];
  truePositiveRate: number[];
}) => x.slice(1).reduce((sum, right, i) => sum + ((right - (x[i] ?? 0)) * ((y[i] ?? 0) + (y[i + 1] ?? 0))) / 2, 0);

describe("ROC", () => {
  it("steps as by hand, without points on a straight line", () => {
    expect(rocCurve(numbers(0, 0, 1, 1), numbers(0.1, 0.4, 0.35, 0.8))).toEqual({
      falsePositiveRate: [0, 0, 0.5, 0.5, 1],
      truePositiveRate: [0, 0.5, 0.5, 1, 1],
    });
  });
  it("slants over ties", () => {
    expect(rocCurve(numbers(0, 1), numbers(0.5, 0.5))).toEqual({ falsePositiveRate: [0, 1], truePositiveRate: [0, 1] });
  });
  it("is null without both classes, and leaves out scores that are not finite", () => {
    expect(rocCurve(numbers(1, 1), numbers(0.1, 0.2))).toBeNull();
    expect(rocCurve(numbers(0, 1, 1), numbers(0.5, Number.NaN, 0.6))).toEqual({
      falsePositiveRate: [0, 0, 1],
      truePositiveRate: [0, 1, 1],
    });
  });
  it("is thinned to 400 points, which changes the area by less than a thousandth", () => {
    const random = seeded(3);
    const gauss = normal(random);
    const labels = Float64Array.from({ length: 100_000 }, () => (random() < 0.2 ? 1 : 0));
    const scores = labels.map((label) => gauss() + label);
    const [thin, full] = [rocCurve(labels, scores), rocCurve(labels, scores, Number.POSITIVE_INFINITY)];
    if (thin === null || full === null) throw new Error("both classes are there");
    expect(thin.falsePositiveRate.length).toBeLessThanOrEqual(400);
    expect(full.falsePositiveRate.length).toBeGreaterThan(10_000);
    expect(Math.abs(area(thin) - area(full))).toBeLessThan(0.001);
    expect([thin.falsePositiveRate.at(-1), thin.truePositiveRate.at(-1)]).toEqual([1, 1]);
  });
});

describe("reliability", () => {
  it("bins as by hand: borders belong above, 1 to the last bin, empty bins are left out", () => {
    expect(reliabilityBins(numbers(0.1, 0.3, 0.5, 1, Number.NaN), numbers(0, 1, 1, 1, 1), 2)).toEqual([
      { low: 0, high: 0.5, n: 2, meanPredicted: 0.2, observedRate: 0.5 },
      { low: 0.5, high: 1, n: 2, meanPredicted: 0.75, observedRate: 1 },
    ]);
    expect(reliabilityBins(numbers(0.95), numbers(0)).map(({ low, n }) => [low, n])).toEqual([[0.9, 1]]);
  });
  it("of several classes uses the predicted one", () => {
    const three = predictions([2, 0], [0.2, 0.3, 0.5, 0.1, 0.6, 0.3], { classes: ["a", "b", "c"] });
    expect(topConfidence(three)).toEqual({ confidence: numbers(0.5, 0.6), correct: numbers(1, 0) });
  });
});

it("histogram counts as by hand", () => {
  expect(histogram(numbers(0, 0.49, 0.5, 1, 1.1, Number.NaN), 0, 1, 2)).toEqual([2, 2]);
});

describe("residuals", () => {
  it("are actual minus predicted", () => {
    expect(residualPoints(numbers(3, 5), numbers(2, 7))).toEqual({
      prediction: [2, 7],
      label: [3, 5],
      residual: [1, -2],
      rows: 2,
    });
  });
  it("are sampled the same way each time, each row once, the largest kept", () => {
    const gauss = normal(seeded(4));
    const weight = Float64Array.from({ length: 20_000 }, gauss);
    weight[777] = 50;
    weight[778] = Number.NaN;
    const rows = sampleRows(weight, 1500);
    expect(rows).toHaveLength(1500);
    expect(new Set(rows).size).toBe(1500);
    expect(rows).toContain(777);
    expect(rows).not.toContain(778);
    expect(sampleRows(weight, 1500)).toEqual(rows);
    expect(rows).toEqual([...rows].sort((a, b) => a - b));
  });
  it("do not follow a periodic pattern of the data", () => {
    const rows = sampleRows(
      Float64Array.from({ length: 7 * 1000 }, (_, i) => (i % 7) - 3),
      700,
    );
    const weekdays = Array.from({ length: 7 }, (_, day) => rows.filter((i) => i % 7 === day).length);
    expect(Math.min(...weekdays.slice(1, 6))).toBeGreaterThan(50);
  });
  it("are all kept when they are few, equal ones too", () => {
    expect(sampleRows(numbers(1, 1, 1), 5)).toEqual([0, 1, 2]);
    expect(sampleRows(new Float64Array(5000), 100)).toHaveLength(100);
  });
});

describe("forest rows", () => {
  it("are in margins, better to the right", () => {
    expect(
      forestRow(
        check({ difference: -0.005, margin: 0.005, interval: { low: -0.01, high: 0.005, level: 0.9, method: "" } }),
      ),
    ).toEqual({ point: -1, low: -2, high: 1, bounds: [-1] });
    expect(
      forestRow(
        check({
          difference: 2,
          margin: 4,
          direction: "lower",
          kind: "equivalence",
          interval: { low: 0, high: 6, level: 0.9, method: "" },
        }),
      ),
    ).toEqual({ point: -0.5, low: -1.5, high: -0, bounds: [-1, 1] });
  });
  it("have a unit even with a margin of 0", () => {
    expect(
      forestRow(
        check({ kind: "superiority", difference: 2, margin: 0, interval: { low: 1, high: 3, level: 0.9, method: "" } }),
      ),
    ).toEqual({ point: 2, low: 1, high: 3, bounds: [0] });
  });
  it("are null for limits and missing baselines", () => {
    expect(forestRow(limit())).toBeNull();
    expect(forestRow(check({ difference: null }))).toBeNull();
  });
});
