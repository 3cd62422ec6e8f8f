import type { MetricsFile, ModelMetrics, Runner } from "../../schema/metrics.ts";
import type { ModelIdentity, ModelVerdict } from "../../schema/verdict.ts";
import { unseenProbability } from "../../stats/rule-of-three.ts";
import { tally } from "../content/check-order.ts";
import { falseRedSentence } from "../content/false-red.ts";
import { bytes, counted, countedRows, shortDigest, significant } from "../text/format.ts";
import { batchRows, figureRows, metricsOf } from "../content/performance-rows.ts";
import type { Plot } from "../plots/size.ts";
import { cut, valueText } from "../text/text.ts";
import { type Budget, takeWithin } from "./budget.ts";
import { checkTable } from "./checks.ts";
import { htmlText } from "../text/escape-html.ts";
import { figure } from "./figures.ts";
import { measurementTable } from "./measurements.ts";

export type ModelPlots = { forest: string; figures: { heading: string; plot: Plot }[]; left: number };

export type Budgets = { checks: Budget; measurements: Budget; texts: Budget };

/** One model's part of the report. */
export function modelSection(
  model: ModelVerdict,
  metrics: MetricsFile | null,
  plots: ModelPlots,
  budgets: Budgets,
): string {
  const { candidate, baseline } = metricsOf(metrics, model);
  const parts = [
    `<h2 class="v-${model.verdict}"><span class="word">${model.verdict}</span> ${htmlText(model.model.id)} ${htmlText(model.model.version)}</h2>`,
    `<p>${htmlText(cut(model.reason, 1000))} <span class="faint">(${tally(model.checks)})</span></p>`,
    facts(model, candidate, baseline),
    changes(model, budgets.texts),
    notes(model, budgets.texts),
    plots.forest === "" ? "" : `<h3>Difference from the baseline, check by check</h3>${plots.forest}`,
    `<h3>Checks</h3>${checkTable(model.checks, budgets.checks)}${falseRed(model)}`,
    plots.figures.length === 0
      ? ""
      : `<h3>Plots</h3><div class="plots">${plots.figures.map(({ heading, plot }) => figure(plot, heading)).join("")}</div>`,
    plots.left === 0 ? "" : `<p>… ${counted(plots.left, "more plot")} left out to keep this file small.</p>`,
    performance(candidate, baseline),
    measurementTable(candidate, baseline, budgets.measurements),
    runners(candidate, baseline),
  ];
  return `<section>${parts.filter((part) => part !== "").join("\n")}</section>`;
}

function falseRed(model: ModelVerdict): string {
  const sentence = falseRedSentence(model);
  return sentence === null ? "" : `<p class="faint">${htmlText(cut(sentence, 1000))}.</p>`;
}

/** With which probability a model that answers differently from run to run would have been found. */
function repeatsOf({ comparisons, ok }: NonNullable<ModelMetrics["batchParity"]>): string {
  if (comparisons === undefined || !ok) return "";
  const share = unseenProbability(comparisons, 0.01);
  return `<br><small>${counted(comparisons, "row")} run twice: differences in ${(100 * share).toPrecision(2)} % of answers or more would be found with probability 99 %</small>`;
}

function facts(model: ModelVerdict, candidate: ModelMetrics | null, baseline: ModelMetrics | null): string {
  const { dataset } = model;
  const identity = (one: ModelIdentity) =>
    `${htmlText(one.version)} <span class="hash" title="sha256 ${htmlText(one.sha256)}">${htmlText(shortDigest(one.sha256))}</span>`;
  const parity = (
    [
      ["candidate", candidate],
      ["baseline", baseline],
    ] as const
  ).flatMap(([who, one]) =>
    one === null || one.batchParity === null
      ? []
      : [
          `${who} ${one.batchParity.ok ? "agrees" : "<b>differs</b>"} (by at most ${one.batchParity.maxDifference === 0 ? "0" : one.batchParity.maxDifference.toPrecision(2)}, ${counted(one.batchParity.rows, "row")})${repeatsOf(one.batchParity)}`,
        ],
  );
  const items: [string, string][] = [
    ["task", htmlText(model.model.task)],
    ["candidate", identity(model.model)],
    [
      "baseline",
      `${model.baseline === null ? "none" : identity(model.baseline)}<br><small>${htmlText(cut(model.baselineSource, 300))}</small>`,
    ],
    [
      "dataset",
      dataset === null
        ? "none"
        : `${htmlText(dataset.id)}: ${countedRows(dataset)}${dataset.badRows > 0 ? `, ${counted(dataset.badRows, "unreadable row")}` : ""}<br><small class="hash" title="${htmlText(dataset.digest)}">${htmlText(shortDigest(dataset.digest))}</small>`,
    ],
    ["thresholds from", htmlText(cut(model.policySource, 300))],
    ...(parity.length === 0 ? [] : [["one by one and in batches", parity.join("<br>")] as [string, string]]),
  ];
  return `<dl class="facts">${items.map(([name, content]) => `<div><dt>${name}</dt><dd>${content}</dd></div>`).join("")}</dl>`;
}

