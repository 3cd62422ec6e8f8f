import { RandomStream } from "../../eval/stats/random.ts";
import { contenders, historyDays } from "./rules.ts";
import { add, bins, Stream, type World } from "./world.ts";

export type Setting = { world: World; reference: number; traffic: number };

/** Of one contender over all years without drift. */
export type Alarms = { name: string; alarmsPerYear: number; driftShare: number; inconclusiveShare: number };

/**
 * Plays years of one setting without drift. Each year is another model with a reference of its own. An alarm is a change
 * into DRIFT; days that stay there are the same alarm. Windows roll and are looked at once a day.
 */
export function withoutDrift(setting: Setting, years: number, seed: number): Alarms[] {
  const tally = contenders.map(() => ({ alarms: 0, drift: 0, inconclusive: 0 }));
  for (let year = 0; year < years; year++)
    play(
      setting,
      new RandomStream(seed, year),
      historyDays + 7 + 365,
      () => 0,
      (state, contender, before) => {
        const one = tally[contender]!;
        if (state === "DRIFT") one.drift++;
        if (state === "DRIFT" && before !== "DRIFT") one.alarms++;
        if (state === "INCONCLUSIVE") one.inconclusive++;
        return false;
      },
    );
  return contenders.map(({ name }, i) => {
    const { alarms, drift, inconclusive } = tally[i]!;
    const looks = years * 365;
    return { name, alarmsPerYear: alarms / years, driftShare: drift / looks, inconclusiveShare: inconclusive / looks };
  });
}

/** Days from a shift to the first alarm, one per run; null where there was none within `horizon` days. */
export type Delays = { name: string; days: (number | null)[] };

/** The shift comes after a month, on a random day of the week. What was alarmed before does not count. */
export function afterShift(setting: Setting, shift: number, runs: number, horizon: number, seed: number): Delays[] {
  const delays = contenders.map(({ name }): Delays => ({ name, days: [] }));
  for (let run = 0; run < runs; run++) {
    const random = new RandomStream(seed, run);
    const onset = historyDays + 7 + random.below(7);
    const found = contenders.map((): number | null => null);
    play(
      setting,
      random,
      onset + horizon,
      (day) => (day >= onset ? shift : 0),
      (state, contender, _, day) => {
        if (day >= onset && state === "DRIFT") found[contender] ??= day - onset + 1;
        return found.every((one) => one !== null);
      },
    );
    found.forEach((one, i) => delays[i]!.days.push(one));
  }
  return delays;
}

/** `look` ends the stream by returning true. */
function play(
  { world, reference: rows, traffic }: Setting,
  random: RandomStream,
  days: number,
  drift: (day: number) => number,
  look: (state: string, contender: number, before: string, day: number) => boolean,
): void {
  const stream = new Stream(world);
  const reference = stream.drawReference(random, rows);
  const rules = contenders.map(({ rule }) => rule(reference));
  const states = contenders.map(() => "STABLE");
  const history: Float64Array[] = [];
  const week = new Float64Array(bins);
  for (let day = 0; day < days; day++) {
    const today = stream.drawDay(random, day, traffic, drift(day));
    history.push(today);
    add(week, today, 1);
    if (history.length > 7) add(week, history.at(-8)!, -1);
    if (history.length > historyDays + 7) history.shift();
    if (day < historyDays + 7) continue;
    let over = false;
    contenders.forEach(({ days: size }, i) => {
      const state = rules[i]!(size === 1 ? today : week, history.slice(-size), history.slice(0, -size));
      over = look(state, i, states[i]!, day);
      states[i] = state;
    });
    if (over) return;
  }
}
