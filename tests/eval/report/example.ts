import type { Measurement, MetricsFile } from "../../../eval/schema/metrics.ts";
import type { VerdictFile } from "../../../eval/schema/verdict.ts";
import type { PlotData } from "../../../eval/report/content/plot-data.ts";
import {
  check,
  identity,
  latencyCheck,
  limit,
  metricsFile,
  modelMetrics,
  modelVerdict,
  normal,
  performance,
  predictions,
  seeded,
  verdictFile,
} from "./builders.ts";

/**
 * A report as a team would see it: a classifier with 3,000 rows and slices and a regressor with 730, simulated from
 * fixed seeds.
 */
export function example(): { verdict: VerdictFile; metrics: MetricsFile; plots: PlotData[] } {
  const slices = ["source=amazon", "source=imdb", "source=yelp"];
  const births = identity({ id: "births", task: "regression", version: "1.2.0", sha256: "c".repeat(64) });
  const mood = modelVerdict({
    verdict: "FAIL",
    reason: "1 of 7 deciding checks is FAIL: auroc on source=imdb",
    checks: [
      check(),
      limit(),
      limit({
        metric: "model_bytes",
        observed: 4_512_345,
        baseline: 4_498_112,
        difference: 14_233,
        limit: { min: null, max: 10_000_000, confident: false },
        direction: "lower",
        unit: "bytes",
        n: 1,
      }),
      check({
        slice: slices[0] ?? "",
        observed: 0.92871,
        baseline: 0.92514,
        difference: 0.00357,
        n: 1000,
        margin: 0.01,
        interval: { low: -0.00312, high: 0.01026, level: 0.9, method: "DeLong, paired" },
      }),
      check({
        slice: slices[1] ?? "",
        observed: 0.90211,
        baseline: 0.92104,
        difference: -0.01893,
        n: 1000,
        margin: 0.01,
        verdict: "FAIL",
        interval: { low: -0.02711, high: -0.01075, level: 0.9, method: "DeLong, paired" },
        reason: "worse by more than the margin: the whole interval lies below -0.01",
      }),
      check({
        slice: slices[2] ?? "",
        observed: 0.91811,
        baseline: 0.91204,
        difference: 0.00607,
        n: 1000,
        margin: 0.01,
        advisory: true,
        verdict: "INCONCLUSIVE",
        interval: { low: -0.01711, high: 0.02925, level: 0.9, method: "DeLong, paired" },
        reason: "28 rows of class negative, below the 30 that a slice needs",
      }),
      check({
        metric: "log_loss",
        direction: "lower",
        kind: "superiority",
        observed: 0.3312,
        baseline: 0.3498,
        difference: -0.0186,
        margin: 0,
        interval: { low: -0.0297, high: -0.0077, level: 0.9, method: "BCa bootstrap, paired, 10,000 resamples" },
      }),
      latencyCheck(),
    ],
    notes: ["The smallest AUROC loss that this dataset can show is 0.004 over all rows and 0.009 per slice."],
    policyChanges: [{ path: "gates.checks[0].margin", base: 0.005, candidate: 0.02 }],
  });
  const regression = modelVerdict({
    model: births,
    baseline: { ...births, version: "1.1.0", sha256: "d".repeat(64) },
    dataset: { id: "births-2002-2003", digest: "e".repeat(64), rows: 730, badRows: 0 },
    verdict: "INCONCLUSIVE",
    reason: "1 of 2 deciding checks is INCONCLUSIVE: mae",
    checks: [
      check({
        metric: "mae",
        observed: 251.337,
        baseline: 249.812,
        difference: 1.525,
        unit: "births",
        direction: "lower",
        margin: 4,
        n: 730,
        verdict: "INCONCLUSIVE",
        interval: { low: -2.114, high: 5.302, level: 0.9, method: "BCa bootstrap, paired, 10,000 resamples" },
        reason: "the interval reaches past the margin: neither shown nor refuted with 730 rows",
      }),
      limit({
        metric: "mae",
        observed: 251.337,
        baseline: 249.812,
        difference: 1.525,
        unit: "births",
        direction: "lower",
        limit: { min: null, max: 300, confident: false },
        n: 730,
        interval: { low: 233.1, high: 269.9, level: 0.9, method: "BCa bootstrap" },
      }),
    ],
  });
  return {
    verdict: verdictFile([mood, regression], { verdict: "FAIL", reason: "mood is FAIL; births is INCONCLUSIVE" }),
    metrics: metricsFile([
      modelMetrics({ measurements: measurements(["all", ...slices]) }),
      modelMetrics({
        role: "baseline",
        model: identity({ version: "1.0.0" }),
        performance: performance(0.98),
        measurements: measurements(["all", ...slices], 0.004),
      }),
      modelMetrics({
        model: births,
        measurements: [
          {
            metric: "mae",
            options: {},
            head: null,
            slice: "all",
            unit: "births",
            direction: "lower",
            result: { status: "ok", value: 251.337, interval: null, n: 730 },
          },
        ],
      }),
    ]),
    plots: [classification(), regressionPlot()],
  };
}

function measurements(slices: readonly string[], shift = 0): Measurement[] {
  return slices.flatMap((slice, i): Measurement[] => [
    {
      metric: "auroc",
      options: {},
      head: null,
      slice,
      unit: "",
      direction: "higher",
      result: {
        status: "ok",
        value: 0.9142 + 0.01 * Math.sin(i) + shift,
        interval: { low: 0.9031, high: 0.9249, level: 0.9, method: "DeLong" },
        n: i === 0 ? 3000 : 1000,
      },
    },
    {
      metric: "f1",
      options: { threshold: 0.5 },
      head: null,
      slice,
      unit: "",
      direction: "higher",
      result:
        i === 3
          ? { status: "undefined", reason: "no positive row", n: 1000 }
          : { status: "ok", value: 0.8621 - 0.02 * i, interval: null, n: 1000 },
    },
  ]);
}

function classification(): PlotData {
  const random = seeded(1);
  const gauss = normal(random);
  const labels = Array.from({ length: 3000 }, () => (random() < 0.5 ? 1 : 0));
  const scores = (separation: number) =>
    labels.map((label) => 1 / (1 + Math.exp(-(gauss() * 1.6 + separation * (label - 0.5)))));
  return {
    modelId: "mood",
    head: "mood",
    unit: "",
    candidate: predictions(labels, scores(3.4)),
    baseline: predictions(labels, scores(3.1)),
  };
}

function regressionPlot(): PlotData {
  const gauss = normal(seeded(2));
  const labels = Array.from(
    { length: 730 },
    (_, i) => 10_870 + (i % 7 < 5 ? 900 : -2300) + 300 * Math.sin(i / 58) + gauss() * 150,
  );
  const said = (noise: number) => labels.map((label) => label + gauss() * noise);
  return {
    modelId: "births",
    head: "births",
    unit: "births",
    candidate: predictions(labels, said(310), { classes: [], head: "births" }),
    baseline: null,
  };
}
