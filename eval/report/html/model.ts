import type { MetricsFile, ModelMetrics, Runner } from "../../schema/metrics.ts";
import type { ModelIdentity, ModelVerdict } from "../../schema/verdict.ts";
import { unseenProbability } from "../../stats/rule-of-three.ts";
import { tally } from "../content/check-order.ts";
import { datasetChangeText } from "../content/dataset-change.ts";
import { rulesText } from "../content/rules.ts";
import { falseRedSentence, honestCandidate } from "../content/false-red.ts";
import { costSentence, wearSentence } from "../content/running-cost.ts";
import type { AugmentationExample } from "../content/augmentation-example.ts";
import type { PlotData } from "../content/plot-data.ts";
import { nextSteps } from "../content/next-steps.ts";
import { sources } from "../content/sources.ts";
import { augmentationSection } from "./augmentations.ts";
import { sliceLossTable } from "./slice-losses.ts";
import { sliceTables } from "./slices.ts";
import { bytes, counted, countedRows, shortDigest, significant } from "../text/format.ts";
import { batchRows, figureRows, metricsOf } from "../content/performance-rows.ts";
import type { Plot } from "../plots/size.ts";
import { cut, valueText } from "../text/text.ts";
import { type Budget, takeWithin } from "./budget.ts";
import { classTables } from "./classes.ts";
import { checkTable } from "./checks.ts";
import { htmlText } from "../text/escape-html.ts";
import { figure } from "./figures.ts";
import { measurementTable } from "./measurements.ts";
import { taskSection } from "./tasks.ts";

export type ModelPlots = { forest: string; figures: { heading: string; plot: Plot }[]; left: number };

export type Budgets = { checks: Budget; measurements: Budget; answers: Budget; texts: Budget; examples: Budget };

/**
 * One model's part of the report: why, what to do, and the rest.
 *
 * @param rows what its heads predicted, row by row, and rows beside their altered copies
 * @param alone whether the report is about this model only; its verdict and reason then stand in the banner
 */
export function modelSection(
  model: ModelVerdict,
  metrics: MetricsFile | null,
  plots: ModelPlots,
  budgets: Budgets,
  { heads, examples }: { heads: readonly PlotData[]; examples: readonly AugmentationExample[] },
  alone: boolean,
): string {
  const { candidate, baseline } = metricsOf(metrics, model);
  const parts = [
    alone
      ? ""
      : `<h2 class="v-${model.verdict}"><span class="word">${model.verdict}</span> ${htmlText(model.model.id)} ${htmlText(model.model.version)}</h2><p>${htmlText(cut(model.reason, 1000))}</p>`,
    steps(model),
    changes(model, budgets.texts),
    data(model, budgets.texts),
    rules(model, budgets.texts),
    plots.forest === "" ? "" : `<h3>Difference from the baseline, check by check</h3>${plots.forest}`,
    `<h3>Checks</h3>${model.checks.length === 0 ? "" : `<p class="faint">${tally(model.checks)}</p>`}${checkTable(model.checks, budgets.checks)}${falseRed(model)}${wear(model)}`,
    notes(model, budgets.texts),
    sliceLossTable(model.checks, budgets.checks),
    augmentationSection(model, candidate, baseline, examples, budgets.examples),
    sliceTables(candidate, baseline, budgets.measurements),
    plots.figures.length === 0
      ? ""
      : `<h3>Plots</h3><div class="plots">${plots.figures.map(({ heading, plot }) => figure(plot, heading)).join("")}</div>`,
    ...heads.map((head) => classTables(head, heads.length > 1, budgets.measurements)),
    ...heads.map((head) => taskSection(head, heads.length > 1, budgets.answers)),
    plots.left === 0 ? "" : `<p>… ${counted(plots.left, "more plot")} left out to keep this file small.</p>`,
    performance(candidate, baseline),
    measurementTable(candidate, baseline, budgets.measurements),
    `<h3>What was compared</h3>${facts(model, candidate, baseline)}`,
    runners(candidate, baseline),
  ];
  return `<section>${parts.filter((part) => part !== "").join("\n")}</section>`;
}

function steps(model: ModelVerdict): string {
  const todo = nextSteps(model);
  return todo.length === 0
    ? ""
    : `<h3>What to do</h3><ul>${todo.map((step) => `<li>${withCode(step)}</li>`).join("")}</ul>`;
}

/** Escaping trims a text; the spaces beside a piece of code stay. */
const spaced = (text: string, escaped: string) =>
  `${text.startsWith(" ") ? " " : ""}${escaped}${text.length > 1 && text.endsWith(" ") ? " " : ""}`;

/** Our own sentence, with what stands between back-quotes as code. */
function withCode(text: string): string {
  return text
    .split("`")
    .map((part, i) => (i % 2 === 1 ? `<code>${htmlText(part)}</code>` : spaced(part, htmlText(part))))
    .join("");
}

function falseRed(model: ModelVerdict): string {
  const sentence = falseRedSentence(model, honestCandidate(model));
  return sentence === null ? "" : `<p class="faint">${htmlText(cut(sentence, 1000))}.</p>`;
}

function wear(model: ModelVerdict): string {
  const sentence = wearSentence(model);
  return sentence === null ? "" : `<p class="faint">${htmlText(sentence)}</p>`;
}

