import { normalQuantile } from "../../eval/stats/normal.ts";
import type { Replay } from "./results.ts";
import { percent, slowdowns } from "./tally.ts";

const goals = { slowdown: slowdowns[1] as number, found: 0.95, falseFail: 0.005, medianSeconds: 60 };
/** One-sided level of one look of a Pocock-type plan with about a dozen looks at alpha 0.05, as a normal quantile. */
const LOOK_QUANTILE = 2.2;

/**
 * A table of the goals, kept or missed, and a paragraph on what prevents the missed ones, with figures of the same
 * recording.
 */
export function limits({ results, margin, capSeconds, roundDeviation, roundsInCap, rounds, seconds }: Replay): string {
  const same = results.find((one) => one.slowdown === 0)?.ours;
  const slower = results.find((one) => one.slowdown === goals.slowdown)?.ours;
  if (same === undefined || slower === undefined) return "";
  const medianSeconds = Math.max(same.seconds.median, slower.seconds.median);
  const kept = (yes: boolean) => (yes ? "kept" : "**missed**");
  const lines = [
    `| ${percent(goals.slowdown, 0)} slower is FAIL | ≥ ${percent(goals.found, 0)} | ${percent(slower.fail.rate, 1)} | ${kept(slower.fail.rate >= goals.found)} |`,
    `| no change is FAIL | ≤ ${percent(goals.falseFail, 1)} | ${percent(same.fail.rate)} | ${kept(same.fail.rate <= goals.falseFail)} |`,
    `| median time to the verdict | ≤ ${goals.medianSeconds} s | ${medianSeconds.toFixed(0)} s | ${kept(medianSeconds <= goals.medianSeconds)} |`,
    `| longest | ≤ ${capSeconds} s | ${Math.max(...results.map(({ ours }) => ours.seconds.max)).toFixed(0)} s | ${kept(results.every(({ ours }) => ours.seconds.max <= capSeconds))} |`,
  ];
  // Normal approximation: the low end of the interval must clear the margin even in the worst 5 % of cases.
  const distance = Math.log((1 + goals.slowdown) / (1 + margin));
  const needed = Math.ceil((((LOOK_QUANTILE + normalQuantile(goals.found)) * roundDeviation) / distance) ** 2);
  const perRound = seconds / rounds;
  return `| goal | | measured | |
| --- | --- | --- | --- |
${lines.join("\n")}

**What limits it.** Two fresh processes of the same model differ for as long as they live, so a round counts once however long it is: its ratio scatters by ${percent(roundDeviation)} (robust standard deviation). A round takes ${perRound.toFixed(1)} s, starting and warming four processes included, so the cap holds about ${roundsInCap} of them. To tell ${percent(goals.slowdown, 0)} from the margin of ${percent(margin, 1)} nineteen times in twenty takes about ${needed} rounds, ${(needed * perRound).toFixed(0)} s, by the normal approximation. ${needed > roundsInCap ? "That is more than the cap: on this machine only a longer cap, a smaller margin or a calmer runner would do." : "That fits the cap."} ${undecided(results)}
`;
}

/** Why gates stayed inconclusive, counted over every slow-down. */
function undecided(results: Replay["results"]): string {
  const sum = (of: (one: Replay["results"][number]) => number) => results.reduce((total, one) => total + of(one), 0);
  const [gates, open, voided] = [
    sum(({ ours }) => ours.gates),
    sum(({ ours }) => ours.inconclusive.count),
    sum((one) => one.voided),
  ];
  return `Of all ${gates.toLocaleString("en")} gates ${open} are INCONCLUSIVE: ${voided} because the A/A arm excluded 1, ${open - voided} because the cap or the last round came first.`;
}
