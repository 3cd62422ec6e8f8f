import type { RandomStream } from "../stats/random.ts";
import { arms, type Arm } from "./rounds.ts";

/** More rounds than this hardly narrow the interval, and would spread the interim looks too thin. */
export const MAX_ROUNDS = 100;

/**
 * Turns of one block: the four processes in random order, then in reverse (ABBA for four). A steady drift during the
 * block affects every process alike, and the random order favours none.
 */
export function blockOrder(random: RandomStream): Arm[] {
  const order = [...arms];
  random.shuffle(order);
  return [...order, ...order.toReversed()];
}

/**
 * How many rounds fit into the cap, judging by the latest one. Only called after the first two rounds, before any look
 * at the data; the first round also compiles what the later ones find compiled. A plan made from durations alone cannot
 * favour either model.
 */
export function planRounds(rounds: number, elapsedMs: number, latestRoundMs: number, capMs: number): number {
  return Math.max(rounds, Math.min(MAX_ROUNDS, rounds + Math.floor((capMs - elapsedMs) / latestRoundMs)));
}

/** How a round is divided: timed calls per turn, untimed calls before them, and blocks. */
export type RoundShape = { calls: number; lead: number; blocks: number };

/**
 * Long compared with the 0.2 ms that switching to the next process takes, and short compared with the tens of
 * milliseconds in which the speed of a shared machine changes. With turns of 1.5 ms, rounds scattered half as much as
 * with 5 ms.
 */
const TURN_MS = 1.5;
/**
 * Untimed calls at the start of a turn. After them, the effects of the wake-up and of the other processes on the caches
 * no longer count.
 */
const LEAD_MS = 0.2;
/**
 * Timed work of a round. Its blocks then agree to about half a percent. Processes differ by two to three times that, so
 * more time is better spent on the next round.
 */
const ROUND_MS = 250;

/**
 * @param callMs time of one call
 * @param startMs time that starting and warming a round's processes takes; a round measures at least a quarter as long
 */
export function shapeRound(callMs: number, startMs: number): RoundShape {
  const calls = Math.min(2000, Math.max(1, Math.round(TURN_MS / callMs)));
  const blockMs = 2 * arms.length * calls * callMs;
  const blocks = Math.min(40, Math.max(5, Math.round(Math.max(ROUND_MS, startMs / 4) / blockMs)));
  return { calls, lead: calls < 2 ? 0 : Math.min(calls, Math.ceil(LEAD_MS / callMs)), blocks };
}
