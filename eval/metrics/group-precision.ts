import { argsort } from "../stats/argsort.ts";
import type { placeNames } from "../../models/core/manifest/metric-options.ts";
import type { Sample } from "./definition.ts";
import { sampleProblem } from "./sample.ts";

type Place = (typeof placeNames)[number];

/**
 * Precision at k of each group of a binary sample: the share of positives among its k rows with the highest scores, as
 * an investigator finds who works off k alerts a day. Divided by k also where the group has fewer rows. Rows tied at the
 * last place share the places that are left, so the order of the rows does not matter (McSherry & Najork 2008).
 *
 * Per entity, the rows of one entity in a group are one place: its score is their largest, and it is positive where any
 * of them is. With days as groups and cards as entities this is the card precision at k of Dal Pozzolo and others (2014,
 * Expert Systems with Applications 41), without taking the cards of earlier days away.
 *
 * @returns a sample with one row for each group, in order of first appearance, with the value as its score; or why there
 *   is none
 */
export function groupPrecisions(sample: Sample, k: number, per: Place): Sample | string {
  const problem = sampleProblem(sample, "any");
  if (problem !== null) return problem;
  if (sample.classCount !== 2) return "this metric is for two classes, or for rankings";
  const { weights, groups, entities } = sample;
  if (groups === null)
    return "the rows have no groups: `dataset.group`, or the column group, says whose first k rows count";
  if (weights !== null) return "the rows have weights, and a place in a list has none";
  if (per === "entity" && entities === undefined)
    return "the rows have no entities: `dataset.entity`, or the column entity, says whom a row is about";
  const members = rowsBy(groups, groups.keys());
  const values = Float64Array.from(members.values(), (rows) => {
    const { labels, scores } = per === "row" ? rowPlaces(sample, rows) : entityPlaces(sample, rowsBy(entities!, rows));
    return foundWithin(k, labels, scores) / k;
  });
  return { labels: new Float64Array(values.length), scores: values, classCount: 0, weights: null, groups: null };
}

/** Value → the rows that have it, of some rows, both in order of first appearance. */
function rowsBy(values: readonly string[], rows: Iterable<number>): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const row of rows) {
    const known = found.get(values[row]!);
    if (known === undefined) found.set(values[row]!, [row]);
    else known.push(row);
  }
  return found;
}

type Places = { labels: Float64Array; scores: Float64Array };

const rowPlaces = ({ labels, scores }: Sample, rows: readonly number[]): Places => ({
  labels: Float64Array.from(rows, (row) => labels[row]!),
  scores: Float64Array.from(rows, (row) => scores[row]!),
});

function entityPlaces({ labels, scores }: Sample, rowsOf: ReadonlyMap<string, readonly number[]>): Places {
  const largest = (of: Float64Array, rows: readonly number[]) =>
    rows.reduce((most, row) => Math.max(most, of[row]!), -Infinity);
  return {
    labels: Float64Array.from(rowsOf.values(), (rows) => largest(labels, rows)),
    scores: Float64Array.from(rowsOf.values(), (rows) => largest(scores, rows)),
  };
}

/** Expected number of positives among the first k, over all orders of the tied ones. */
function foundWithin(k: number, labels: Float64Array, scores: Float64Array): number {
  const order = argsort(scores).toReversed();
  let found = 0;
  for (let from = 0; from < Math.min(k, scores.length);) {
    let to = from;
    let positives = 0;
    for (; to < scores.length && scores[order[to]!] === scores[order[from]!]; to++) positives += labels[order[to]!]!;
    found += positives * Math.min(1, (k - from) / (to - from));
    from = to;
  }
  return found;
}