function changes(model: ModelVerdict, budget: Budget): string {
  if (model.policyChanges.length === 0) return "";
  const rows = model.policyChanges.map(
    (one) =>
      `<tr><td><code>${htmlText(cut(one.path, 200))}</code></td><td><code>${htmlText(valueText(one.base))}</code> → <code>${htmlText(valueText(one.candidate))}</code></td></tr>`,
  );
  const { taken, left } = takeWithin(rows, budget);
  return `<div class="warn"><b>This candidate changes the gate's settings.</b> It was judged by the first of each.<table><thead><tr><th scope="col">setting</th><th scope="col">base → candidate</th></tr></thead><tbody>${taken.join("")}</tbody></table>${left === 0 ? "" : `… ${counted(left, "more change")} in verdict.json.`}</div>`;
}

function notes(model: ModelVerdict, budget: Budget): string {
  if (model.notes.length === 0) return "";
  const { taken, left } = takeWithin(
    model.notes.map((note) => `<li>${htmlText(cut(note, 1000))}</li>`),
    budget,
  );
  return `<h3>Notes</h3><ul>${taken.join("")}${left === 0 ? "" : `<li>… ${counted(left, "more note")} in verdict.json</li>`}</ul>`;
}

function performance(candidate: ModelMetrics | null, baseline: ModelMetrics | null): string {
  const sides = [candidate?.performance ?? null, baseline?.performance ?? null] as const;
  const batches = batchRows(...sides).map(
    (one) =>
      `<tr><td class="n">${one.batch}</td><td>${one.who}</td>${[one.p50, one.p95, one.p99, one.rowsPerSecond].map((cell) => `<td class="n">${cell}</td>`).join("")}</tr>`,
  );
  const figures = figureRows(...sides).map(
    (one) =>
      `<div><dt>${one.figure}</dt><dd>${one.candidate}${one.baseline === "—" ? "" : ` <small>baseline ${one.baseline}</small>`}</dd></div>`,
  );
  if (batches.length === 0 && figures.length === 0) return "";
  const table =
    batches.length === 0
      ? ""
      : `<div class="scroll" tabindex="0" role="region" aria-label="Latency per batch size"><table><thead><tr><th scope="col" class="n">batch</th><th scope="col">model</th>${["p50 ms", "p95 ms", "p99 ms", "rows/s"].map((head) => `<th scope="col" class="n">${head}</th>`).join("")}</tr></thead><tbody>${batches.join("")}</tbody></table></div>`;
  return `<h3>Latency, memory and size</h3><dl class="facts">${figures.join("")}</dl>${table}`;
}

function runners(candidate: ModelMetrics | null, baseline: ModelMetrics | null): string {
  const [here, there] = [candidate?.runner ?? null, baseline?.runner ?? null];
  if (here === null) return "";
  const other =
    there !== null && JSON.stringify(there) !== JSON.stringify(here)
      ? `<p><b>The baseline was measured elsewhere:</b> ${runner(there)}</p>`
      : "";
  return `<h3>Measured on</h3><p>${runner(here)}</p>${other}`;
}

function runner(one: Runner): string {
  const limits = [
    ...(one.containerCpuLimit === null ? [] : [`${significant(one.containerCpuLimit, 2)} CPUs allowed`]),
    ...(one.containerMemoryBytes === null ? [] : [`${bytes(one.containerMemoryBytes)} memory allowed`]),
    ...(one.governor === null ? [] : [`governor ${one.governor}`]),
  ];
  return htmlText(
    `${one.cpuModel}, ${counted(one.cores, "core")}, ${bytes(one.memoryBytes)} memory, ${one.os} ${one.arch}; ONNX Runtime ${one.onnxruntime} on ${one.provider}, ${counted(one.threads, "thread")}; Node ${one.node}; CPU flags ${one.cpuFlags.join(" ") || "unknown"}${limits.length === 0 ? "" : `; ${limits.join(", ")}`}`,
  );
}
