import { kolmogorovUpperTail } from "../../eval/stats/kolmogorov.ts";
import { decideDrift, driftThresholds } from "../../watch/drift/decide-drift.ts";
import { designEffect } from "../../watch/drift/design-effect.ts";
import { total } from "../../watch/drift/distributions.ts";
import { jensenShannon } from "../../watch/drift/jensen-shannon.ts";
import { lookLevel } from "../../watch/drift/look-level.ts";
import { psi, psiEstimate } from "../../watch/drift/psi.ts";
import { bins, centre, width } from "./world.ts";

/** What a rule says of one window. `days`: those of the window; `before`: those before it, newest last. */
export type Rule = (
  window: Float64Array,
  days: readonly Float64Array[],
  before: readonly Float64Array[],
) => "DRIFT" | "STABLE" | "INCONCLUSIVE";

/** Counts on coarser bins; `bin` says to which each narrow one belongs. */
function coarsen(counts: Float64Array, bin: Uint16Array, size: number): number[] {
  const out = Array.from({ length: size }, () => 0);
  counts.forEach((count, i) => {
    const to = bin[i] as number;
    out[to] = (out[to] as number) + count;
  });
  return out;
}

/** The reference's deciles, on the borders of narrow bins. */
function deciles(reference: Float64Array): { bin: Uint16Array; size: number } {
  const rows = reference.reduce((sum, one) => sum + one, 0);
  let upTo = 0;
  const bin = Uint16Array.from(reference, (count) => {
    const at = Math.min(9, Math.floor((10 * upTo) / rows));
    upTo += count;
    return at;
  });
  return { bin, size: 10 };
}

/** Days of history that the design effect is measured on. */
export const historyDays = 28;

/**
 * PSI on the reference's deciles, its interval at the level of one look of 365 in a year, decided by effect. The rows of
 * the window count as many as their variation between days says: the window's own days, or the month before.
 */
export function sluice(reference: Float64Array, effectOf: "window" | "month before" | "nothing"): Rule {
  const { bin, size } = deciles(reference);
  const before = coarsen(reference, bin, size);
  const { level } = lookLevel({ looksPerYear: 365, series: 1 });
  const known = new WeakMap<Float64Array, number[]>();
  const block = (day: Float64Array): number[] => {
    const counts = known.get(day) ?? coarsen(day, bin, size);
    known.set(day, counts);
    return counts;
  };
  return (window, days, earlier) => {
    const counts = { reference: before, live: coarsen(window, bin, size) };
    const blocks = { window: days, "month before": earlier.slice(-historyDays), nothing: [] }[effectOf];
    const live = designEffect(blocks.map(block)) ?? 1;
    return decideDrift(psiEstimate(counts, level, { live }), driftThresholds.psi).state;
  };
}

/** PSI above .1, the rule of thumb, on the same counts. */
export function psiRuleOfThumb(reference: Float64Array): Rule {
  const { bin, size } = deciles(reference);
  const before = coarsen(reference, bin, size);
  return (window) => (psi({ reference: before, live: coarsen(window, bin, size) }) > 0.1 ? "DRIFT" : "STABLE");
}

/**
 * Evidently's default for a number with more than five values: up to 1,000 rows of reference Kolmogorov-Smirnov with p ≤
 * .05, above that the Wasserstein distance over the reference's standard deviation ≥ .1 (its `registry.py`,
 * `ks_stattest.py` and `wasserstein_distance_norm.py`).
 */
export function evidently(reference: Float64Array): Rule {
  const n = reference.reduce((sum, one) => sum + one, 0);
  let mean = 0;
  let square = 0;
  reference.forEach((count, i) => {
    mean += (count * centre(i)) / n;
    square += (count * centre(i) ** 2) / n;
  });
  const sd = Math.max(Math.sqrt(square - mean * mean), 0.001);
  return (window) => {
    const m = window.reduce((sum, one) => sum + one, 0);
    if (m === 0) return "INCONCLUSIVE";
    let gap = 0;
    let largest = 0;
    let area = 0;
    for (let i = 0; i < bins; i++) {
      gap += (reference[i] as number) / n - (window[i] as number) / m;
      largest = Math.max(largest, Math.abs(gap));
      area += Math.abs(gap) * width;
    }
    const drifted = n <= 1000 ? kolmogorovUpperTail(largest * Math.sqrt((n * m) / (n + m))) <= 0.05 : area / sd >= 0.1;
    return drifted ? "DRIFT" : "STABLE";
  };
}

/**
 * NannyML's default for a number: Jensen-Shannon distance > .1 on equal bins over the reference's range, as many as Doane's
 * rule gives, values outside in a bin of their own (its `univariate/methods.py` and `calculator.py`).
 */
export function nannyml(reference: Float64Array): Rule {
  const n = reference.reduce((sum, one) => sum + one, 0);
  const low = reference.findIndex((count) => count > 0);
  const high = reference.findLastIndex((count) => count > 0);
  const moment = (power: number, about: number): number =>
    reference.reduce((sum, count, i) => sum + (count * (centre(i) - about) ** power) / n, 0);
  const mean = moment(1, 0);
  const skewness = moment(3, mean) / moment(2, mean) ** 1.5;
  const sigma = Math.sqrt((6 * (n - 2)) / ((n + 1) * (n + 3)));
  const size = Math.ceil(1 + Math.log2(n) + Math.log2(1 + Math.abs(skewness) / sigma));
  const bin = Uint16Array.from(reference, (_, i) =>
    i < low || i > high ? size : Math.min(size - 1, Math.floor((size * (i - low)) / (high - low + 1))),
  );
  const before = coarsen(reference, bin, size + 1);
  return (window) => {
    const live = coarsen(window, bin, size + 1);
    if (total(live) === 0) return "INCONCLUSIVE";
    return jensenShannon({ reference: before, live }) > 0.1 ? "DRIFT" : "STABLE";
  };
}

/** What is compared: the name in the tables, the window in days, and the rule. */
export const contenders: readonly { name: string; days: number; rule: (reference: Float64Array) => Rule }[] = [
  { name: "Sluice, 7 days", days: 7, rule: (reference) => sluice(reference, "window") },
  { name: "month before, 7 days", days: 7, rule: (reference) => sluice(reference, "month before") },
  { name: "month before, 1 day", days: 1, rule: (reference) => sluice(reference, "month before") },
  { name: "no effect, 1 day", days: 1, rule: (reference) => sluice(reference, "nothing") },
  { name: "PSI > .1, 1 day", days: 1, rule: psiRuleOfThumb },
  { name: "Evidently, 1 day", days: 1, rule: evidently },
  { name: "Evidently, 7 days", days: 7, rule: evidently },
  { name: "NannyML, 1 day", days: 1, rule: nannyml },
  { name: "NannyML, 7 days", days: 7, rule: nannyml },
];
