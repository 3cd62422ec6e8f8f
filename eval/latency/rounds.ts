/**
 * The four processes of a round: each model twice, all four freshly started.
 *
 * Two processes of the same model differ in speed by 1 to 3 % for as long as they live (memory layout, which functions
 * the JIT compiled when). Blocks of one pair of processes therefore say nothing about the next pair: the unit of
 * repetition is the round.
 */
export const arms = ["baseline", "baselineTwin", "candidate", "candidateTwin"] as const;
export type Arm = (typeof arms)[number];

/** Median latency, in ms, of each process's two turns in one block. */
export type Block = Record<Arm, readonly [number, number]>;

export type Round = {
  /** At least one. */
  blocks: readonly Block[];
  /** Every timed query of the round, in ms. The turns of a process follow one another. */
  queriesMs: Record<Arm, Float64Array>;
};

/** `sameProcessors`: whether the round's four processes were kept on the same processors. */
export type MeasuredRound = Round & { sameProcessors: boolean };

/** Which tail of the latencies is compared. */
export type Quantile = 0.5 | 0.95 | 0.99;
