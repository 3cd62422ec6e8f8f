import type { Check } from "../../schema/verdict.ts";
import { byteUnit, decimalsFor, fixed, setting, signed } from "../text/format.ts";
import { type Glyphs, unicode } from "../text/glyphs.ts";
import { cutOf, nameAtCut } from "./signature.ts";

/**
 * The figures of one check as people read them: in one unit, with one number of decimals, and without rounding that
 * would contradict the verdict.
 */
export type CheckNumbers = {
  /** Unit of candidate and baseline; empty for plain scores. */
  unit: string;
  candidate: string;
  baseline: string;
  difference: string;
  /** "[low, high]" of the difference, or of the candidate's value for a limit. */
  interval: string;
  /**
   * What the check requires: "≥ 0.85"; "loss < 0.005" (shown to be worse than the baseline by less than that); "gain >
   * 0".
   */
  rule: string;
};

/**
 * The name that people know a check by, e.g. `tpr_at_fpr(at=0.01)` or `ndcg@10`: the start of its id, if that holds the
 * metric's options, else the metric.
 */
export function checkName(check: Check): string {
  const name = /^[a-z0-9_]+(\([\w=.,+-]{1,60}\))?/.exec(check.id)?.[0] ?? "";
  const options = name.startsWith(`${check.metric}(`) ? name.slice(check.metric.length + 1, -1).split(",") : [];
  const left = options.filter((option) => !(option.startsWith("k=") && cutOf(check) !== null));
  const plain = `${nameAtCut(check)}${left.length === 0 ? "" : `(${left.join(",")})`}`;
  return check.head === null || !check.id.includes(`@${check.head}`) ? plain : `${plain}@${check.head}`;
}

/**
 * Whether difference, interval and margin are fractions of the baseline. The judge says so in `scale`, not in the unit.
 */
export function isRelative(check: Check): boolean {
  return check.kind !== "limit" && check.scale === "relative";
}

export function checkNumbers(check: Check, glyphs: Glyphs = unicode): CheckNumbers {
  const relative = isRelative(check);
  const { factor, unit } = unitOf(check);
  const differenceFactor = relative ? 0.01 : factor;
  const valueThresholds = check.limit === null ? [] : [check.limit.min, check.limit.max].filter((end) => end !== null);
  const differenceThresholds = check.margin === null || check.kind === "limit" ? [] : [check.margin, -check.margin];
  const spread = check.interval === null ? 0 : (check.interval.high - check.interval.low) / 2;
  const ends = check.interval === null ? [] : [check.interval.low, check.interval.high];

  const toLimit = check.kind === "limit";
  const differenceScale = spread || (toLimit ? 0 : check.margin || check.difference || 0);
  const ofDifference = toLimit
    ? 0
    : reveal(decimals(differenceScale / differenceFactor, 2), differenceFactor, ends, differenceThresholds);
  const whole =
    spread === 0 &&
    [check.observed, check.baseline].every((value) => value === null || Number.isInteger(value / factor));
  const size = Math.abs(check.observed ?? check.baseline ?? 0);
  const ownScale =
    relative || differenceScale === 0
      ? decimals(size / factor, 4)
      : Math.max(ofDifference, decimals(differenceScale / factor, 2), toLimit ? decimals(size / factor, 4) : 0);
  const ofValue = reveal(
    whole ? 0 : Math.max(ownScale, unit === "" && size <= 1 ? 4 : 0),
    factor,
    [...(check.observed === null ? [] : [check.observed]), ...(toLimit ? ends : [])],
    valueThresholds,
  );
  const differenceDecimals = relative ? ofDifference : Math.max(ofValue, ofDifference);
  const suffix = relative ? "%" : "";

  const value = (n: number | null) => (n === null ? glyphs.dash : fixed(n / factor, ofValue, glyphs));
  const change = (n: number) => signed(n / differenceFactor, differenceDecimals, glyphs) + suffix;
  return {
    unit,
    candidate: value(check.observed),
    baseline: value(check.baseline),
    difference:
      check.difference === null
        ? glyphs.dash
        : toLimit
          ? signed(check.difference / factor, ofValue, glyphs)
          : change(check.difference),
    interval:
      check.interval === null
        ? ""
        : toLimit
          ? `[${value(check.interval.low)}, ${value(check.interval.high)}]`
          : `[${change(check.interval.low)}, ${change(check.interval.high)}]`,
    rule: rule(
      check,
      { factor, decimals: ofValue },
      { factor: differenceFactor, decimals: differenceDecimals, suffix },
      glyphs,
    ),
  };
}

type Scale = { factor: number; decimals: number };

function rule(check: Check, values: Scale, differences: Scale & { suffix: string }, glyphs: Glyphs): string {
  if (check.kind === "limit") {
    const end = (n: number) => setting(clean(n / values.factor), values.decimals, glyphs);
    const { min = null, max = null } = check.limit ?? {};
    if (min !== null && max !== null) return `${end(min)} to ${end(max)}`;
    if (min !== null) return `${glyphs.atLeast} ${end(min)}`;
    return max === null ? "no limit" : `${glyphs.atMost} ${end(max)}`;
  }
  const margin =
    check.margin === null
      ? "?"
      : setting(clean(check.margin / differences.factor), differences.decimals, glyphs) + differences.suffix;
  switch (check.kind) {
    case "non-inferiority":
      return `loss < ${margin}`;
    case "superiority":
      return `gain > ${margin}`;
    case "equivalence":
      return `within ${glyphs.plusMinus}${margin}`;
  }
}

/** Unit in which the candidate's and the baseline's value are shown, and the divisor that converts to it. */
function unitOf(check: Check): { factor: number; unit: string } {
  if (check.unit === "bytes" || check.metric.endsWith("_bytes")) {
    return byteUnit(
      Math.max(...[check.observed, check.baseline, check.limit?.max, check.limit?.min].map((n) => Math.abs(n ?? 0))),
    );
  }
  return { factor: 1, unit: ["1", "ratio", "fraction", "none", "score"].includes(check.unit) ? "" : check.unit };
}

function decimals(scale: number, digits: number): number {
  return Math.min(6, decimalsFor(scale, digits));
}

/** Adds decimals until no value is rounded onto, or across, a threshold that it does not equal. */
function reveal(start: number, factor: number, values: readonly number[], thresholds: readonly number[]): number {
  const hides = (places: number) =>
    values.some((value) =>
      thresholds.some(
        (threshold) =>
          Math.sign(Number((value / factor).toFixed(places)) - clean(threshold / factor)) !==
          Math.sign(clean(value / factor) - clean(threshold / factor)),
      ),
    );
  for (let places = start; places <= 9; places += 1) if (!hides(places)) return places;
  return start;
}

/** Removes the rounding error of a change of unit: 0.02 / 0.01 is 2. */
function clean(value: number): number {
  return Number(value.toPrecision(12));
}
