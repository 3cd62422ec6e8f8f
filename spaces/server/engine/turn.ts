/**
 * The turn of a group that waits at its engine behind the one that runs. One atomic step decides which comes first: the
 * engine that begins the run, or the server that takes the group back.
 */
export type Turn = Int32Array<SharedArrayBuffer>;

const WAITS = 0;
const BEGUN = 1;
const TAKEN_BACK = 2;

export function newTurn(): Turn {
  return new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
}

/** The engine's step, just before it runs. @returns false when the group was taken back: nothing of it may run. */
export function begin(turn: Turn): boolean {
  return Atomics.compareExchange(turn, 0, WAITS, BEGUN) === WAITS;
}

/** The server's step. @returns false when the run has begun: it goes on. */
export function takeBack(turn: Turn): boolean {
  return Atomics.compareExchange(turn, 0, WAITS, TAKEN_BACK) === WAITS;
}
