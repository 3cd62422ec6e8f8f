import { augmentationColumn } from "../../models/core/manifest/augmentations.ts";
import { answerTruth, truthName } from "./answer-truth.ts";
import type { Answers, Forecasts, Predictions } from "./predictions.ts";
import { layoutOf } from "./columns.ts";
import { rowCount } from "./row-count.ts";
import { selectAnswers } from "./select-answers.ts";
import { rememberedIds } from "./row-ids.ts";

/** Candidate and baseline row by row, or why they cannot be compared (INCOMPARABLE). */
export type Pairing =
  | { status: "paired"; candidate: Predictions; baseline: Predictions }
  | { status: "incomparable"; reason: string };

/** So many of the rows that differ are named. */
const shown = 3;

function some(items: readonly string[], count = items.length): string {
  return items.slice(0, shown).join(", ") + (count > shown ? `, … (${count} in all)` : "");
}

function incomparable(reason: string): Extract<Pairing, { status: "incomparable" }> {
  return { status: "incomparable", reason };
}

/**
 * Pairs the predictions of two models on the same rows by id. The order of rows and of classes may differ. They are
 * incomparable when their tasks, dataset digests, classes, row ids, labels (relevant items, spans, references), weights,
 * series, steps, groups, entities, slices or naive scales differ, or when only one of them has weights, series, groups,
 * entities or a slice column. The same holds for the altered copies of their rows: both have the same ones, or neither has any.
 *
 * @returns `baseline` in the candidate's order of rows and classes, with the candidate's slices, groups, weights and
 *   naive scales
 */
export function pairPredictions(candidate: Predictions, baseline: Predictions): Pairing {
  if (candidate.task !== baseline.task)
    return incomparable(`different tasks: candidate ${candidate.task}, baseline ${baseline.task}`);
  if (
    candidate.datasetDigest !== null &&
    baseline.datasetDigest !== null &&
    candidate.datasetDigest !== baseline.datasetDigest
  ) {
    return incomparable(
      `different datasets: candidate ${candidate.datasetDigest.slice(0, 12)}…, baseline ${baseline.datasetDigest.slice(0, 12)}…`,
    );
  }
  const classOrder = matchClasses(candidate, baseline);
  if (typeof classOrder === "string") return incomparable(classOrder);

  const order = rowOrder(candidate, baseline);
  if (typeof order === "string") return incomparable(order);
  const from = (row: number): number => (order === null ? row : (order[row] as number));
  const rows = rowCount(candidate);

  const differing = (what: string, ours: (row: number) => unknown, theirs: (row: number) => unknown): string | null => {
    const found: number[] = [];
    for (let row = 0; row < rows; row++) if (ours(row) !== theirs(from(row))) found.push(row);
    return found.length === 0
      ? null
      : `different ${what}: ${some(
          found
            .slice(0, shown)
            .map((row) => `${candidate.ids[row]} (${short(ours(row))} against ${short(theirs(from(row)))})`),
          found.length,
        )}`;
  };
  const column = (what: string, ours: Column, theirs: Column): string | null => {
    if (ours === null && theirs === null) return null;
    if (ours === null || theirs === null) return `only the ${ours === null ? "baseline" : "candidate"} has ${what}`;
    return differing(
      what,
      (row) => ours[row],
      (row) => theirs[row],
    );
  };
  const { groups, entities, weights, naiveScales, forecasts } = candidate;
  const naive2 = forecasts?.naive2;
  const other = baseline.forecasts;
  const sliceColumns = [...new Set([...Object.keys(candidate.slices), ...Object.keys(baseline.slices)])];
  const sliceOf = ({ slices }: Predictions, name: string) => (Object.hasOwn(slices, name) ? slices[name]! : null);
  const reason =
    differing(...truthOf(candidate, baseline)) ??
    column("weights", weights, baseline.weights) ??
    column("series", forecasts?.series ?? null, other?.series ?? null) ??
    column("steps", forecasts?.steps ?? null, other?.steps ?? null) ??
    column("forecasts of Naive2", naive2 ?? null, other?.naive2 ?? null) ??
    column("groups", groups, baseline.groups) ??
    column("entities", entities ?? null, baseline.entities ?? null) ??
    column("naive scales", naiveScales ?? null, baseline.naiveScales ?? null) ??
    sliceColumns
      .map((name) =>
        column(`values of the slice column ${JSON.stringify(name)}`, sliceOf(candidate, name), sliceOf(baseline, name)),
      )
      .find((found) => found !== null) ??
    null;
  if (reason !== null) return incomparable(reason);

  const copies = pairCopies(candidate.copies, baseline.copies);
  if (copies.status === "incomparable") return copies;
  const paired: Predictions = {
    ...withoutIds(baseline),
    get ids() {
      return candidate.ids;
    },
    labels: candidate.labels,
    classes: candidate.classes,
    slices: candidate.slices,
    groups,
    ...(entities === undefined ? {} : { entities }),
    weights,
    scores: inOrder(baseline.scores, order, classOrder),
    ...(copies.baseline === undefined ? {} : { copies: copies.baseline }),
    ...(naiveScales === undefined ? {} : { naiveScales }),
    ...(baseline.answers === undefined
      ? {}
      : { answers: order === null ? baseline.answers : selectAnswers(baseline.answers, order) }),
    ...(forecasts === undefined || other === undefined
      ? {}
      : { forecasts: { ...forecasts, quantiles: quantilesInOrder(other.quantiles, order) } }),
  };
  return { status: "paired", candidate, baseline: paired };
}

