/**
 * How long to wait before call number `attempt + 1`: drawn evenly between nothing and a bound that doubles ("full
 * jitter"), so that clients which failed together do not come back together; at least what Retry-After asks for.
 *
 * @param attempt calls so far, from 1. @param random in [0, 1).
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
