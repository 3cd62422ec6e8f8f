import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { catalog, type MeasureOptions } from "../../eval/metrics/catalog.ts";
import type { Sample } from "../../eval/metrics/definition.ts";
import { abc } from "../../eval/stats/abc.ts";
import { aurocComponents, stratifiedMoments } from "../../eval/stats/deLong.ts";
import { holm } from "../../eval/stats/holm.ts";
import { normalQuantile } from "../../eval/stats/normal.ts";
import { tango } from "../../eval/stats/tango.ts";
import type { MetricName } from "../../models/core/manifest/gates.ts";
import { agreementPlot, agreementTable, type Line } from "./agreement-report.ts";
import { binaryData, multiclassData, regressionData, type Data } from "./agreement-data.ts";

/**
 * npm run bench:agreement
 *
 * Measures fresh samples here and with scikit-learn, SciPy, pROC and boot in the same run, and compares with the
 * references kept beside the repository when they are there. Writes bench/results/agreement.{md,svg}. Needs Debian's
 * python3-sklearn, r-cran-proc and r-cran-boot.
 */
const binary = binaryData(3_000, 41);
const regression = regressionData(1_500, 42);
const multiclass = multiclassData(900, 43);
const options: MeasureOptions = { level: 0.9, seed: 7 };
const lines: Line[] = [];
const exact = (figure: string, ours: number, theirs: number, tool: string, source: Line["source"]) =>
  lines.push({ figure, ours, theirs, tool, source, tolerance: 1e-9, kind: "exact" });

const folder = mkdtempSync(join(tmpdir(), "agreement-"));
const csv = (name: string, { y, a, b }: Data) => {
  writeFileSync(join(folder, name), ["y,a,b", ...Array.from(y, (value, i) => `${value},${a[i]},${b[i]}`)].join("\n"));
  return join(folder, name);
};
const plain = ({ y, a, b, w }: Data) => ({ y: [...y], a: [...a], b: [...b], w: [...w] });
/** Runs a tool from Debian on the same rows. Ends with one line when it is not installed. */
const run = (command: string, args: string[], input = ""): string => {
  try {
    return execFileSync(command, args, { input, maxBuffer: 2 ** 28, timeout: 600_000, encoding: "utf8" });
  } catch (error) {
    rmSync(folder, { recursive: true });
    process.stderr.write(
      `${command} could not give its figures (${(error as Error).message.split("\n")[0]}); needed: apt-get install python3-sklearn r-cran-proc r-cran-boot\n`,
    );
    process.exit(1);
  }
};
const python = JSON.parse(
  run(
    "/usr/bin/python3",
    [join(import.meta.dirname, "agreement.py")],
    JSON.stringify({
      binary: plain(binary),
      regression: plain(regression),
      multiclass: {
        y: [...multiclass.labels],
        p: Array.from(multiclass.labels, (_, i) => [...multiclass.scores.subarray(3 * i, 3 * i + 3)]),
      },
    }),
  ),
) as Record<string, number[]> & { values: Record<string, number>; versions: string };
const r = new Map(
  run("Rscript", [
    join(import.meta.dirname, "agreement.R"),
    csv("binary.csv", binary),
    csv("regression.csv", regression),
  ])
    .trim()
    .split("\n")
    .map((line): [string, string[]] => {
      const [name = "", ...values] = line.split("\t");
      return [name, values];
    }),
);
rmSync(folder, { recursive: true });
const fromR = (name: string, i = 0): number => Number(r.get(name)?.[i]);

/** Odd and even rows are one series each, scaled by the error of its seasonal naive forecast, season 7. */
const scaleOf = (series: Float64Array, season: number): number =>
  series.subarray(season).reduce((sum, value, t) => sum + Math.abs(value - (series[t] as number)), 0) /
  (series.length - season);
