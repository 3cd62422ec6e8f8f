/** Time that may be saved up while nothing is asked, so that little traffic is counted whole. */
const MAX_SAVED_MS = 50;
/** What one row is assumed to cost before it was measured. */
const FIRST_ROW_MS = 0.05;
const NEWEST_WEIGHT = 0.1;

type Observed = { wants: (index: number) => boolean; take: (index: number, features: Float64Array) => void };

/**
 * Chooses the rows of a call whose features are read for the watch. It measures what that costs and spends at most the
 * given share of the time on it: all rows while there is little to do, evenly chosen ones under load.
 *
 * @param now milliseconds
 * @returns takes the number of rows, and the share: 1 chooses every row
 */
export function featureSampler(
  now: () => number,
): (rows: number, share: number, keep: (index: number, features: Float64Array) => void) => Observed {
  let savedMs = MAX_SAVED_MS;
  let at = now();
  let rowMs = FIRST_ROW_MS;
  let calls = 0;
  return (rows, share, keep) => {
    const time = now();
    savedMs = Math.min(MAX_SAVED_MS, savedMs + share * (time - at));
    at = time;
    const affordable = Math.max(0, Math.floor(savedMs / rowMs));
    const every = share === 1 ? 1 : affordable === 0 ? 0 : Math.max(1, Math.ceil(rows / affordable));
    // Another place in every call, because rows of a request may stand in an order.
    const first = every === 0 ? 0 : calls++ % every;
    let begunAt = 0;
    return {
      wants(index) {
        if (every === 0 || index % every !== first) return false;
        begunAt = now();
        return true;
      },
      take(index, features) {
        keep(index, features);
        const ms = now() - begunAt;
        savedMs -= ms;
        rowMs += NEWEST_WEIGHT * (ms - rowMs);
      },
    };
  };
}
