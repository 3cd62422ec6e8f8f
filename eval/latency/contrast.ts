import { quantile } from "../stats/quantile.ts";
import type { Arm, Block, Quantile, Round } from "./rounds.ts";

/** What one round says, in natural logarithms: 0.01 is 1 % slower. */
export type Contrast = {
  /** Candidate's two processes against the baseline's two. */
  effect: number;
  /** The baseline's second process against its first: the A/A arm. */
  baselineSelf: number;
  /** The candidate's second process against its first: a second A/A arm. */
  candidateSelf: number;
};

/**
 * From the logarithm of each process's latency. `effect` changes its sign with the roles, so under no change it
 * scatters symmetrically about 0.
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
 * One value per round and arm. The median compares neighbours in time first and takes the median over blocks then, so
 * that a burst of other work in some of the blocks does not count; a tail is what such bursts are, so it is taken over
 * all queries of the round.
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