const seriesScales = [0, 1].map((which) =>
  scaleOf(
    regression.y.filter((_, i) => i % 2 === which),
    7,
  ),
);
const naiveScales = regression.y.map((_, i) => seriesScales[i % 2] as number);
const sampleOf = ({ y, w }: Data, scores: Float64Array, classCount: number, weighted: boolean): Sample => ({
  labels: y,
  scores,
  classCount,
  weights: weighted ? w : null,
  groups: null,
  ...(classCount === 0 ? { naiveScales } : {}),
});
const valueOf = (metric: MetricName, sample: Sample): number => {
  const result = catalog
    .get(metric)
    ?.measure(sample, { ...options, intervals: false, ...(metric === "tpr_at_fpr" ? { at: 0.1 } : {}) });
  return result?.status === "ok" ? result.value : Number.NaN;
};
for (const [name, theirs] of Object.entries(python.values)) {
  const metric = name.split(",")[0] as MetricName;
  const sample = name.endsWith("3 classes")
    ? multiclass
    : catalog.get(metric)?.tasks.includes("regression") === true
      ? sampleOf(regression, regression.a, 0, name.endsWith("weighted"))
      : sampleOf(binary, binary.a, 2, name.endsWith("weighted"));
  exact(name, valueOf(metric, sample), theirs, "scikit-learn, NumPy", "fresh");
}

const one = aurocComponents(binary.a, binary.y, null);
const two = aurocComponents(binary.b, binary.y, null);
const varianceOf = (influence: Float64Array): number => stratifiedMoments(influence, binary.y, 2, null).variance;
const paired = varianceOf(one.influence.map((value, i) => value - (two.influence[i] as number)));
const z = normalQuantile(0.95);
const difference = one.auroc - two.auroc;
exact("auroc", one.auroc, fromR("auroc"), "pROC", "fresh");
exact(
  "partial_auroc",
  valueOf("partial_auroc", sampleOf(binary, binary.a, 2, false)),
  fromR("partial_auroc"),
  "pROC",
  "fresh",
);
exact("DeLong variance", varianceOf(one.influence), fromR("DeLong variance"), "pROC", "fresh");
exact(
  "DeLong covariance",
  (varianceOf(one.influence) + varianceOf(two.influence) - paired) / 2,
  fromR("DeLong covariance"),
  "pROC",
  "fresh",
);
exact("DeLong z of the paired difference", difference / Math.sqrt(paired), fromR("DeLong z"), "pROC", "fresh");
[difference - z * Math.sqrt(paired), difference + z * Math.sqrt(paired)].forEach((end, i) =>
  exact(
    `paired DeLong interval with a normal quantile, ${i === 0 ? "low" : "high"}`,
    end,
    fromR("DeLong interval of the difference, normal", i),
    "pROC",
    "fresh",
  ),
);

const accuracy = catalog.get("accuracy")?.measure(sampleOf(binary, binary.a, 2, false), options);
if (accuracy?.status === "ok")
  (["low", "high"] as const).forEach((end, i) =>
    exact(
      `accuracy, Wilson ${end}`,
      accuracy.interval?.[end] ?? Number.NaN,
      python["accuracy interval"]?.[i] ?? Number.NaN,
      "SciPy",
      "fresh",
    ),
  );
exact(
  "Tango at the level of McNemar's test reaches 0",
  touchingZero(),
  Math.sqrt(fromR("McNemar chi2")),
  "R mcnemar.test",
  "fresh",
);
const holmed = [0.01, 0.013, 0.022, 0.03, 0.03, 0.2, 0.6, 0.9, 1];
exact(
  "Holm, largest difference of 9",
  Math.max(...holm(holmed).map((p, i) => Math.abs(p - fromR("Holm", i)))),
  0,
  "R p.adjust",
  "fresh",
);

