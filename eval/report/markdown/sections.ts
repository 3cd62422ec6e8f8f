import type { MetricsFile } from "../../schema/metrics.ts";
import type { Check, ModelVerdict } from "../../schema/verdict.ts";
import { checkName, checkNumbers } from "../content/check-numbers.ts";
import { byAttention, tally } from "../content/check-order.ts";
import { datasetChangeText } from "../content/dataset-change.ts";
import { falseRedSentence } from "../content/false-red.ts";
import { counted, countedRows, percent, shortDigest, significant } from "../text/format.ts";
import { batchRows, figureRows, metricsOf } from "../content/performance-rows.ts";
import { forestRow } from "../series/forest.ts";
import { sliceSpreads } from "../content/slice-spread.ts";
import { valueText } from "../text/text.ts";
import { verdictMark } from "../text/verdict-mark.ts";
import { intervalBar, sparkline } from "./bars.ts";
import { markdownCode, markdownCut } from "../text/escape-markdown.ts";
import type { Section } from "./fit.ts";

/** A reason that says no more than the counts beside it. */
const everyCheckPasses = /^all \d+ deciding checks pass$/;

/** An overview for several models: one row each, worst first. */
export function overviewSection(models: readonly ModelVerdict[]): Section {
  return {
    name: "models",
    priority: 0,
    group: "",
    open: table(["verdict", "model", "candidate", "baseline", "checks", "why"]),
    items: models.map((one) =>
      row([
        `${verdictMark[one.verdict]} ${one.verdict}`,
        markdownCut(one.model.id, 100),
        markdownCut(one.model.version, 60),
        one.baseline === null ? "none" : markdownCut(one.baseline.version, 60),
        tally(one.checks),
        markdownCut(one.reason, 300),
      ]),
    ),
    close: "\n",
    more: (left) => `\n… ${counted(left, "more model")} in report.html\n`,
  };
}

/** Everything about one model, in reading order. `leadSentence` is already printed above and is not repeated. */
export function modelSections(
  model: ModelVerdict,
  metrics: MetricsFile | null,
  group: string,
  leadSentence: string,
): Section[] {
  const ordered = byAttention(model.checks);
  const open = ordered.filter((check) => check.verdict !== "PASS");
  const passed = ordered.filter((check) => check.verdict === "PASS");
  return [
    headSection(model, group, leadSentence),
    ...listOf(
      model.policyChanges.length === 0
        ? []
        : model.policyChanges.map((change) =>
            row([
              markdownCode(change.path),
              `${markdownCode(valueText(change.base))} → ${markdownCode(valueText(change.candidate))}`,
            ]),
          ),
      {
        name: "changed gate settings",
        priority: 10,
        group,
        open: `\n**This candidate changes the gate's settings.** It was judged by the first of each:\n\n${table(["setting", "base → candidate"])}`,
        close: "\n",
        more: (left) => `\n… ${counted(left, "more changed setting")} in report.html\n`,
      },
    ),
    ...dataSections(model, group),
    ...listOf(
      open.map((check) => checkLine(check, true)),
      {
        name: "checks that are not PASS",
        priority: 11,
        group,
        open: `\n${checkHead(open, true)}`,
        close: "\n",
        more: moreChecks,
      },
    ),
    ...passedSection(passed, open.length > 0, group),
    ...falseRedSection(model, group),
    ...listOf(
      model.notes.map((note) => `- ${markdownCut(note, 500)}\n`),
      {
        name: "notes",
        priority: 20,
        group,
        open: "\n**Notes**\n\n",
        close: "\n",
        more: (left) => `- … ${counted(left, "more note")} in report.html\n`,
      },
    ),
    ...sliceSection(model, metrics, group),
    ...performanceSections(model, metrics, group),
  ];
}

