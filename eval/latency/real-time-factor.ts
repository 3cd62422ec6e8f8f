/**
 * Seconds of work per second of audio over timed calls of one row each; null where a row's length is not known.
 *
 * @param durationsMs of call i, which predicts row i modulo their number
 * @param audioSeconds of the rows
 */
export function realTimeFactor(
  durationsMs: ArrayLike<number>,
  audioSeconds: readonly (number | null)[],
): number | null {
  if (audioSeconds.length === 0 || durationsMs.length === 0) return null;
  let workMs = 0;
  let seconds = 0;
  for (let i = 0; i < durationsMs.length; i++) {
    const length = audioSeconds[i % audioSeconds.length]!;
    if (length === null) return null;
    workMs += durationsMs[i]!;
    seconds += length;
  }
  return workMs / 1000 / seconds;
}
