import type { Check } from "../../schema/verdict.ts";
import { isRelative } from "./check-numbers.ts";
import { counted, percent } from "../text/format.ts";
import { type Glyphs, unicode } from "../text/glyphs.ts";
import { oneLine } from "../text/text.ts";

/**
 * The decision written out with its numbers, so that a reader can redo it by hand: how the difference is computed, its
 * interval, and the inequality that PASS requires. Numbers have seven significant digits, more than in the table.
 */
export function evidence(check: Check, glyphs: Glyphs = unicode): string[] {
  const formatValue = (value: number) => number(value, glyphs);
  const unit = check.unit === "" ? "" : ` ${oneLine(check.unit)}`;
  const lines: string[] = [];
  lines.push(
    `${check.metric}, ${check.direction} is better; on ${counted(check.n, "row or timed run", "rows or timed runs")}.`,
  );
  if (check.signature !== undefined) lines.push(`signature: ${oneLine(check.signature)}`);
  lines.push(check.observed === null ? "candidate: undefined" : `candidate = ${formatValue(check.observed)}${unit}`);
  if (check.baseline !== null) lines.push(`baseline = ${formatValue(check.baseline)}${unit}`);
  if (check.difference !== null && check.observed !== null && check.baseline !== null) {
    const relative = isRelative(check);
    const plain = relative ? check.observed / check.baseline - 1 : check.observed - check.baseline;
    const formula = relative
      ? `candidate / baseline ${glyphs.minus} 1 = ${formatValue(check.observed)} / ${operand(check.baseline, glyphs)} ${glyphs.minus} 1`
      : `candidate ${glyphs.minus} baseline = ${formatValue(check.observed)} ${glyphs.minus} ${operand(check.baseline, glyphs)}`;
    const slack = 1e-9 * Math.max(1, relative ? 1 : Math.abs(check.observed), relative ? 1 : Math.abs(check.baseline));
    lines.push(
      Math.abs(plain - check.difference) <= slack
        ? `difference = ${formula} = ${formatValue(check.difference)}`
        : `difference = ${formatValue(check.difference)}, estimated from pairs (${formula} = ${formatValue(plain)})`,
    );
  }
  if (check.interval !== null) {
    const { low, high, level, method } = check.interval;
    lines.push(
      `${percent(level)} interval of the ${check.kind === "limit" ? "candidate's value" : "difference"} = [${formatValue(low)}, ${formatValue(high)}], by ${oneLine(method)}`,
    );
    lines.push(
      `one-sided error rate = (1 ${glyphs.minus} ${formatValue(level)}) / 2 = ${formatValue(Number(((1 - level) / 2).toPrecision(6)))}`,
    );
  }
  lines.push(...requirement(check, glyphs));
  return lines;
}

function requirement(check: Check, glyphs: Glyphs): string[] {
  const formatValue = (value: number) => number(value, glyphs);
  if (check.kind === "limit") {
    const { min = null, max = null, confident = false } = check.limit ?? {};
    const claim = (end: "low" | "high", sign: string, bound: number, holds: (value: number) => boolean) => {
      const value = confident ? check.interval?.[end] : check.observed;
      return `PASS asks for: ${confident ? `${end} end of the interval` : "candidate"} ${sign} ${formatValue(bound)}${value === undefined || value === null ? "" : `; ${formatValue(value)} ${sign} ${formatValue(bound)} is ${holds(value)}`}`;
    };
    return [
      ...(min === null ? [] : [claim("low", glyphs.atLeast, min, (value) => value >= min)]),
      ...(max === null ? [] : [claim("high", glyphs.atMost, max, (value) => value <= max)]),
    ];
  }
  if (check.margin === null) return ["margin: unknown, so nothing can be decided"];
  const { margin, interval, direction } = check;
  const claim = (end: "low" | "high", sign: ">" | "<", bound: number) => {
    const value = interval?.[end];
    const outcome =
      value === undefined
        ? ""
        : `; ${formatValue(value)} ${sign} ${formatValue(bound)} is ${sign === ">" ? value > bound : value < bound}`;
    return `PASS asks for: ${end} end of the interval ${sign} ${bound < 0 ? `${glyphs.minus}margin` : "margin"} = ${formatValue(bound)}${outcome}`;
  };
  switch (check.kind) {
    case "non-inferiority":
      return [direction === "higher" ? claim("low", ">", -margin) : claim("high", "<", margin)];
    case "superiority":
      return [direction === "higher" ? claim("low", ">", margin) : claim("high", "<", -margin)];
    case "equivalence":
      return [claim("low", ">", -margin), claim("high", "<", margin)];
  }
}

function number(value: number, glyphs: Glyphs): string {
  if (value === 0) return "0";
  const text = String(Number(Math.abs(value).toPrecision(7)));
  return value < 0 ? glyphs.minus + text : text;
}

function operand(value: number, glyphs: Glyphs): string {
  return value < 0 ? `(${number(value, glyphs)})` : number(value, glyphs);
}
