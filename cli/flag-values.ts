import type { ThresholdGoal } from "../eval/metrics/choose-threshold.ts";
import { InvalidArgumentError, type Option } from "commander";
import { didYouMean } from "../models/core/did-you-mean.ts";
import type { DecimalMark, Delimiter } from "../eval/dataset/formats/dialect.ts";
import { decimalMarks, delimiters } from "../models/core/manifest/dataset-file.ts";

// Parsers of flag values. Each refuses with what was expected, so that commander names the flag and exits with 2.

export function number(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError("expected a number, e.g. 0.01.");
  return value;
}

export function integer(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isSafeInteger(value) || value < 0)
    throw new InvalidArgumentError("expected a whole number of at least 0, e.g. 7.");
  return value;
}

/** A whole number within these bounds. */
export function integerWithin(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = integer(text);
    if (value < least || value > most)
      throw new InvalidArgumentError(
        `expected a whole number ${most === Infinity ? `of at least ${least}` : `from ${least} to ${most}`}.`,
      );
    return value;
  };
}

/** An absolute margin (0.01) or a relative one (2%). */
export function margin(text: string): number | { relative: number } {
  const percent = /^(.*)%$/.exec(text.trim());
  const value = number(percent === null ? text : (percent[1] as string));
  if (value < 0) throw new InvalidArgumentError("expected a margin of at least 0, e.g. 0.01 or 2%.");
  return percent === null ? value : { relative: value / 100 };
}

/** I/N, counted from 0. */
export function shard(text: string): { index: number; count: number } {
  const [, index, count] = /^(\d+)\/(\d+)$/.exec(text.trim()) ?? [];
  if (index === undefined || count === undefined || Number(index) >= Number(count))
    throw new InvalidArgumentError("expected I/N with I from 0 to N - 1, e.g. 0/4.");
  return { index: Number(index), count: Number(count) };
}

export function list(text: string): string[] {
  const names = text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  if (names.length === 0) throw new InvalidArgumentError("expected names with commas between, e.g. source,language.");
  return names;
}

/** Strictly between 0 and 1. */
export function fraction(text: string): number {
  const value = number(text);
  if (!(value > 0 && value < 1)) throw new InvalidArgumentError("expected a number between 0 and 1, e.g. 0.05.");
  return value;
}

/** A flag that takes one of several words; another tool's name for one of them is answered with it. */
export function oneOf(option: Option, words: readonly string[]): Option {
  return option.choices(words).argParser((text: string) => {
    if (words.includes(text)) return text;
    const near = didYouMean(text, words);
    throw new InvalidArgumentError(
      near === null
        ? `Allowed choices are ${words.join(", ")}.`
        : `did you mean ${near}? Allowed: ${words.join(", ")}.`,
    );
  });
}

/** What divides the cells of a CSV file. */
export function delimiter(text: string): Delimiter {
  const found = text === "\t" || text === "\\t" ? "tab" : delimiters.find((one) => one === text);
  if (found === undefined) throw new InvalidArgumentError("expected one of , ; | tab, e.g. --delimiter ';'.");
  return found;
}

export function decimal(text: string): DecimalMark {
  const found = decimalMarks.find((one) => one === text);
  if (found === undefined) throw new InvalidArgumentError("expected . or , e.g. --decimal ','.");
  return found;
}

/** "fpr=0.01", "recall=0.8" or "cost=1:25" (what a false alarm costs, and a miss). */
export function thresholdGoal(text: string): ThresholdGoal {
  const [, kind, first, second] = /^(fpr|recall|cost)=([\d.]+)(?::([\d.]+))?$/.exec(text.trim()) ?? [];
  const [one, other] = [Number(first), Number(second)];
  if (kind === "fpr" && second === undefined && one > 0 && one < 1) return { kind, atMost: one };
  if (kind === "recall" && second === undefined && one > 0 && one <= 1) return { kind, atLeast: one };
  if (kind === "cost" && one > 0 && other > 0) return { kind, falseAlarm: one, miss: other };
  throw new InvalidArgumentError("expected fpr=0.01, recall=0.8, or cost=1:25 (a false alarm, a miss).");
}