function pairCopies(
  candidate: Predictions | undefined,
  baseline: Predictions | undefined,
): { status: "paired"; baseline: Predictions | undefined } | Extract<Pairing, { status: "incomparable" }> {
  if (candidate === undefined && baseline === undefined) return { status: "paired", baseline };
  if (candidate === undefined || baseline === undefined)
    return {
      status: "incomparable",
      reason: `only the ${candidate === undefined ? "baseline" : "candidate"} has altered copies of rows (the column ${augmentationColumn})`,
    };
  const pairing = pairPredictions(candidate, baseline);
  return pairing.status === "paired"
    ? { status: "paired", baseline: pairing.baseline }
    : { ...pairing, reason: `altered copies: ${pairing.reason}` };
}

function quantilesInOrder(quantiles: Forecasts["quantiles"], order: Int32Array | null): Forecasts["quantiles"] {
  if (quantiles === null) return null;
  const { levels, values } = quantiles;
  return { levels, values: inOrder(values, order, [...levels.keys()]) };
}

type Column = ArrayLike<unknown> | null;
type TruthOf = (row: number) => unknown;

/** What the true values of two models' predictions are called, and how each side has them. */
function truthOf(candidate: Predictions, baseline: Predictions): [what: string, ours: TruthOf, theirs: TruthOf] {
  if (candidate.answers !== undefined && baseline.answers !== undefined) {
    const truth = (answers: Answers) => (row: number) => answerTruth(answers, row);
    return [truthName[candidate.answers.kind], truth(candidate.answers), truth(baseline.answers)];
  }
  const labelName = (side: Predictions) => (row: number) =>
    candidate.classes.length > 2 || layoutOf(side.task) === "multiclass"
      ? side.classes[side.labels[row]!]
      : side.labels[row];
  return ["labels", labelName(candidate), labelName(baseline)];
}

function short(value: unknown): string {
  const text = String(value);
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}

/** Everything but the ids, which may be expensive to make. */
function withoutIds({
  head,
  task,
  naiveScales,
  threshold,
  datasetDigest,
}: Predictions): Omit<Predictions, "ids" | "labels" | "classes" | "slices" | "groups" | "weights" | "scores"> {
  return {
    head,
    task,
    datasetDigest,
    ...(naiveScales === undefined ? {} : { naiveScales }),
    ...(threshold === undefined ? {} : { threshold }),
  };
}

/** The scores with the rows and columns in another order. `order` null: the rows stay. */
function inOrder(scores: Float64Array, order: Int32Array | null, classOrder: readonly number[]): Float64Array {
  const width = classOrder.length;
  if (order === null && classOrder.every((column, i) => column === i)) return scores;
  const rows = scores.length / width;
  const moved = new Float64Array(scores.length);
  for (let row = 0; row < rows; row++) {
    const at = (order === null ? row : (order[row] as number)) * width;
    for (let i = 0; i < width; i++) moved[row * width + i] = scores[at + (classOrder[i] as number)] as number;
  }
  return moved;
}

/**
 * The baseline's row for each of the candidate's; null where both have the same rows in the same order; or why there is
 * none.
 */
function rowOrder(candidate: Predictions, baseline: Predictions): Int32Array | string | null {
  const [ours, theirs] = [rememberedIds(candidate), rememberedIds(baseline)];
  if (ours !== undefined && theirs !== undefined) {
    if (ours.sameAs(theirs)) return null;
    if (ours.length === theirs.length) {
      const order = new Int32Array(ours.length);
      let missing = false;
      for (let row = 0; row < order.length && !missing; row++) missing = (order[row] = theirs.rowOf(ours, row)) < 0;
      if (!missing) return order;
    }
  }
  for (const [side, { ids }] of [
    ["candidate", candidate],
    ["baseline", baseline],
  ] as const) {
    const twice = duplicates(ids);
    if (twice.length > 0) return `duplicated rows: the ${side} has ${some(twice)} more than once`;
  }
  if (candidate.ids.length === baseline.ids.length && candidate.ids.every((id, row) => id === baseline.ids[row]))
    return null;
  const baselineRow = new Map(baseline.ids.map((id, row) => [id, row]));
  const known = new Set(candidate.ids);
  const sides = [
    [candidate.ids.filter((id) => !baselineRow.has(id)), "candidate"],
    [baseline.ids.filter((id) => !known.has(id)), "baseline"],
  ] as const;
  return sides.some(([ids]) => ids.length > 0)
    ? `different rows: ${sides
        .filter(([ids]) => ids.length > 0)
        .map(([ids, side]) => `only the ${side} has ${some(ids)}`)
        .join("; ")}`
    : Int32Array.from(candidate.ids, (id) => baselineRow.get(id)!);
}

function duplicates(ids: readonly string[]): string[] {
  const seen = new Set<string>();
  return [...new Set(ids.filter((id) => seen.size === seen.add(id).size))];
}

/**
 * The baseline's score column for each of the candidate's, or why there is none. Names of binary classes may differ.
 */
function matchClasses(candidate: Predictions, baseline: Predictions): number[] | string {
  if (layoutOf(candidate.task) !== "multiclass") return [0];
  const order = candidate.classes.map((name) => baseline.classes.indexOf(name));
  const onlyCandidate = candidate.classes.filter((_, i) => order[i] === -1);
  const onlyBaseline = baseline.classes.filter((name) => !candidate.classes.includes(name));
  if (onlyCandidate.length + onlyBaseline.length === 0) return order;
  return `different classes: ${[
    [onlyCandidate, "candidate"],
    [onlyBaseline, "baseline"],
  ]
    .filter(([names]) => names!.length > 0)
    .map(([names, side]) => `only the ${String(side)} has ${some(names as string[])}`)
    .join("; ")}`;
}
