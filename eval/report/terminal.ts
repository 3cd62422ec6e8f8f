import picocolors from "picocolors";
import type { MetricsFile } from "../schema/metrics.ts";
import type { Check, DatasetChange, ModelIdentity, ModelVerdict, VerdictFile, VerdictWord } from "../schema/verdict.ts";
import { betterArrow } from "./content/better-arrow.ts";
import { checkName, checkNumbers } from "./content/check-numbers.ts";
import { shownSignature } from "./content/signature.ts";
import { byAttention, tally } from "./content/check-order.ts";
import { datasetChangeText } from "./content/dataset-change.ts";
import { rulesText } from "./content/rules.ts";
import { falseRedSentence, honestCandidate } from "./content/false-red.ts";
import { costSentence, wearSentence } from "./content/running-cost.ts";
import { checkWord } from "./content/check-word.ts";
import { intervalHeading } from "./content/levels.ts";
import { nextSteps } from "./content/next-steps.ts";
import { sources } from "./content/sources.ts";
import { count, counted, countedRows, percent, shortDigest } from "./text/format.ts";
import { ascii, type Glyphs, unicode } from "./text/glyphs.ts";
import { batchRows, figureRows, metricsOf } from "./content/performance-rows.ts";
import { type Column, displayWidth, naturalWidth, renderTable, type Row, wrap } from "./terminal-table.ts";
import { cut, oneLine, valueText } from "./text/text.ts";

export type TerminalOptions = {
  color: boolean;
  /** Columns of the terminal; clamped to 80 … 140. */
  width: number;
  /** Only ASCII characters, for TERM=dumb and log files. */
  plain?: boolean;
  /** Most PASS rows shown per model. Of all other rows, up to ten times as many are shown. */
  maxRows?: number;
};

type Style = { glyphs: Glyphs; width: number; colors: ReturnType<typeof picocolors.createColors>; maxRows: number };

/**
 * The verdict for a person at a terminal: per model its checks and latency, then a last line for each model and for
 * all. Text from outside is stripped of control characters; no line is wider than `width`.
 */
export function renderTerminal(verdict: VerdictFile, metrics: MetricsFile | null, options: TerminalOptions): string {
  const style: Style = {
    glyphs: options.plain === true ? ascii : unicode,
    width: Math.min(140, Math.max(80, Math.floor(options.width))),
    colors: picocolors.createColors(options.color),
    maxRows: options.maxRows ?? 40,
  };
  const models = verdict.models.map((model) => renderModel(model, metrics, style));
  const last = verdict.models.map((model) =>
    conclusion(
      model.verdict,
      `${oneLine(model.model.id)} ${oneLine(model.model.version)}: ${sentence(model.reason)}`,
      style,
    ),
  );
  const overall =
    verdict.models.length === 1 ? [] : [conclusion(verdict.verdict, `overall: ${sentence(verdict.reason)}`, style)];
  return `${[...models, [...last, ...overall].join("\n")].join("\n\n")}\n`;
}

