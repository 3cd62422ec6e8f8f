import type { RandomStream } from "../stats/random.ts";
import { arms, type Arm } from "./rounds.ts";

/** Below this many rounds no signed-rank interval is narrow enough to decide: 2^-7 < 0.01. */
export const FIRST_LOOK = 7;
/** More rounds than this hardly narrow the interval, and the looks would be spread too thin. */
export const MOST_ROUNDS = 100;

/**
 * Turns of one block: the four processes in random order, then in the reverse of it (ABBA for four).
 * Whatever drifts evenly during the block hits every process alike, and the random order hits none by habit.
 */
export function blockOrder(random: RandomStream): Arm[] {
  const order = [...arms];
  for (let i = order.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [order[i], order[j]] = [order[j] as Arm, order[i] as Arm];
  }
  return [...order, ...order.toReversed()];
}

/**
 * After how many rounds the data is looked at: from `FIRST_LOOK` on, each about a quarter later than the one before,
 * the last at `maxRounds`. Fewer than `FIRST_LOOK` rounds give a single look, at the end.
 */
export function lookRounds(maxRounds: number): number[] {
  const looks: number[] = [];
  for (let next = FIRST_LOOK; next < maxRounds; next = Math.max(next + 2, Math.round(next * 1.25))) looks.push(next);
  return [...looks, maxRounds];
}

/**
 * How many rounds will fit into the cap, by what the latest one took. Asked after the first two rounds only, before any
 * look: the first also compiles what the later ones find compiled. A plan made from durations alone cannot favour
 * either model.
 */
export function planRounds(rounds: number, elapsedMs: number, latestRoundMs: number, capMs: number): number {
  return Math.max(rounds, Math.min(MOST_ROUNDS, rounds + Math.floor((capMs - elapsedMs) / latestRoundMs)));
}

/** How a round is cut: calls per turn, calls before it that are not timed, and blocks. */
export type RoundShape = { calls: number; lead: number; blocks: number };

/**
 * Long enough beside the 0.2 ms that handing over takes. Where a machine shares its cores with strangers its pace
 * changes within tens of milliseconds, and only what is shorter is hit alike: with turns of 1.5 ms rounds scattered
 * half as much as with 5 ms.
 */
const TURN_MS = 1.5;
/**
 * Calls that are not timed at the start of a turn: what the wake-up and the other processes did to the caches is over
 * then.
 */
const LEAD_MS = 0.2;
/**
 * Timed work of a round: its blocks then agree to about half a percent. Processes differ by two to three times that, so
 * time is better spent on the next round.
 */
const ROUND_MS = 250;

/**
 * @param callMs time of one call
 * @param startMs what starting and warming a round's processes takes; a round measures at least a quarter as long
 */
export function shapeRound(callMs: number, startMs: number): RoundShape {
  const calls = Math.min(2000, Math.max(1, Math.round(TURN_MS / callMs)));
  const blockMs = 2 * arms.length * calls * callMs;
  const blocks = Math.min(40, Math.max(5, Math.round(Math.max(ROUND_MS, startMs / 4) / blockMs)));
  return { calls, lead: calls < 2 ? 0 : Math.min(calls, Math.ceil(LEAD_MS / callMs)), blocks };
}
