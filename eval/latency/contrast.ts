import { quantile } from "../stats/quantile.ts";
import type { Arm, Block, Quantile, Round } from "./rounds.ts";

/** The result of one round, in natural logarithms: 0.01 is 1 % slower. */
export type Contrast = {
  /** The candidate's two processes against the baseline's two. */
  effect: number;
  /** The baseline's second process against its first: the A/A arm. */
  baselineSelf: number;
  /** The candidate's second process against its first: a second A/A arm. */
  candidateSelf: number;
};

/**
 * Computes the contrasts from the logarithm of each process's latency. `effect` changes its sign when the roles are
 * swapped, so it scatters symmetrically about 0 when the models do not differ.
 */
function contrastOf(log: Record<Arm, number>): Contrast {
  return {
    effect: (log.candidate + log.candidateTwin - log.baseline - log.baselineTwin) / 2,
    baselineSelf: log.baselineTwin - log.baseline,
    candidateSelf: log.candidateTwin - log.candidate,
  };
}

const each = (value: (arm: Arm) => number): Record<Arm, number> => ({
  baseline: value("baseline"),
  baselineTwin: value("baselineTwin"),
  candidate: value("candidate"),
  candidateTwin: value("candidateTwin"),
});

function blockContrast(block: Block): Contrast {
  return contrastOf(each((arm) => (Math.log(block[arm][0]) + Math.log(block[arm][1])) / 2));
}

/**
 * One value per round and arm. For the median, processes are compared within each block first and the median over
 * blocks is taken then, so that a burst of other work in some blocks does not count. A tail consists of such bursts, so
 * it is taken over all queries of the round.
 */
export function roundContrast(round: Round, q: Quantile): Contrast {
  if (q !== 0.5) return contrastOf(each((arm) => Math.log(quantile(round.queriesMs[arm], q))));
  const all = round.blocks.map(blockContrast);
  const middle = (pick: (one: Contrast) => number) => quantile(all.map(pick), 0.5);
  return {
    effect: middle((c) => c.effect),
    baselineSelf: middle((c) => c.baselineSelf),
    candidateSelf: middle((c) => c.candidateSelf),
  };
}
