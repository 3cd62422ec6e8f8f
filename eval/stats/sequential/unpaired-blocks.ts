/**
 * Pairs rows of two arms that answer different requests: each candidate row is held against the mean of `ratio` fresh
 * baseline rows. No row is used twice, so differences are independent and have the true difference as their mean. Plain
 * data, of bounded size: what waits for a partner beyond `maxWaiting` is counted and left out. Leaving out depends only
 * on arrival, never on values.
 */
export type UnpairedBlocks = {
  ratio: number;
  candidates: number[];
  blocks: number[];
  open: { sum: number; count: number };
  leftOut: { candidate: number; baseline: number };
};

export const maxWaiting = 1000;

/**
 * @param ratio baseline rows per candidate row, the ratio of the traffic: 9 for a canary of 10 %
 * @throws RangeError where it is not a whole number from 1
 */
export function startUnpairedBlocks(ratio: number): UnpairedBlocks {
  if (!(Number.isInteger(ratio) && ratio >= 1))
    throw new RangeError(`the ratio of baseline to candidate rows must be a whole number from 1, got ${ratio}`);
  return { ratio, candidates: [], blocks: [], open: { sum: 0, count: 0 }, leftOut: { candidate: 0, baseline: 0 } };
}

/**
 * Takes one row in. Changes `state`.
 *
 * @param value of the row, in [0, 1], larger is better
 * @returns candidate - baseline of a pair that is now complete, else null
 */
export function observeArm(state: UnpairedBlocks, arm: "candidate" | "baseline", value: number): number | null {
  if (!(value >= 0 && value <= 1)) throw new RangeError(`a row's value must be in [0, 1], got ${value}`);
  if (arm === "candidate") wait(state, "candidate", value);
  else {
    state.open.sum += value;
    state.open.count++;
    if (state.open.count === state.ratio) {
      wait(state, "baseline", state.open.sum / state.ratio);
      state.open = { sum: 0, count: 0 };
    }
  }
  if (state.candidates.length === 0 || state.blocks.length === 0) return null;
  return (state.candidates.shift() as number) - (state.blocks.shift() as number);
}

function wait(state: UnpairedBlocks, arm: "candidate" | "baseline", value: number): void {
  const queue = arm === "candidate" ? state.candidates : state.blocks;
  if (queue.length >= maxWaiting) state.leftOut[arm] += arm === "candidate" ? 1 : state.ratio;
  else queue.push(value);
}