const errors = (scores: Float64Array) => regression.y.map((label, i) => Math.abs(label - (scores[i] as number)));
const [first, second] = [errors(regression.a), errors(regression.b)];
const meanEnds = abc(
  {
    cells: first.map((e, i) => e - (second[i] as number)),
    width: 1,
    value: (sums, count) => (sums[0] as number) / count,
  },
  0.9,
);
const squares = new Float64Array(2 * first.length).map(
  (_, k) => ((k % 2 === 0 ? first : second)[k >> 1] as number) ** 2,
);
const rmseEnds = abc(
  {
    cells: squares,
    width: 2,
    value: (sums, count) => Math.sqrt((sums[0] as number) / count) - Math.sqrt((sums[1] as number) / count),
  },
  0.9,
);
(["low", "high"] as const).forEach((end, i) => {
  exact(
    `ABC of the MAE difference, ${end}`,
    meanEnds?.[end] ?? Number.NaN,
    fromR("ABC mae difference", i),
    "boot",
    "fresh",
  );
  lines.push({
    figure: `ABC of the RMSE difference, ${end}`,
    ours: rmseEnds?.[end] ?? Number.NaN,
    theirs: fromR("ABC rmse difference", i),
    tool: "boot (other step of its numerical derivatives)",
    source: "fresh",
    tolerance: 1e-6,
    kind: "exact",
  });
});

for (const [name, metric, scale] of [
  ["mae difference", "mae", "absolute"],
  ["mae relative", "mae", "relative"],
  ["rmse difference", "rmse", "absolute"],
  ["log_loss difference", "log_loss", "absolute"],
  ["brier difference", "brier", "absolute"],
] as const) {
  const data = metric === "mae" || metric === "rmse" ? regression : binary;
  const classes = data === binary ? 2 : 0;
  const contrast = catalog
    .get(metric)
    ?.contrast(sampleOf(data, data.a, classes, false), sampleOf(data, data.b, classes, false), { ...options, scale });
  const [low = Number.NaN, high = Number.NaN, error = Number.NaN] = python[name] ?? [];
  if (contrast?.status !== "ok") throw new Error(`${metric} is undefined`);
  // A 5 % quantile of R replicates has a standard error of about 2.1/√R standard errors of the figure. BCa's own
  // corrections add a little.
  for (const [end, ours, theirs] of [
    ["low", contrast.interval.low, low],
    ["high", contrast.interval.high, high],
  ] as const) {
    lines.push({
      figure: `BCa of the ${name}, ${end}`,
      ours,
      theirs,
      tool: "SciPy, 20,000 resamples",
      source: "fresh",
      tolerance: 4 * 2.3 * error * Math.sqrt(1 / 2_000 + 1 / 20_000),
      kind: "Monte Carlo",
    });
  }
}

lines.push(...sharedLines("../shared/data/reference"));
writeFileSync(
  "bench/results/agreement.md",
  agreementTable(lines, `${python.versions}; ${r.get("versions")?.[0] ?? ""}`),
);
writeFileSync("bench/results/agreement.svg", agreementPlot(lines));
const wrong = lines.filter(
  ({ ours, theirs, tolerance }) =>
    !(Math.abs(ours - theirs) <= tolerance * (tolerance <= 1e-6 ? Math.max(1, Math.abs(theirs)) : 1)),
);
process.stderr.write(
  `${lines.length} figures, ${wrong.length} beyond their tolerance${wrong.map(({ figure, ours, theirs }) => `\n  ${figure}: ${ours} here, ${theirs} there`).join("")}\n`,
);
process.exitCode = wrong.length === 0 ? 0 : 1;

/** |z| at which Tango's interval just touches a difference of 0. */
function touchingZero(): number {
  const counts = { both: 0, first: 0, second: 0, neither: 0 };
  binary.y.forEach((label, i) => {
    const [a, b] = [(binary.a[i] as number) >= 0.5, (binary.b[i] as number) >= 0.5].map(
      (positive) => positive === (label === 1),
    );
    counts[a === true ? (b === true ? "both" : "first") : b === true ? "second" : "neither"]++;
  });
  let [low, high] = [0, 0.999999];
  for (let i = 0; i < 80; i++) {
    const level = (low + high) / 2;
    const ends = tango(counts, level);
    if (ends.low < 0 && ends.high > 0) high = level;
    else low = level;
  }
  return normalQuantile(0.5 + low / 2);
}

