/**
 * The turn of a group that waits at its engine behind the running one. One atomic step decides who is first: the engine
 * that begins the run, or the server that takes the group back.
 */
export type Turn = Int32Array<SharedArrayBuffer>;

const WAITS = 0;
const BEGUN = 1;
const TAKEN_BACK = 2;

export function newTurn(): Turn {
  return new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
}

/**
 * Called by the engine just before it runs the group.
 *
 * @returns false when the group was taken back and must not run.
 */
export function begin(turn: Turn): boolean {
  return Atomics.compareExchange(turn, 0, WAITS, BEGUN) === WAITS;
}

/**
 * Called by the server to take the group back.
 *
 * @returns false when the run has already begun; it then goes on.
 */
export function takeBack(turn: Turn): boolean {
  return Atomics.compareExchange(turn, 0, WAITS, TAKEN_BACK) === WAITS;
}
