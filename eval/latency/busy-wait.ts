/** Busy-waits for `ms`. Compiled or not, it lasts long enough; only the last reading of the clock makes it late. */
function until(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

const CALLS = 200;
const TRIES = 25;

/**
 * A function that keeps the processor busy for `ms`, down to about a tenth of a microsecond. It is calibrated when it
 * is made: the time by which a wait lasts too long is measured and subtracted. That is one reading of the clock, some
 * tens of nanoseconds.
 */
export function calibratedBusyWait(ms: number): () => void {
  if (ms <= 0) return () => {};
  if (ms > 0.1) return () => until(ms);
  const late = Array.from({ length: TRIES }, () => {
    const start = performance.now();
    for (let i = 0; i < CALLS; i++) until(ms);
    return (performance.now() - start) / CALLS - ms;
  }).toSorted((a, b) => a - b);
  // The fastest tries are the least disturbed ones.
  const shorter = Math.max(0, ms - (late[3] as number));
  return () => until(shorter);
}