/** The reference figures beside the repository, when they are there. */
function sharedLines(reference: string): Line[] {
  if (!existsSync(reference)) return [];
  const read = (name: string) => JSON.parse(readFileSync(join(reference, name), "utf8"));
  const proc = read("proc_delong.json") as { auc: Record<string, { auc: number; delong_var: number }> };
  const [head = "", ...rows] = readFileSync(join(reference, "aSAH.csv"), "utf8").trim().split(/\r?\n/);
  const names = head.split(",").map((name) => name.replaceAll('"', ""));
  const columns = (name: string) => rows.map((row) => (row.split(",")[names.indexOf(name)] ?? "").replaceAll('"', ""));
  const labels = columns("outcome").map((outcome) => (outcome === "Poor" ? 1 : 0));
  const found = Object.entries(proc.auc).flatMap(([name, theirs]): Line[] => {
    const { auroc, influence } = aurocComponents(Float64Array.from(columns(name), Number), labels, null);
    const line = (figure: string, ours: number, value: number): Line => ({
      figure: `${figure} of ${name}`,
      ours,
      theirs: value,
      tool: "pROC, aSAH (kept)",
      source: "shared",
      tolerance: 1e-9,
      kind: "exact",
    });
    return [
      line("auroc", auroc, theirs.auc),
      line("DeLong variance", stratifiedMoments(influence, labels, 2, null).variance, theirs.delong_var),
    ];
  });
  const passengers = readFileSync(join(reference, "airpassengers.csv"), "utf8")
    .trim()
    .split(/\r?\n/)
    .slice(1)
    .map((row) => Number(row.split(",")[1]));
  const [training, held] = [Float64Array.from(passengers.slice(0, -24)), passengers.slice(-24)];
  const forecast: Sample = {
    labels: Float64Array.from(held),
    scores: Float64Array.from(held, (_, t) => training.at((t % 12) - 12) as number),
    classCount: 0,
    weights: null,
    groups: null,
    naiveScales: new Float64Array(24).fill(scaleOf(training, 12)),
  };
  const theirForecast = (read("forecast_accuracy.json") as { test: { MASE: number; MAE: number } }).test;
  const kept = read("sklearn_scipy_statsmodels.json") as {
    binary: { input: Record<string, number[]>; a: Record<string, number> };
    regression: { input: Record<string, number[]> } & Record<string, number>;
  };
  const rowsOf = (y: number[] = [], scores: number[] = [], classCount: number): Sample => ({
    labels: Float64Array.from(y),
    scores: Float64Array.from(scores),
    classCount,
    weights: null,
    groups: null,
  });
  const first = rowsOf(kept.binary.input["y"], kept.binary.input["p_a"], 2);
  const numbers = rowsOf(kept.regression.input["y"], kept.regression.input["f_a"], 0);
  const line = (metric: MetricName, sample: Sample, theirs: number | undefined): Line => ({
    figure: metric,
    ours: valueOf(metric, sample),
    theirs: theirs ?? Number.NaN,
    tool: "scikit-learn (kept)",
    source: "shared",
    tolerance: 1e-9,
    kind: "exact",
  });
  return [
    ...found,
    ...(["mase", "mae"] as const).map((metric): Line => ({
      figure: `${metric}, seasonal naive forecast of AirPassengers`,
      ours: valueOf(metric, forecast),
      theirs: theirForecast[metric === "mase" ? "MASE" : "MAE"],
      tool: "R forecast (kept)",
      source: "shared",
      tolerance: 1e-9,
      kind: "exact",
    })),
    ...(
      [
        ["auroc", "roc_auc"],
        ["partial_auroc", "roc_auc_max_fpr_0_1"],
        ["average_precision", "average_precision"],
        ["log_loss", "log_loss"],
        ["brier", "brier"],
        ["accuracy", "accuracy"],
        ["precision", "precision"],
        ["recall", "recall"],
        ["f1", "f1"],
      ] as const
    ).map(([metric, key]) => line(metric, first, kept.binary.a[key])),
    ...(
      [
        ["mae", "mae"],
        ["rmse", "rmse"],
        ["r2", "r2"],
        ["mape", "mape"],
        ["median_absolute_error", "median_ae"],
      ] as const
    ).map(([metric, key]) => line(metric, numbers, kept.regression[key])),
  ];
}
