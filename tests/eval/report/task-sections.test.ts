import { describe, expect, it } from "vitest";
import { drawSeries, horizon } from "../../../bench/stats/series-world.ts";
import type { Sample } from "../../../eval/metrics/definition.ts";
import type { Predictions } from "../../../eval/predictions/predictions.ts";
import { classFigures } from "../../../eval/report/content/class-figures.ts";
import { coverageByLevel, errorBySteps, shownSeries } from "../../../eval/report/content/forecast-figures.ts";
import { renderHtml } from "../../../eval/report/html.ts";
import { identity, modelVerdict, verdictFile } from "./builders.ts";

const predictions = (of: Sample, more: Partial<Predictions>): Predictions => ({
  head: "h",
  task: "forecasting",
  ids: Array.from(of.labels, (_, i) => String(i)),
  classes: [],
  slices: {},
  datasetDigest: null,
  ...of,
  ...more,
});
const report = (candidate: Predictions, baseline: Predictions | null): string =>
  renderHtml(verdictFile([modelVerdict({ model: identity({ id: "m", task: candidate.task }) })]), null, [
    { modelId: "m", head: "h", candidate, baseline, unit: "pieces" },
  ]);

describe("a forecasting report", () => {
  const drawn = drawSeries({ series: 30, spread: 0.5 }, 1, 1);
  const candidate = predictions(drawn.candidate, {});
  const baseline = predictions(drawn.baseline, {});
  it("has the error of each step", () => {
    const steps = errorBySteps(candidate);
    expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: horizon }, (_, i) => i + 1));
    const ofThird = [...candidate.labels.keys()].filter((row) => candidate.forecasts!.steps[row] === 3);
    const mean =
      ofThird.reduce((sum, row) => sum + Math.abs(candidate.labels[row]! - candidate.scores[row]!), 0) / ofThird.length;
    expect(steps[2]!.error).toBeCloseTo(mean, 12);
  });
  it("has the share of labels at or below each quantile", () => {
    const [low] = coverageByLevel(candidate);
    const below = [...candidate.labels].filter(
      (label, row) => label <= candidate.forecasts!.quantiles!.values[3 * row]!,
    );
    expect(low).toEqual({ level: 0.05, share: below.length / candidate.labels.length });
  });
  it("shows the worst, the middle and the best series, in the order of their steps", () => {
    const shown = shownSeries(candidate, baseline);
    expect(shown.map(({ why }) => why)).toEqual(["the worst", "in the middle", "the best"]);
    expect(shown[0]!.steps).toEqual([1, 2, 3, 4, 5, 6]);
    const error = (at: number) => {
      const { series } = shown[at]!;
      let sum = 0;
      candidate.forecasts!.series.forEach((one, row) => {
        if (one === series)
          sum += Math.abs(candidate.labels[row]! - candidate.scores[row]!) / candidate.naiveScales![row]!;
      });
      return sum;
    };
    expect(error(0)).toBeGreaterThan(error(1));
    expect(error(1)).toBeGreaterThan(error(2));
  });
  it("draws them, with hostile names escaped, and goes without quantiles and baseline", () => {
    const series = candidate.forecasts!.series.map((one) => `<script>alert(1)</script>${one}`);
    const html = report({ ...candidate, forecasts: { ...candidate.forecasts!, series } }, baseline);
    for (const part of ["the worst", "Error by step", "Coverage by level", "&lt;script&gt;"])
      expect(html).toContain(part);
    expect(html).not.toContain("<script>alert");
    const plain = report({ ...candidate, forecasts: { ...candidate.forecasts!, quantiles: null } }, null);
    expect(plain).toContain("Error by step");
    expect(plain).not.toContain("Coverage by level");
  });
});

describe("a report of many classes", () => {
  const classes = ["ant", "<i>bee</i>", "cat", "dog"];
  const answers = (guesses: readonly number[]): Float64Array =>
    Float64Array.from({ length: guesses.length * 4 }, (_, i) => (i % 4 === guesses[Math.floor(i / 4)] ? 1 : 0));
  const labels = [0, 0, 0, 1, 1, 2, 2, 2, 2, 1];
  const of = (guesses: readonly number[]): Predictions =>
    predictions(
      { labels: Float64Array.from(labels), scores: answers(guesses), classCount: 4, weights: null, groups: null },
      { task: "multiclass-classification", classes },
    );
  const candidate = of([0, 0, 0, 2, 2, 2, 2, 1, 2, 1]);
  const baseline = of([0, 1, 0, 1, 1, 2, 2, 2, 2, 2]);
  it("ranks recalls, the lowest first, of the classes that occur", () => {
    const { recalls } = classFigures(candidate, baseline);
    expect(recalls.map(({ name, rows, recall, baseline: before }) => [name, rows, recall, before])).toEqual([
      ["<i>bee</i>", 3, 1 / 3, 2 / 3],
      ["cat", 4, 3 / 4, 1],
      ["ant", 3, 1, 2 / 3],
    ]);
    expect(recalls[0]!.low).toBeLessThan(1 / 3);
    expect(recalls[0]!.high).toBeGreaterThan(1 / 3);
  });
  it("counts what is taken for what", () => {
    expect(classFigures(candidate, baseline).confusions).toEqual([
      { truth: "<i>bee</i>", answer: "cat", candidate: 2, baseline: 1, ofTruth: 3 },
      { truth: "cat", answer: "<i>bee</i>", candidate: 1, baseline: 0, ofTruth: 4 },
    ]);
  });
  it("shows both tables, escaped", () => {
    const html = report(candidate, baseline);
    expect(html).toContain("Recall of 3 classes, the lowest first");
    expect(html).toContain("&lt;i&gt;bee&lt;/i&gt;");
    expect(html).not.toContain("<i>bee");
  });
});
