import type { ModelPlan, PlanFile, PlannedPower, ProposedThreshold } from "../schema/plan.ts";
import { lowCorrelation } from "../power/plan-check.ts";
import { falseRedSentence } from "./content/false-red.ts";
import { count, counted, percent, significant } from "./text/format.ts";
import { ascii, type Glyphs, unicode } from "./text/glyphs.ts";
import { type Column, renderTable, type Row, wrap } from "./terminal-table.ts";
import { cut, oneLine } from "./text/text.ts";

/**
 * What each check can decide, for a terminal. Refused checks show the reason. No line is wider than `width` (clamped to
 * 80 … 140).
 */
export function renderPlan(plan: PlanFile, options: { width: number; plain?: boolean }): string {
  const glyphs = options.plain === true ? ascii : unicode;
  const width = Math.min(140, Math.max(80, Math.floor(options.width)));
  return `${plan.models.map((model) => renderModel(model, plan.power, width, glyphs)).join("\n\n")}\n`;
}

const columns: Column[] = [
  { head: "metric", flexible: true },
  { head: "slice", flexible: true },
  { head: "rule" },
  { head: "rows", align: "right" },
  { head: "smallest\nchange", align: "right" },
  { head: "passes if\nunchanged", align: "right" },
  { head: "rows\nneeded", align: "right" },
];

function renderModel(model: ModelPlan, power: number, width: number, glyphs: Glyphs): string {
  const title = `${oneLine(model.model)} ${oneLine(model.candidate)} ${model.baseline === null ? "without a baseline" : `against ${oneLine(model.baseline)}`} ${glyphs.dot} ${counted(model.dataset.rows, "row")} of ${oneLine(model.dataset.id)}`;
  const { predicting, timingAtMost } = model.expectedMinutes;
  const settings = model.policyChanges.map(({ path }) => oneLine(path));
  const sentences = [
    `Thresholds from ${oneLine(model.policySource)}${settings.length === 0 ? "" : `: the candidate's own ${cut(settings.join(", "), 200, glyphs.ellipsis)} ${settings.length === 1 ? "does" : "do"} not count until merged`}`,
    `Smallest change: decided ${percent(power)} of the time. It is for ${model.assumption.startsWith("there is") ? "two models like this one: " : ""}${oneLine(model.assumption)}`,
    model.checks.some(({ rowsNeededAtMost }) => rowsNeededAtMost !== null)
      ? `Rows needed: from that correlation down to ${lowCorrelation}; a gate with both models measures it`
      : null,
    falseRedSentence(model, "a candidate that is truly no worse"),
    `Expected time here: ${minutes(predicting)} to predict${timingAtMost > 0 ? `, and at most ${minutes(timingAtMost)} to compare latency` : ""}, with nothing cached`,
  ].filter((one) => one !== null);
  const proposals = (model.thresholds ?? []).flatMap((one) => [thresholdSentence(one), ...one.notes]);
  sentences.push(...proposals.map((one) => oneLine(one).replace(/\.$/, "")));
  return `${wrap(title, width).join("\n")}\n\n${renderTable(
    columns,
    model.checks.map((check) => checkRow(check, glyphs)),
    width,
    glyphs,
  )}\n\n${sentences
    .flatMap((one) => wrap(`${one}.`, width - 1))
    .map((line) => ` ${line}`)
    .join("\n")}`;
}

function thresholdSentence({ head, goal, rows, declared, chosen, n }: ProposedThreshold): string {
  const aim =
    goal.kind === "fpr"
      ? `a false-positive rate of at most ${goal.atMost}`
      : goal.kind === "recall"
        ? `a recall of at least ${goal.atLeast}`
        : `costs of ${goal.falseAlarm} a false alarm and ${goal.miss} a miss`;
  const on = `${count(n)} ${rows === "tuning" ? "rows of dataset.tuning" : "of the gate's own rows"}`;
  if (chosen.status === "undefined") return `No threshold of ${head} for ${aim} on ${on}: ${chosen.reason}`;
  const { threshold, interval, falsePositiveRate, recall } = chosen;
  return `Threshold of ${head} for ${aim}: ${threshold} (${percent(interval.level)} interval ${significant(interval.low)} to ${significant(interval.high)}, ${interval.method}), with a false-positive rate of ${significant(falsePositiveRate)} and a recall of ${significant(recall)} on ${on}${declared === null ? "" : `; model.yaml has ${declared}`}`;
}

function checkRow(check: PlannedPower, glyphs: Glyphs): Row {
  const { standardError, smallestChange, passes, rowsNeeded, rowsNeededAtMost, margin, kind, refused, method } = check;
  const scaled = (value: number) =>
    check.scale === "relative" ? `${significant(100 * value, 2, glyphs)}%` : significant(value, 2, glyphs);
  const rule =
    kind === "limit"
      ? "limit"
      : `${kind === "equivalence" ? `within ${glyphs.plusMinus}` : kind === "superiority" ? "gain > " : "loss < "}${margin === null ? "?" : check.scale === "relative" ? `${Number((100 * margin).toPrecision(6))}%` : String(margin)}`;
  const below = refused ?? (standardError === null ? method : null);
  return {
    cells: [
      oneLine(check.metric),
      cut(oneLine(check.slice), 60, glyphs.ellipsis),
      rule,
      count(check.n),
      smallestChange === null ? glyphs.dash : scaled(smallestChange),
      passes === null ? glyphs.dash : `${(100 * passes).toFixed(passes > 0.99 ? 1 : 0)}%`,
      rowsNeeded === null
        ? glyphs.dash
        : rowsNeededAtMost === null || rowsNeededAtMost === rowsNeeded
          ? count(rowsNeeded)
          : `${count(rowsNeeded)} to\n${count(rowsNeededAtMost)}`,
    ],
    ...(below === null
      ? {}
      : { below: `${refused === null ? "" : "refused: "}${cut(oneLine(below), 400, glyphs.ellipsis)}` }),
  };
}

function minutes(value: number): string {
  return value < 1.5 ? `${Math.max(1, Math.round(60 * value))} s` : `${Math.round(value)} min`;
}