function renderModel(model: ModelVerdict, metrics: MetricsFile | null, style: Style): string {
  const { glyphs, colors } = style;
  const sides = metricsOf(metrics, model);
  const parts = [heading(model, style)];
  if (model.checks.length > 0) parts.push(`${checkTable(model.checks, style)}\n\n${legend(model.checks, style)}`);
  const falseRed = falseRedSentence(model, honestCandidate(model));
  const dim = (text: string) =>
    wrap(oneLine(text), style.width - 1)
      .map((line) => ` ${colors.dim(line)}`)
      .join("\n");
  if (falseRed !== null) parts.push(dim(falseRed));
  const wear = wearSentence(model);
  if (wear !== null) parts.push(dim(wear));
  const cost = costSentence(sides.candidate?.performance ?? null, sides.baseline?.performance ?? null, glyphs);
  const performance = [
    batchTable(sides, style),
    figureLine(sides, style),
    ...(cost === null ? [] : [dim(cost.replaceAll("`", ""))]),
  ].filter((part) => part !== "");
  if (performance.length > 0) parts.push(performance.join("\n\n"));
  const changes = model.policyChanges.map(
    (change) =>
      `${oneLine(change.path)}: ${valueText(change.base, 60)} ${glyphs.arrow} ${valueText(change.candidate, 60)}`,
  );
  if (changes.length > 0)
    parts.push(
      list(colors.yellow("This candidate changes the gate's settings (judged by the first):"), changes, style),
    );
  if (model.datasetChange !== undefined) parts.push(dataChange(model.datasetChange, style));
  if (model.rules !== undefined) parts.push(rulesChange(model.rules, style));
  if (model.notes.length > 0) parts.push(list("Notes:", model.notes.map(sentence), style));
  const steps = nextSteps(model);
  if (steps.length > 0) parts.push(list("What to do:", steps.map(sentence), style));
  return parts.join("\n\n");
}

/** Figures over all rows; those of slices are in the report. */
function dataChange(change: DatasetChange, style: Style): string {
  const { headline, facts, figures } = datasetChangeText(change, style.glyphs);
  const described = facts.map(
    ({ what, text }) => `${oneLine(what)}: ${cut(oneLine(text), 400, style.glyphs.ellipsis)}`,
  );
  const measured = figures
    .filter(({ slice }) => slice === "all")
    .map((one) => `${one.who}, ${oneLine(one.metric)}: ${one.base} ${style.glyphs.arrow} ${one.candidate}`);
  return list(style.colors.yellow(headline.replace(/\.$/, ":")), [...described, ...measured], style);
}

function rulesChange(effect: NonNullable<ModelVerdict["rules"]>, style: Style): string {
  const { headline, rules, figures } = rulesText(effect, style.glyphs);
  const fired = rules.map(
    (one) =>
      `${oneLine(one.id)}: ${one.fired} rows, ${one.gained} gained, ${one.lost} lost${one.remark === "" ? "" : `; ${one.remark}`}`,
  );
  const measured = figures
    .filter(({ without, withRules }) => without !== withRules)
    .map((one) => `${oneLine(one.metric)}: ${one.without} without, ${one.withRules} with rules (${one.difference})`);
  return list(headline.replace(/\.$/, ":"), [...fired, ...measured], style);
}

function heading(model: ModelVerdict, { glyphs, colors, width }: Style): string {
  const { baseline, dataset } = model;
  const from = sources(model);
  const against =
    baseline !== null
      ? ` against baseline ${oneLine(baseline.version)}`
      : from.baseline === null
        ? ""
        : " without a baseline";
  const title = `${oneLine(model.model.id)}: candidate ${oneLine(model.model.version)}${against}`;
  const rows =
    dataset === null
      ? "no dataset"
      : `${countedRows(dataset)} of ${oneLine(dataset.id)}${dataset.badRows > 0 ? `, ${counted(dataset.badRows, "unreadable row")}` : ""}`;
  const lines = [
    `${model.model.task} ${glyphs.dot} ${rows}`,
    `candidate ${digest(model.model)}${from.baseline === null ? "" : ` ${glyphs.dot} ${baseline === null ? "no baseline: " : `baseline ${digest(baseline)}, `}${oneLine(from.baseline)}`}`,
    ...(from.thresholds === null ? [] : [`thresholds from ${oneLine(from.thresholds)}`]),
  ]
    .flatMap((line) => wrap(line, width - 2))
    .map((line) => colors.dim(`  ${line}`));
  return [...wrap(title, width).map((line) => colors.bold(line)), ...lines].join("\n");
}

function digest(model: ModelIdentity): string {
  return `sha256 ${shortDigest(oneLine(model.sha256))}`;
}

