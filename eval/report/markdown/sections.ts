import { pText, restsOnT } from "../../judge/slice-regressions.ts";
import type { MetricsFile } from "../../schema/metrics.ts";
import type { Check, ModelVerdict } from "../../schema/verdict.ts";
import { augmentationTables } from "../content/augmentations.ts";
import { betterArrow } from "../content/better-arrow.ts";
import { checkName, checkNumbers } from "../content/check-numbers.ts";
import { byAttention, tally } from "../content/check-order.ts";
import { datasetChangeText } from "../content/dataset-change.ts";
import { rulesText } from "../content/rules.ts";
import { falseRedSentence, honestCandidate } from "../content/false-red.ts";
import { costSentence, wearSentence } from "../content/running-cost.ts";
import { count, counted, countedRows, percent, shortDigest, significant } from "../text/format.ts";
import { batchRows, figureRows, metricsOf } from "../content/performance-rows.ts";
import { forestRow } from "../series/forest.ts";
import { forestScale, type ForestScale } from "../series/forest-scale.ts";
import { shownSignature } from "../content/signature.ts";
import { sliceLosses } from "../content/slice-losses.ts";
import { sliceRankings } from "../content/slice-ranking.ts";
import type { PlotData } from "../content/plot-data.ts";
import { sources } from "../content/sources.ts";
import { nextSteps } from "../content/next-steps.ts";
import { checkWord, hasNoBaseline } from "../content/check-word.ts";
import { commonLevel, intervalHeading } from "../content/levels.ts";
import { valueText } from "../text/text.ts";
import { verdictMark } from "../text/verdict-mark.ts";
import { intervalBar } from "./bars.ts";
import { markdownCode, markdownCut } from "../text/escape-markdown.ts";
import type { Section } from "./fit.ts";
import { taskSections } from "./tasks.ts";

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

/**
 * Everything about one model, in reading order: why, what to do, and the rest.
 *
 * @param only whether the report is about this model only; its verdict and reason then stand in the report's heading
 * @param heads what its heads predicted, row by row
 */
