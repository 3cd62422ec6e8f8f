/**
 * Busy until the clock says so. Compiled or not, it lasts as long as it should; only the last look at the clock is too
 * late.
 */
function until(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

const CALLS = 200;
const TRIES = 25;

/**
 * A function that keeps the processor busy for `ms`, down to about a tenth of a microsecond.
 * Calibrated here and now by what it lasts too long: one look at the clock, some tens of nanoseconds.
 */
export function calibratedSpin(ms: number): () => void {
  if (ms <= 0) return () => {};
  if (ms > 0.1) return () => until(ms);
  const late = Array.from({ length: TRIES }, () => {
    const start = performance.now();
    for (let i = 0; i < CALLS; i++) until(ms);
    return (performance.now() - start) / CALLS - ms;
  }).toSorted((a, b) => a - b);
  // The fastest tries are the undisturbed ones.
  const shorter = Math.max(0, ms - (late[3] as number));
  return () => until(shorter);
}
