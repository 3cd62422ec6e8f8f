import { RandomStream } from "../../eval/stats/random.ts";
import { bet, logCapital, startBetting } from "../../eval/stats/sequential/betting-capital.ts";
import { observeChange, startEDetector } from "../../eval/stats/sequential/e-detector.ts";
import { wilson } from "../../eval/stats/wilson.ts";

/**
 * Watching accuracy with labels. Errors have a daily cycle of ± 2 points around their rate, and each day's labels are
 * taken in random order. The reference has 28 days.
 *
 * - `eSr`: the change detector against the reference's error plus a margin of 2 points, alarm at as many labels as a year
 *   has: at most one false alarm a year on average even on the margin, were the reference's error known exactly. It starts
 *   again after an alarm.
 * - `interval`: the betting interval at .05 of all labels so far lies above the upper end of the reference's (Wilson, 90 %)
 *   plus the margin, at the end of a day. It is asked as the capital against that mean, which is the same.
 * - `nannyml`: the accuracy of a day outside the mean ± 3 sd of the reference's days (`StandardDeviationThreshold`).
 */
export const labelRules = ["eSr", "interval", "nannyml"] as const;
export type LabelRule = (typeof labelRules)[number];
export const margin = 0.02;
const alpha = 0.05;
const referenceDays = 28;

/** Which answers of a day are wrong, in the order of time: a cycle moves the rate within the day. */
function drawDay(random: RandomStream, labels: number, rate: number): Uint8Array {
  return Uint8Array.from({ length: labels }, (_, i) =>
    random.uniform() < rate + 0.02 * Math.sin((2 * Math.PI * i) / labels) ? 1 : 0,
  );
}

const meanOf = (wrong: Uint8Array): number => wrong.reduce((sum, one) => sum + one, 0) / wrong.length;

export type LabelStream = {
  labelsPerDay: number;
  /** Error rate of the reference and of the first `stableDays` days. */
  errorRate: number;
  stableDays: number;
  /** Error rate after them, for `days` days. */
  after: number;
  days: number;
};

/** @returns changes into alarm over all days, and days from the change to the first alarm, null where there was none */
export function watchErrors(
  { labelsPerDay, errorRate, stableDays, after, days }: LabelStream,
  seed: number,
  run: number,
): Record<LabelRule, { alarms: number; first: number | null }> {
  const random = new RandomStream(seed, run);
  const daily = Array.from({ length: referenceDays }, () => meanOf(drawDay(random, labelsPerDay, errorRate)));
  const mean = daily.reduce((sum, one) => sum + one, 0) / referenceDays;
  const sd = Math.sqrt(daily.reduce((sum, one) => sum + (one - mean) ** 2, 0) / referenceDays);
  const labels = labelsPerDay * referenceDays;
  const limit = labelsPerDay * 365;
  let detector = startEDetector(mean + margin);
  const capital = startBetting(wilson(Math.round(mean * labels), labels, 0.9).high + margin, alpha / 2);
  const found = Object.fromEntries(labelRules.map((rule) => [rule, { alarms: 0, first: null as number | null }]));
  const before = new Set<LabelRule>();
  for (let day = 0; day < stableDays + days; day++) {
    const wrong = drawDay(random, labelsPerDay, day < stableDays ? errorRate : after);
    const rate = meanOf(wrong);
    random.shuffle(wrong);
    let changed = false;
    for (const one of wrong) {
      bet(capital, one);
      if (observeChange(detector, one).sr < limit) continue;
      changed = true;
      detector = startEDetector(mean + margin);
    }
    const now: Record<LabelRule, boolean> = {
      eSr: changed,
      interval: logCapital(capital.above) >= Math.log(2 / alpha),
      nannyml: Math.abs(rate - mean) > 3 * sd,
    };
    for (const rule of labelRules) {
      const one = found[rule]!;
      if (now[rule] && !before.has(rule)) one.alarms++;
      if (now[rule] && day >= stableDays) one.first ??= day - stableDays + 1;
      if (now[rule]) before.add(rule);
      else before.delete(rule);
    }
  }
  return found as Record<LabelRule, { alarms: number; first: number | null }>;
}