export function modelSections(
  model: ModelVerdict,
  metrics: MetricsFile | null,
  group: string,
  only: boolean,
  heads: readonly PlotData[],
): Section[] {
  const ordered = byAttention(model.checks);
  const scale = forestScale(ordered.map(forestRow).filter((one) => one !== null));
  const alone = ordered.filter(hasNoBaseline);
  const open = ordered.filter((check) => check.verdict !== "PASS" && !hasNoBaseline(check));
  const ownLevel = !sameLevel(open);
  const passed = ordered.filter((check) => check.verdict === "PASS");
  return [
    headSection(model, group, only),
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
    ...rulesSections(model, group),
    ...listOf(
      open.map((check) => checkLine(check, true, scale, ownLevel)),
      {
        name: "checks that are not PASS",
        priority: 11,
        group,
        open: `\n${checkHead(open, true, scale)}`,
        close: "\n",
        more: moreChecks,
      },
    ),
    ...stepSection(model, group),
    ...quietSection(passed, `${counted(passed.length, "check")} PASS`, open.length > 0, group, scale),
    ...quietSection(alone, `${counted(alone.length, "check")} without a baseline`, open.length > 0, group, scale),
    ...falseRedSection(model, group),
    ...wearSection(model, group),
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
    ...augmentationSection(model, metrics, group),
    ...lossSection(model, group),
    ...sliceSection(model, metrics, group),
    ...taskSections(heads, group),
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

function rulesSections({ rules }: ModelVerdict, group: string): Section[] {
  if (rules === undefined) return [];
  const { headline, rules: list, figures } = rulesText(rules);
  return [
    ...listOf(
      list.map((one) => row([markdownCode(one.id, 80), one.fired, one.gained, one.lost, one.remark])),
      {
        name: "rules",
        priority: 13,
        group,
        open: `\n**${markdownCut(headline, 300)}**\n\n${table(["rule", "rows", "gained", "lost", ""])}`,
        close: "\n",
        more: (left) => `\n… ${counted(left, "more rule")} in report.html\n`,
      },
    ),
    ...listOf(
      figures.map((one) =>
        row([`<code>${markdownCut(one.metric, 120)}</code>`, one.without, one.withRules, one.difference]),
      ),
      {
        name: "figures with and without rules",
        priority: 24,
        group,
        open: `\n<details><summary>The model with its rules and without them</summary>\n\n${table(["metric", "without rules", "with rules", "difference"])}`,
        close: "\n</details>\n",
        more: (left) => `\n… ${counted(left, "more figure")} in report.html\n`,
      },
    ),
  ];
}

function falseRedSection(model: ModelVerdict, group: string): Section[] {
  const sentence = falseRedSentence(model, honestCandidate(model));
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

function wearSection(model: ModelVerdict, group: string): Section[] {
  const sentence = wearSentence(model);
  const text = `\n<sub>${markdownCut(sentence ?? "", 500)}</sub>\n`;
  return sentence === null ? [] : [whole({ name: "wear of the test set", priority: 23, group, heads: false, text })];
}

function stepSection(model: ModelVerdict, group: string): Section[] {
  return listOf(
    nextSteps(model).map((step) => `- ${withCode(step)}\n`),
    {
      name: "what to do",
      priority: 12,
      group,
      open: "\n**What to do**\n\n",
      close: "\n",
      more: () => "",
    },
  );
}

/** Escaping trims a text; the spaces beside a piece of code stay. */
const spaced = (text: string, escaped: string) =>
  `${text.startsWith(" ") ? " " : ""}${escaped}${text.length > 1 && text.endsWith(" ") ? " " : ""}`;

/** Our own sentence, with what stands between back-quotes as code. */
function withCode(text: string): string {
  return text
    .split("`")
    .map((part, i) => (i % 2 === 1 ? markdownCode(part) : spaced(part, markdownCut(part, 400))))
    .join("");
}

function headSection(model: ModelVerdict, group: string, only: boolean): Section {
  const { baseline, dataset } = model;
  const from = sources(model);
  const facts = [
    model.model.task,
    dataset === null
      ? "no dataset"
      : `${countedRows(dataset)} of ${markdownCode(dataset.id, 100)}${dataset.badRows > 0 ? ` (${counted(dataset.badRows, "unreadable row")})` : ""}`,
    `candidate ${markdownCode(shortDigest(model.model.sha256), 40)}`,
    ...(from.baseline === null
      ? []
      : [
          `${baseline === null ? "no baseline" : `baseline ${markdownCode(shortDigest(baseline.sha256), 40)}`}: ${markdownCut(from.baseline, 200)}`,
        ]),
    ...(from.thresholds === null ? [] : [`thresholds from ${markdownCut(from.thresholds, 200)}`]),
  ];
  const against = baseline === null ? "without a baseline" : `against ${markdownCut(baseline.version, 60)}`;
  const name = `${markdownCut(model.model.id, 100)} ${markdownCut(model.model.version, 60)}`;
  const counts = model.checks.length === 0 ? "" : `${tally(model.checks)}.`;
  const lead = only
    ? counts
    : `\n### ${verdictMark[model.verdict]} ${name} ${against}: ${model.verdict}\n\n${markdownCut(model.reason, 500)}${counts === "" ? "" : ` — ${counts}`}`;
  return whole({
    name: "models",
    priority: 1,
    group,
    heads: true,
    text: `${lead === "" ? "" : `${lead}\n\n`}<sub>${[...(only && from.baseline !== null ? [against] : []), ...facts].join(" · ")}</sub>\n`,
  });
}

const fewQuiet = 6;

/** Checks that ask nothing of the reader: folded away beside those that do, or when they are many. */
function quietSection(
  checks: readonly Check[],
  title: string,
  othersAreOpen: boolean,
  group: string,
  scale: ForestScale,
): Section[] {
  const collapsed = othersAreOpen || checks.length > fewQuiet;
  const withReason = checks.some(hasNoBaseline);
  const head = checkHead(checks, withReason, scale);
  const ownLevel = !sameLevel(checks);
  return listOf(
    checks.map((check) => checkLine(check, withReason, scale, ownLevel)),
    {
      name: withReason ? "checks without a baseline" : "checks that PASS",
      priority: 21,
      group,
      open: collapsed ? `\n<details><summary>${title}</summary>\n\n${head}` : `\n${head}`,
      close: collapsed ? "\n</details>\n" : "\n",
      more: moreChecks,
    },
  );
}

const sameLevel = (checks: readonly Check[]) => commonLevel(checks.map((check) => check.interval)) !== null;

function checkHead(checks: readonly Check[], withReason: boolean, scale: ForestScale): string {
  return table([
    "verdict",
    "metric",
    "slice",
    "candidate",
    "baseline",
    `difference, ${intervalHeading(checks.map((check) => check.interval))}`,
    "rule",
    scale.linear ? "worse ┊ better" : "worse ┊ better (log)",
    ...(withReason ? ["why"] : []),
  ]);
}

/** @param ownLevel whether the row names its interval's level, because the heading cannot */
function checkLine(check: Check, withReason: boolean, scale: ForestScale, ownLevel: boolean): string {
  const numbers = checkNumbers(check);
  const unit =
    numbers.unit === "" || check.metric.endsWith(`_${numbers.unit}`) ? "" : ` ${markdownCut(numbers.unit, 30)}`;
  const level = check.interval === null || !ownLevel ? "" : ` (${percent(check.interval.level)})`;
  const forest = forestRow(check);
  const signature = shownSignature(check);
  const { verdict, text, aside } = checkWord(check);
  return row([
    `${verdict === null ? "" : `${verdictMark[verdict]} `}${text}${aside === "" ? "" : ` (${aside})`}`,
    `<code>${markdownCut(checkName(check), 120)}</code>${betterArrow(check)}${unit}${signature === null ? "" : `<br><sub>${markdownCut(signature, 200)}</sub>`}`,
    check.slice === "all" ? "all" : markdownCode(check.slice, 160),
    check.kind === "limit" && numbers.interval !== ""
      ? `${numbers.candidate} ${numbers.interval}${level}`
      : numbers.candidate,
    numbers.baseline,
    check.kind === "limit" ? numbers.difference : `${numbers.difference} ${numbers.interval}${level}`.trim(),
    numbers.rule,
    forest === null ? "" : `<code>${intervalBar(forest, scale)}</code>`,
    ...(withReason ? [markdownCut(check.reason, 400)] : []),
  ]);
}

function augmentationSection(model: ModelVerdict, metrics: MetricsFile | null, group: string): Section[] {
  const { candidate, baseline } = metricsOf(metrics, model);
  const number = (value: number | null) => (value === null ? "—" : significant(value));
  return augmentationTables(model, candidate, baseline).flatMap(({ label, direction, all, rows }) =>
    listOf(
      rows.map((one) =>
        row([
          markdownCode(one.name, 60),
          markdownCut(one.what, 160),
          count(one.n),
          `${number(one.value)}${one.interval === null ? "" : ` [${significant(one.interval.low)}, ${significant(one.interval.high)}]`}`,
          number(one.baseline),
        ]),
      ),
      {
        name: "augmentations",
        priority: 38,
        group,
        open: `\n<details><summary>Altered copies of the rows by ${markdownCut(label, 100)}: ${counted(rows.length, "augmentation")}</summary>\n\n${table(["augmentation", "what", "rows", `<code>${markdownCut(label, 120)}</code>${direction === "higher" ? "↑" : "↓"}, ${intervalHeading(rows.map(({ interval }) => interval))}`, "baseline"])}`,
        close: `\nAll rows as they came: ${number(all)}.\n\n</details>\n`,
        more: (n) => `\n… ${counted(n, "more augmentation")} in report.html\n`,
      },
    ),
  );
}

/** Up to so many comparisons the note about regressed slices names all that matters. */
const namedInNote = 5;

/** Slices compared with the baseline, the likeliest loss first, where there are too many for a note. */
function lossSection({ checks }: ModelVerdict, group: string): Section[] {
  const found = sliceLosses(checks);
  if (found === null || found.losses.length <= namedInNote) return [];
  const { losses, alpha } = found;
  const shown = losses.slice(0, Math.max(shownSlices, losses.filter((one) => one.regressed).length));
  const left = losses.length - shown.length;
  return listOf(
    shown.map(({ check, p, adjusted, regressed }) => {
      const numbers = checkNumbers(check);
      return row([
        markdownCode(check.slice, 120),
        `<code>${markdownCut(checkName(check), 120)}</code>`,
        count(check.n),
        `${numbers.difference} ${numbers.interval}`.trim(),
        markdownCut(pText(p), 20),
        markdownCut(pText(adjusted), 20),
        regressed ? "regressed" : "",
      ]);
    }),
    {
      name: "slices compared",
      priority: 39,
      group,
      open: `\n<details><summary>Which slices regressed: ${counted(losses.length, "comparison")}, the likeliest loss first</summary>\n\n${table(["slice", "metric", "rows", `difference, ${intervalHeading(losses.map(({ interval }) => interval))}`, "p", "p, Holm", ""])}`,
      close: `\nThe probability of naming any slice wrongly is at most ${percent(alpha)}${restsOnT(losses) ? ", about so where rows are few and errors skewed" : ""}.${left > 0 ? ` ${counted(left, "more comparison")} in report.html.` : ""}\n\n</details>\n`,
      more: (n) => `\n… ${counted(n, "more comparison")} in report.html\n`,
    },
  );
}

/** Slices of each ranking that a comment shows; report.html has them all. */
const shownSlices = 12;

function sliceSection(model: ModelVerdict, metrics: MetricsFile | null, group: string): Section[] {
  const { candidate, baseline } = metricsOf(metrics, model);
  return sliceRankings(candidate, baseline).flatMap((ranking) => {
    const left = ranking.slices.length - shownSlices;
    const number = (value: number | null) => (value === null ? "—" : significant(value));
    return listOf(
      ranking.slices
        .slice(0, shownSlices)
        .map((one) =>
          row([
            markdownCode(one.slice, 120),
            count(one.n),
            `${number(one.value)}${one.interval === null ? "" : ` [${significant(one.interval.low)}, ${significant(one.interval.high)}]`}`,
            number(one.baseline),
            one.unranked === null ? "" : markdownCut(one.unranked, 120),
          ]),
        ),
      {
        name: "slices",
        priority: 40,
        group,
        open: `\n<details><summary>Slices of the candidate by ${markdownCut(ranking.label, 100)}, the worst first</summary>\n\n${table(["slice", "rows", `<code>${markdownCut(ranking.label, 120)}</code>${ranking.direction === "higher" ? "↑" : "↓"}, ${intervalHeading(ranking.slices.map((one) => one.interval))}`, "baseline", "note"])}`,
        close: `\nAll rows: ${number(ranking.all)}.${left > 0 ? ` ${counted(left, "more slice")} in report.html.` : ""}\n\n</details>\n`,
        more: (n) => `\n… ${counted(n, "more slice")} in report.html\n`,
      },
    );
  });
}

function performanceSections(model: ModelVerdict, metrics: MetricsFile | null, group: string): Section[] {
  const { candidate, baseline } = metricsOf(metrics, model);
  const sides = [candidate?.performance ?? null, baseline?.performance ?? null] as const;
  const batches = batchRows(...sides);
  if (batches.length === 0) return [];
  const figures = figureRows(...sides)
    .map((one) => `${one.figure} ${one.candidate}${one.baseline === "—" ? "" : ` (baseline ${one.baseline})`}`)
    .map((text) => markdownCut(text, 200))
    .join(" · ");
  const cost = costSentence(...sides);
  return listOf(
    batches.map((one) => row([one.batch, one.who, one.p50, one.p95, one.p99, one.rowsPerSecond])),
    {
      name: "latency",
      priority: 41,
      group,
      open: `\n<details><summary>Latency, memory and size</summary>\n\n${figures}\n\n${cost === null ? "" : `${withCode(cost)}\n\n`}${table(["batch", "model", "p50 ms", "p95 ms", "p99 ms", "rows/s"])}`,
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