function dataSections({ datasetChange }: ModelVerdict, group: string): Section[] {
  if (datasetChange === undefined) return [];
  const { headline, facts, figures } = datasetChangeText(datasetChange);
  return [
    ...listOf(
      facts.map(({ what, text }) => row([markdownCut(what, 100), markdownCut(text, 300)])),
      {
        name: "changed data",
        priority: 10,
        group,
        open: `\n**${headline.replace(". ", ".** ")}\n\n${table(["data", "base → candidate"])}`,
        close: "\n",
        more: (left) => `\n… ${counted(left, "more fact")} in report.html\n`,
      },
    ),
    ...listOf(
      figures.map((one) =>
        row([
          one.who,
          `<code>${markdownCut(one.metric, 120)}</code>`,
          one.slice === "all" ? "all" : markdownCode(one.slice, 160),
          one.base,
          one.candidate,
        ]),
      ),
      {
        name: "figures on both versions of the data",
        priority: 23,
        group,
        open: `\n<details><summary>The same models on both versions of the data</summary>\n\n${table(["model", "metric", "slice", "on the base's rows", "on the candidate's rows"])}`,
        close: "\n</details>\n",
        more: (left) => `\n… ${counted(left, "more figure")} in report.html\n`,
      },
    ),
  ];
}

function falseRedSection(model: ModelVerdict, group: string): Section[] {
  const sentence = falseRedSentence(model);
  return sentence === null
    ? []
    : [
        whole({
          name: "expected false-red rate",
          priority: 22,
          group,
          heads: false,
          text: `\n<sub>${markdownCut(sentence, 500)}.</sub>\n`,
        }),
      ];
}

function headSection(model: ModelVerdict, group: string, leadSentence: string): Section {
  const { baseline, dataset } = model;
  const facts = [
    model.model.task,
    dataset === null
      ? "no dataset"
      : `${countedRows(dataset)} of ${markdownCode(dataset.id, 100)}${dataset.badRows > 0 ? ` (${counted(dataset.badRows, "unreadable row")})` : ""}`,
    `candidate ${markdownCode(shortDigest(model.model.sha256), 40)}`,
    `${baseline === null ? "no baseline" : `baseline ${markdownCode(shortDigest(baseline.sha256), 40)}`}: ${markdownCut(model.baselineSource, 200)}`,
    `thresholds from ${markdownCut(model.policySource, 200)}`,
  ];
  const against = baseline === null ? "without a baseline" : `against ${markdownCut(baseline.version, 60)}`;
  return whole({
    name: "models",
    priority: 1,
    group,
    heads: true,
    text: `\n### ${verdictMark[model.verdict]} ${markdownCut(model.model.id, 100)} ${markdownCut(model.model.version, 60)} ${against}: ${model.verdict}\n\n${model.reason === leadSentence || everyCheckPasses.test(model.reason) ? "" : `${markdownCut(model.reason, 500)} — `}${tally(model.checks)}\n\n<sub>${facts.join(" · ")}</sub>\n`,
  });
}

const fewPassed = 6;

function passedSection(passed: readonly Check[], othersAreOpen: boolean, group: string): Section[] {
  const collapsed = othersAreOpen || passed.length > fewPassed;
  const title = `${counted(passed.length, "check")} PASS`;
  return listOf(
    passed.map((check) => checkLine(check, false)),
    {
      name: "checks that PASS",
      priority: 21,
      group,
      open: collapsed
        ? `\n<details><summary>${title}</summary>\n\n${checkHead(passed, false)}`
        : `\n${checkHead(passed, false)}`,
      close: collapsed ? "\n</details>\n" : "\n",
      more: moreChecks,
    },
  );
}

function checkHead(checks: readonly Check[], withReason: boolean): string {
  const levels = new Set(checks.flatMap((check) => (check.interval === null ? [] : [percent(check.interval.level)])));
  const interval = levels.size === 1 ? `${[...levels][0] ?? ""} interval` : "interval";
  return table([
    "verdict",
    "metric",
    "slice",
    "candidate",
    "baseline",
    `difference, ${interval}`,
    "rule",
    "worse ┊ better",
    ...(withReason ? ["why"] : []),
  ]);
}

