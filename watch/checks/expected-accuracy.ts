import { normalQuantile } from "../../eval/stats/normal.ts";
import type { Profile, ProfileVariable } from "../../models/profile/schema.ts";
import { expectedPerformance } from "../drift/cbpe.ts";
import type { Window } from "../live/window.ts";
import { sharesOf } from "./distributions.ts";
import { percent } from "./check.ts";

/** Live rows in a cell of scores in which the gate had fewer rows than this are not supported by it. */
const FEWEST_IN_CELL = 10;
/** Share of live rows that may be unsupported. */
const MOST_UNSUPPORTED = 0.05;
/** Live accuracy by labels beyond this many standard errors refutes that labels follow scores as they did. */
const LEVEL = 0.999;

/**
 * What accuracy the live scores let expect of a head with two classes (CBPE), with the assumptions of that checked where
 * it can be. Per cell of scores the gate's own share of positives stands for the probability, so that the estimate is
 * calibrated on the gate's rows by construction. Checked are:
 *
 * - **Support**: at most 5 % of the live rows have scores where the gate had fewer than ten rows.
 * - **Concept**: that labels still follow scores as they did can be seen where labels came: per cell the live share of
 *   positives must be the gate's, by a chi-squared-like z of the sum over cells. Without labels it is not known.
 *
 * @returns null for other heads, or without rows
 */
export function expectedNote(
  head: Profile["labels"][number],
  k: number,
  variables: readonly ProfileVariable[],
  window: Window,
  labelled: readonly number[],
): string | null {
  if (head.kind !== "classes" || head.positives === undefined || head.negatives === undefined) return null;
  const at = variables.findIndex(({ name }) => name === `${head.head}.score`);
  const variable = variables[at];
  if (variable === undefined || k < 0) return null;
  const rows = head.positives.map((count, i) => count + head.negatives![i]!);
  const live = sharesOf(variable, window.counts[at] ?? []);
  const total = live.reduce((sum, one) => sum + one, 0);
  const used = rows.map((_, i) => i).filter((i) => rows[i]! > 0);
  const shares = used.map((i) => head.positives![i]! / rows[i]!);
  const weights = (counts: readonly number[]) => used.map((i) => counts[i] ?? 0);
  const before = expectedPerformance(shares, 0.5, weights(rows));
  const now = expectedPerformance(shares, 0.5, weights(live));
  if (!Number.isFinite(now.accuracy) || total === 0) return null;
  const unsupported = live.reduce((sum, count, i) => sum + ((rows[i] ?? 0) < FEWEST_IN_CELL ? count : 0), 0) / total;
  const said = `Without labels: the scores let expect an accuracy of ${percent(now.accuracy)} for ${head.head}, ${percent(before.accuracy)} on the gate's rows`;
  if (unsupported > MOST_UNSUPPORTED)
    return `Without labels, what accuracy to expect for ${head.head} is not known: ${percent(unsupported)} of the live scores lie where the gate had fewer than ${FEWEST_IN_CELL} rows.`;
  const moved = conceptMoved(head.positives, head.negatives, labelled.slice(head.classes.length ** 2));
  if (moved === true)
    return `${said}; but the labels that came show that they no longer follow scores as on the gate's rows, so that this does not hold.`;
  if (moved === false)
    return `${said}, if labels follow scores as they did there. The labels that came agree with that.`;
  return `${said}, if labels follow scores as they did there. A change of that itself cannot be seen without labels.`;
}

/**
 * Whether the share of positives per cell of scores is another live than at the gate, summed over cells: the difference
 * of positives from what the gate's shares let expect, against its standard error, of which the gate's own counts are a
 * part. Signed sums see a shift; null with fewer than 100 labels.
 *
 * @param labelled positives per cell, then negatives per cell
 */
function conceptMoved(
  positives: readonly number[],
  negatives: readonly number[],
  labelled: readonly number[],
): boolean | null {
  const cells = positives.length;
  let [difference, variance, n] = [0, 0, 0];
  for (let i = 0; i < cells; i++) {
    const [up, down] = [labelled[i] ?? 0, labelled[cells + i] ?? 0];
    const [gate, m] = [positives[i]! + negatives[i]!, up + down];
    if (gate === 0 || m === 0) continue;
    // Half a row on each side keeps a share of 0 or 1 from being certain.
    const p = (positives[i]! + 0.5) / (gate + 1);
    difference += up - m * p;
    variance += m * p * (1 - p) * (1 + m / gate);
    n += m;
  }
  if (n < 100) return null;
  return Math.abs(difference) > normalQuantile(0.5 + LEVEL / 2) * Math.sqrt(variance);
}