/** Layouts from widest to narrowest. The first that fits is used; if none fits, the last one wraps its first column. */
const layouts = [
  { split: false, merged: false, brokenRule: false },
  { split: true, merged: false, brokenRule: false },
  { split: true, merged: true, brokenRule: false },
  { split: true, merged: false, brokenRule: true },
  { split: true, merged: true, brokenRule: true },
];

function checkTable(checks: readonly Check[], style: Style): string {
  const ordered = byAttention(checks);
  const open = ordered.filter((check) => check.verdict !== "PASS").slice(0, style.maxRows * 10);
  const passed = ordered.filter((check) => check.verdict === "PASS").slice(0, style.maxRows);
  const shown = [...open, ...passed];
  const sliced = shown.some((check) => check.slice !== "all");
  const made = layouts.map((layout) => checkLayout(shown, { ...layout, sliced }, style));
  const chosen = made.find(({ columns, rows }) => naturalWidth(columns, rows) <= style.width) ?? made.at(-1);
  if (chosen === undefined) return "";
  const left = checks.length - shown.length;
  const more = left === 0 ? "" : `\n\n ${style.glyphs.ellipsis} ${counted(left, "more check")} in report.html`;
  return renderTable(chosen.columns, chosen.rows, style.width, style.glyphs) + more;
}

function checkLayout(
  checks: readonly Check[],
  layout: { split: boolean; merged: boolean; brokenRule: boolean; sliced: boolean },
  style: Style,
): { columns: Column[]; rows: Row[] } {
  const ownSlice = layout.sliced && !layout.merged;
  const interval = intervalHeading(checks.map((check) => check.interval));
  const columns: Column[] = [
    { head: ownSlice || !layout.sliced ? "metric" : "metric, slice", flexible: true },
    ...(ownSlice ? [{ head: "slice", flexible: true }] : []),
    { head: "candidate", align: "right" },
    { head: "baseline", align: "right" },
    { head: layout.split ? `difference,\n${interval}` : "difference", align: "right" },
    ...(layout.split ? [] : [{ head: interval.replace(" ", "\n") }]),
    { head: "rule" },
    { head: "verdict" },
  ];
  const rows = checks.map((check): Row => {
    const numbers = checkNumbers(check, style.glyphs);
    const unit = numbers.unit === "" || check.metric.endsWith(`_${numbers.unit}`) ? "" : ` (${oneLine(numbers.unit)})`;
    const metric = `${oneLine(checkName(check))} ${betterArrow(check, style.glyphs)}${unit}`;
    const slice = cut(oneLine(check.slice), 60, style.glyphs.ellipsis);
    const rule = layout.brokenRule ? numbers.rule.replace(/ (?=[<>])/, "\n") : numbers.rule;
    const { verdict, text, aside } = checkWord(check);
    const word =
      (verdict === null ? style.colors.dim(text) : verdictColor(verdict, style)(text)) +
      (aside === "" ? "" : `\n${style.colors.dim(`(${aside})`)}`);
    return {
      cells: [
        layout.merged && layout.sliced && check.slice !== "all" ? `${metric}\n${slice}` : metric,
        ...(ownSlice ? [slice] : []),
        numbers.candidate,
        numbers.baseline,
        ...(layout.split
          ? [[numbers.difference, numbers.interval].filter((one) => one !== "").join("\n")]
          : [numbers.difference, numbers.interval]),
        rule,
        word,
      ],
      ...below(check, style),
    };
  });
  return { columns, rows };
}

/** Why a check is not PASS, and the signature of its metric. */
function below(check: Check, { glyphs }: Style): { below?: string } {
  const lines = [
    ...(check.verdict === "PASS" ? [] : [cut(sentence(check.reason), 600, glyphs.ellipsis)]),
    ...[shownSignature(check)].filter((signature) => signature !== null).map(oneLine),
  ];
  return lines.length === 0 ? {} : { below: lines.join("; ") };
}