function checkLine(check: Check, withReason: boolean): string {
  const numbers = checkNumbers(check);
  const unit =
    numbers.unit === "" || check.metric.endsWith(`_${numbers.unit}`) ? "" : ` ${markdownCut(numbers.unit, 30)}`;
  const level = check.interval === null || check.interval.level === 0.9 ? "" : ` (${percent(check.interval.level)})`;
  const forest = forestRow(check);
  return row([
    `${verdictMark[check.verdict]} ${check.verdict}${check.advisory ? (check.waiver === undefined ? " (advisory)" : " (waived)") : ""}`,
    `<code>${markdownCut(checkName(check), 120)}</code>${check.direction === "higher" ? "↑" : "↓"}${unit}`,
    check.slice === "all" ? "all" : markdownCode(check.slice, 160),
    check.kind === "limit" && numbers.interval !== "" ? `${numbers.candidate} ${numbers.interval}` : numbers.candidate,
    numbers.baseline,
    check.kind === "limit" ? numbers.difference : `${numbers.difference} ${numbers.interval}${level}`.trim(),
    numbers.rule,
    forest === null ? "" : `<code>${intervalBar(forest)}</code>`,
    ...(withReason ? [markdownCut(check.reason, 400)] : []),
  ]);
}

function sliceSection(model: ModelVerdict, metrics: MetricsFile | null, group: string): Section[] {
  const spreads = sliceSpreads(metricsOf(metrics, model).candidate);
  return listOf(
    spreads.map((spread) =>
      row([
        `<code>${markdownCut(spread.label, 120)}</code>${spread.direction === "higher" ? "↑" : "↓"}`,
        spread.all === null ? "—" : significant(spread.all),
        `${significant(spread.worst.value)} ${markdownCode(spread.worst.slice, 120)}`,
        `${significant(spread.best.value)} ${markdownCode(spread.best.slice, 120)}`,
        `<code>${sparkline(spread.values.slice(0, 60).map(({ value }) => value))}</code> ${counted(spread.values.length, "slice")}`,
      ]),
    ),
    {
      name: "slices",
      priority: 40,
      group,
      open: `\n<details><summary>Slices of the candidate</summary>\n\n${table(["metric", "all rows", "worst slice", "best slice", "spread"])}`,
      close: "\n</details>\n",
      more: (left) => `\n… ${counted(left, "more metric")} in report.html\n`,
    },
  );
}

function performanceSections(model: ModelVerdict, metrics: MetricsFile | null, group: string): Section[] {
  const { candidate, baseline } = metricsOf(metrics, model);
  const sides = [candidate?.performance ?? null, baseline?.performance ?? null] as const;
  const batches = batchRows(...sides);
  if (batches.length === 0) return [];
  const figures = figureRows(...sides)
    .map((one) => `${one.figure} ${one.candidate}${one.baseline === "—" ? "" : ` (baseline ${one.baseline})`}`)
    .join(" · ");
  return listOf(
    batches.map((one) => row([one.batch, one.who, one.p50, one.p95, one.p99, one.rowsPerSecond])),
    {
      name: "latency",
      priority: 41,
      group,
      open: `\n<details><summary>Latency, memory and size</summary>\n\n${figures}\n\n${table(["batch", "model", "p50 ms", "p95 ms", "p99 ms", "rows/s"])}`,
      close: "\n</details>\n",
      more: (left) => `\n… ${counted(left, "more row")} in report.html\n`,
    },
  );
}

function moreChecks(left: number): string {
  return `\n… ${counted(left, "more check")} in report.html\n`;
}

function listOf(items: string[], frame: Omit<Section, "items">): Section[] {
  return items.length === 0 ? [] : [{ ...frame, items }];
}

function whole({
  text,
  ...frame
}: {
  name: string;
  priority: number;
  group: string;
  heads: boolean;
  text: string;
}): Section {
  return { ...frame, open: text, items: [], close: "", more: () => "" };
}

function table(heads: readonly string[]): string {
  return row(heads) + row(heads.map(() => "---"));
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |\n`;
}
