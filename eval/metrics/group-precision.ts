import { argsort } from "../stats/argsort.ts";
import type { Sample } from "./definition.ts";
import { sampleProblem } from "./sample.ts";

/**
 * Precision at k of each group of a binary sample: the share of positives among its k rows with the highest scores, as
 * an investigator finds who works off k alerts a day. Divided by k also where the group has fewer rows. Rows tied at the
 * last place share the places that are left, so the order of the rows does not matter (McSherry & Najork 2008).
 *
 * @returns a sample with one row for each group, in order of first appearance, with the value as its score; or why there
 *   is none
 */
export function groupPrecisions(sample: Sample, k: number): Sample | string {
  const problem = sampleProblem(sample, "any");
  if (problem !== null) return problem;
  if (sample.classCount !== 2) return "this metric is for two classes, or for rankings";
  const { labels, scores, weights, groups } = sample;
  if (groups === null)
    return "the rows have no groups: `dataset.group`, or the column group, says whose first k rows count";
  if (weights !== null) return "the rows have weights, and a place in a list has none";
  const members = new Map<string, number[]>();
  for (let i = 0; i < groups.length; i++) {
    const known = members.get(groups[i]!);
    if (known === undefined) members.set(groups[i]!, [i]);
    else known.push(i);
  }
  const values = Float64Array.from(members.values(), (rows) => {
    const own = Float64Array.from(rows, (row) => scores[row]!);
    const order = argsort(own).toReversed();
    let found = 0;
    for (let from = 0; from < Math.min(k, rows.length);) {
      let to = from;
      let positives = 0;
      for (; to < rows.length && own[order[to]!] === own[order[from]!]; to++) positives += labels[rows[order[to]!]!]!;
      found += positives * Math.min(1, (k - from) / (to - from));
      from = to;
    }
    return found / k;
  });
  return { labels: new Float64Array(values.length), scores: values, classCount: 0, weights: null, groups: null };
}
