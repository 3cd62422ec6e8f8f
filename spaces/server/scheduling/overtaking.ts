/** Whether a submission is one of several parts of a large request. */
type Part = { part: boolean };

/**
 * Who may run next, in order of arrival: small requests before the parts of large ones, so that one row does not wait for
 * thousands that came before it. No part waits for more than one group of small requests, so that a flood of them cannot
 * keep a large request from going on.
 *
 * @param queue in order of arrival
 * @param overtaken whether small requests went ahead of a waiting part the last time
 * @returns `queue` itself where nobody overtakes
 */
export function nextInLine<Entry extends Part>(queue: readonly Entry[], overtaken: boolean): readonly Entry[] {
  if (queue.length < 2) return queue;
  const parts = queue.filter(({ part }) => part);
  if (parts.length === 0 || parts.length === queue.length) return queue;
  return overtaken ? parts : queue.filter(({ part }) => !part);
}
