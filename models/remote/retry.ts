/**
 * How long to wait before call number `attempt + 1`. The wait is drawn uniformly between 0 and a bound that doubles
 * ("full jitter"), so that clients that failed together do not come back together. It is never less than Retry-After.
 *
 * @param attempt number of calls so far, from 1.
 * @param random in [0, 1).
 */
export function retryDelayMs(
  attempt: number,
  retryAfterMs: number | null,
  options: { baseMs: number; maxMs: number },
  random: () => number,
): number {
  const bound = Math.min(options.maxMs, options.baseMs * 2 ** (attempt - 1));
  return Math.max(retryAfterMs ?? 0, random() * bound);
}
