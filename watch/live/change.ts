import { observeChange, startEDetector } from "../../eval/stats/sequential/e-detector.ts";
import { RandomStream } from "../../eval/stats/random.ts";
import type { ChangeState } from "../schema/state.ts";

const SEED = 20;
const DAY_MS = 86_400_000;
const YEAR_DAYS = 365;
/** An alarm never takes fewer labels than this a year: with a handful a day, a bad week would be enough. */
const FEWEST_A_YEAR = 1_000;

/**
 * A day that is not over is looked at often, and its labels so far may be those of its worse half. It takes this many
 * times the evidence, which a real break has within a few labels more.
 */
const OPEN_DAY = 100;

/** Labelled answers of one day (UTC), by cell. `over`: all of its hours are past the label horizon. */
export type LabelledDay = { day: string; counts: readonly number[]; over: boolean };

/** What a value of each cell is at least and at most, in [0, 1]; higher is worse. */
export type Badness = { low: readonly number[]; high: readonly number[] };

export type ChangeLook = {
  /** To be kept for the next look. */
  state: ChangeState;
  /** The day of the alarm that stands, YYYY-MM-DD; null if there is none. */
  worseSince: string | null;
  /** Whether the latest alarm was closed again. */
  closed: boolean;
};

/**
 * Follows one figure by its labels with the change detector: an alarm when its mean rose above `limit`. The same rule
 * turned round closes the alarm: the mean is shown to be below `limit` again. A model that stays exactly on the limit
 * raises an alarm `falseAlarmsPerYear` times a year at most on average, however often one looks.
 *
 * Days that are over are taken into the state, each in random order: a rate that swings within the day is above its mean
 * for half of it. A day that is not over is looked at on a copy, and takes more evidence. So a second look at the same
 * labels changes nothing. Labels that come late to a day that was taken are taken as they come.
 *
 * @param before null for the first look; that of another limit counts as null, and what is still kept is taken anew
 * @param days oldest first
 * @param limit the mean to hold
 * @throws RangeError where the limit is not inside (0, 1)
 */
export function followChange(
  before: ChangeState | null,
  days: readonly LabelledDay[],
  badness: Badness,
  limit: number,
  falseAlarmsPerYear: number,
): ChangeLook {
  const isSame = before !== null && Math.abs(before.limit - limit) < 1e-12;
  const state: ChangeState = isSame
    ? { ...before, detector: structuredClone(before.detector) }
    : { limit, worseSince: null, closed: false, detector: startEDetector(limit), taken: [] };
  const alarmAt = labelsPerYear(days) / falseAlarmsPerYear;
  const earlier = new Map(state.taken.map(({ day, counts }) => [day, counts]));
  const taken: ChangeState["taken"] = [];
  for (const { day, counts, over } of days) {
    const known = earlier.get(day);
    if (!over && known === undefined) continue;
    const all = counts.map((count, cell) => Math.max(count, known?.[cell] ?? 0));
    const late = all.map((count, cell) => count - (known?.[cell] ?? 0));
    take(state, day, late, badness, alarmAt);
    taken.push({ day, counts: all });
  }
  state.taken = taken;
  const seen = { ...state, detector: structuredClone(state.detector) };
  for (const { day, counts, over } of days)
    if (!over && !earlier.has(day)) take(seen, day, counts, badness, OPEN_DAY * alarmAt);
  return { state, worseSince: seen.worseSince, closed: seen.closed };
}

/** As many as came until now, over a year. */
function labelsPerYear(days: readonly LabelledDay[]): number {
  const labelled = days.filter(({ counts }) => counts.some((count) => count > 0));
  const [first, last] = [labelled[0], labelled.at(-1)];
  if (first === undefined || last === undefined) return FEWEST_A_YEAR;
  const labels = labelled.reduce((sum, { counts }) => sum + counts.reduce((all, count) => all + count, 0), 0);
  const span = (Date.parse(last.day) - Date.parse(first.day)) / DAY_MS + 1;
  return Math.max(FEWEST_A_YEAR, (labels / span) * YEAR_DAYS);
}

/** Takes labels in, in random order. Changes `state`. */
function take(
  state: ChangeState,
  day: string,
  counts: readonly number[],
  { low, high }: Badness,
  alarmAt: number,
): void {
  const labels = counts.reduce((sum, count) => sum + count, 0);
  if (labels === 0) return;
  const order = new Uint16Array(labels);
  let at = 0;
  counts.forEach((count, cell) => {
    order.fill(cell, at, at + count);
    at += count;
  });
  new RandomStream(SEED, Date.parse(day) / DAY_MS).shuffle(order);
  for (const cell of order) {
    const worse = state.worseSince === null;
    // Where only a cell is known, neither alarm nor its end may come from what is not known.
    const { sr } = observeChange(state.detector, worse ? low[cell]! : 1 - high[cell]!);
    if (sr < alarmAt) continue;
    state.worseSince = worse ? day : null;
    state.closed = !worse;
    state.detector = startEDetector(worse ? 1 - state.limit : state.limit);
  }
}