/** With which probability a model that answers differently from run to run would have been found. */
function repeatsOf({ comparisons, ok }: NonNullable<ModelMetrics["batchParity"]>): string {
  if (comparisons === undefined || !ok) return "";
  const share = unseenProbability(comparisons, 0.01);
  return `<br><small>${counted(comparisons, "row")} run twice: differences in ${(100 * share).toPrecision(2)} % of answers or more would be found with probability 99 %</small>`;
}

function facts(model: ModelVerdict, candidate: ModelMetrics | null, baseline: ModelMetrics | null): string {
  const { dataset } = model;
  const from = sources(model);
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
      `${model.baseline === null ? "none" : identity(model.baseline)}${from.baseline === null ? "" : `<br><small>${htmlText(cut(from.baseline, 300))}</small>`}`,
    ],
    [
      "dataset",
      dataset === null
        ? "none"
        : `${htmlText(dataset.id)}: ${countedRows(dataset)}${dataset.badRows > 0 ? `, ${counted(dataset.badRows, "unreadable row")}` : ""}<br><small class="hash" title="${htmlText(dataset.digest)}">${htmlText(shortDigest(dataset.digest))}</small>`,
    ],
    ...(from.thresholds === null ? [] : [["thresholds from", htmlText(cut(from.thresholds, 300))] as [string, string]]),
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

function data({ datasetChange }: ModelVerdict, budget: Budget): string {
  if (datasetChange === undefined) return "";
  const { headline, facts, figures } = datasetChangeText(datasetChange);
  const [first, ...rest] = headline.split(". ");
  const described = facts.map(
    ({ what, text }) => `<tr><td>${htmlText(cut(what, 200))}</td><td>${htmlText(cut(text, 1000))}</td></tr>`,
  );
  const rows = figures.map(
    (one) =>
      `<tr><td>${one.who}</td><td><code>${htmlText(cut(one.metric, 200))}</code></td><td>${htmlText(cut(one.slice, 200))}</td><td class="n">${one.base}</td><td class="n">${one.candidate}</td></tr>`,
  );
  const { taken, left } = takeWithin(rows, budget);
  const measured =
    rows.length === 0
      ? ""
      : `<details><summary>The same models on both versions of the data</summary><table><thead><tr>${["model", "metric", "slice", "on the base's rows", "on the candidate's rows"].map((name) => `<th scope="col">${name}</th>`).join("")}</tr></thead><tbody>${taken.join("")}</tbody></table>${left === 0 ? "" : `… ${counted(left, "more figure")} in verdict.json.`}</details>`;
  return `<div class="warn"><b>${first}.</b> ${rest.join(". ")}<table><thead><tr><th scope="col">data</th><th scope="col">base → candidate</th></tr></thead><tbody>${takeWithin(described, budget).taken.join("")}</tbody></table>${measured}</div>`;
}

function rules({ rules: effect }: ModelVerdict, budget: Budget): string {
  if (effect === undefined) return "";
  const { headline, rules: list, figures } = rulesText(effect);
  const cells = (texts: readonly string[]) => texts.map((text) => `<td class="n">${htmlText(text)}</td>`).join("");
  const tableOf = (heads: readonly string[], rows: readonly string[]) => {
    const { taken, left } = takeWithin(rows, budget);
    const columns = heads.map((head, i) => `<th scope="col"${i === 0 ? "" : ' class="n"'}>${head}</th>`).join("");
    return `<div class="scroll" tabindex="0" role="region" aria-label="${heads[0]}"><table><thead><tr>${columns}</tr></thead><tbody>${taken.join("")}</tbody></table></div>${left === 0 ? "" : `<p>… ${counted(left, "more row")} in verdict.json.</p>`}`;
  };
  return `<h3>Rules beside the model</h3><p>${htmlText(cut(headline, 300))} An answer is gained where the rules turn it right, or nearer to the true value. A row counts for every rule that fired for it.</p>${tableOf(
    ["rule", "rows", "gained", "lost", ""],
    list.map(
      (one) =>
        `<tr><td><code>${htmlText(cut(one.id, 80))}</code></td>${cells([one.fired, one.gained, one.lost, one.remark])}</tr>`,
    ),
  )}${
    figures.length === 0
      ? ""
      : tableOf(
          ["metric", "without rules", "with rules", "difference"],
          figures.map(
            (one) =>
              `<tr><td><code>${htmlText(cut(one.metric, 200))}</code></td>${cells([one.without, one.withRules, one.difference])}</tr>`,
          ),
        )
  }`;
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
      `<div><dt>${one.figure}</dt><dd>${htmlText(one.candidate)}${one.baseline === "—" ? "" : ` <small>baseline ${htmlText(one.baseline)}</small>`}</dd></div>`,
  );
  if (batches.length === 0 && figures.length === 0) return "";
  const cost = costSentence(...sides);
  const table =
    batches.length === 0
      ? ""
      : `<div class="scroll" tabindex="0" role="region" aria-label="Latency per batch size"><table><thead><tr><th scope="col" class="n">batch</th><th scope="col">model</th>${["p50 ms", "p95 ms", "p99 ms", "rows/s"].map((head) => `<th scope="col" class="n">${head}</th>`).join("")}</tr></thead><tbody>${batches.join("")}</tbody></table></div>`;
  return `<h3>Latency, memory and size</h3><dl class="facts">${figures.join("")}</dl>${cost === null ? "" : `<p class="faint">${withCode(cost)}</p>`}${table}`;
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
