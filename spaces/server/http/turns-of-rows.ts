import { setImmediate } from "node:timers/promises";

/** So many rows of one request are worked on at a time: well under a millisecond of plain rows. */
const ROWS_A_TURN = 256;

/**
 * Lets the event loop turn after every 256 rows, so that what came in meanwhile is read and answered: a thousand rows at
 * once would hold up every other request for as long as they take.
 *
 * @param done rows of the request that were worked on
 * @returns null within a turn, and where nothing is left to do
 */
export function turnAfter(done: number, all: number): Promise<void> | null {
  return done % ROWS_A_TURN === 0 && done < all ? setImmediate() : null;
}