function legend(checks: readonly Check[], { glyphs, colors, width }: Style): string {
  const levels = [...new Set(checks.flatMap((check) => (check.interval === null ? [] : [check.interval.level])))];
  const parts = [
    tally(checks),
    `${glyphs.higher} higher is better, ${glyphs.lower} lower is better`,
    ...(checks.some((check) => check.kind === "non-inferiority") ? ["loss: how much worse than the baseline"] : []),
    ...(checks.some((check) => check.kind === "superiority") ? ["gain: how much better than the baseline"] : []),
    ...(levels.length === 0 ? [] : [levelSentence(levels)]),
    ...(checks.some((check) => checkWord(check).aside === "advisory") ? ["advisory: shown, does not decide"] : []),
    ...(checks.some((check) => check.waiver !== undefined) ? ["waived: does not decide, by waivers.yaml"] : []),
  ];
  return wrap(parts.join(". "), width - 1)
    .map((line) => ` ${colors.dim(line)}`)
    .join("\n");
}

/** "90% intervals of the difference (for a limit: of the candidate's value), so that each end errs 5% of the time" */
function levelSentence(levels: readonly number[]): string {
  const errs = levels.map((level) => percent((1 - level) / 2)).join(", ");
  return `${levels.map(percent).join(", ")} intervals of the difference (for a limit: of the candidate's value), so that either end errs ${errs} of the time`;
}

function batchTable({ candidate, baseline }: ReturnType<typeof metricsOf>, style: Style): string {
  const rows = batchRows(candidate?.performance ?? null, baseline?.performance ?? null, style.glyphs);
  if (rows.length === 0) return "";
  const columns: Column[] = [
    { head: "batch", align: "right" },
    { head: "model" },
    { head: "p50 ms", align: "right" },
    { head: "p95 ms", align: "right" },
    { head: "p99 ms", align: "right" },
    { head: "rows/s", align: "right" },
  ];
  return renderTable(
    columns,
    rows.map((row) => ({ cells: [row.batch, row.who, row.p50, row.p95, row.p99, row.rowsPerSecond] })),
    style.width,
    style.glyphs,
  );
}

function figureLine({ candidate, baseline }: ReturnType<typeof metricsOf>, { glyphs, width }: Style): string {
  const rows = figureRows(candidate?.performance ?? null, baseline?.performance ?? null, glyphs);
  const line = rows
    .map((row) => `${row.figure} ${row.candidate}${row.baseline === glyphs.dash ? "" : ` (baseline ${row.baseline})`}`)
    .join(` ${glyphs.dot} `);
  return line === ""
    ? ""
    : wrap(line, width - 1)
        .map((text) => ` ${text}`)
        .join("\n");
}

function list(title: string, items: readonly string[], { glyphs, width }: Style): string {
  const shown = items
    .slice(0, 20)
    .flatMap((item) => wrap(item, width - 4).map((line, i) => `${i === 0 ? "  - " : "    "}${line}`));
  const left = items.length - 20;
  return [title, ...shown, ...(left > 0 ? [`  ${glyphs.ellipsis} ${count(left)} more in report.html`] : [])].join("\n");
}

function conclusion(word: VerdictWord, text: string, style: Style): string {
  const head = word.padEnd(12);
  const lines = wrap(cut(text, 1_000, style.glyphs.ellipsis), style.width - displayWidth(head) - 1);
  return lines
    .map((line, i) =>
      i === 0 ? `${verdictColor(word, style)(style.colors.bold(head))} ${line}` : `${" ".repeat(head.length)} ${line}`,
    )
    .join("\n");
}

function verdictColor(word: VerdictWord, { colors }: Style): (text: string) => string {
  switch (word) {
    case "PASS":
      return colors.green;
    case "FAIL":
    case "ERROR":
      return colors.red;
    case "INCONCLUSIVE":
      return colors.yellow;
    case "INCOMPARABLE":
      return colors.magenta;
  }
}

function sentence(text: string): string {
  return oneLine(text).replace(/\.$/, "");
}
