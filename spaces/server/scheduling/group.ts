import type { RunPlan } from "../engine/engine.ts";

/** What grouping needs to know: whether it is tensors or rows, and the length of its longest text. */
type Submission = { feeds: unknown; length: number };

/**
 * Chooses the waiting submissions that run together. The oldest is always among them, so that none starves. Those
 * nearest to it in length join it, as many as the plan's rows and tokens allow. Tensors run alone, because they are
 * batches already.
 *
 * @param queue in order of arrival, not empty; it is not changed.
 */
export function formGroup<Entry extends Submission>(
  queue: readonly Entry[],
  plan: RunPlan,
  sizeOf: (entry: Entry) => number,
): Entry[] {
  const oldest = queue[0]!;
  if (oldest.feeds !== null || plan.maxBatch === 1) return [oldest];
  const others = queue.slice(1).filter((entry) => entry.feeds === null);
  // The sort is stable: rows of the same length keep their order of arrival.
  if (plan.tokenBudget !== null)
    others.sort((a, b) => Math.abs(a.length - oldest.length) - Math.abs(b.length - oldest.length));
  const group = [oldest];
  let rows = sizeOf(oldest);
  let longest = oldest.length;
  for (const entry of others) {
    rows += sizeOf(entry);
    longest = Math.max(longest, entry.length);
    if (rows > plan.maxBatch || (plan.tokenBudget !== null && longest * rows > plan.tokenBudget)) break;
    group.push(entry);
  }
  return group;
}

/**
 * Whether no later arrival could change which submissions run next.
 *
 * @param queue as for `formGroup`.
 */
export function groupIsFinal<Entry extends Submission>(
  queue: readonly Entry[],
  plan: RunPlan,
  sizeOf: (entry: Entry) => number,
): boolean {
  const oldest = queue[0]!;
  if (oldest.feeds !== null || sizeOf(oldest) >= plan.maxBatch) return true;
  // A later row may be nearer to the oldest in length than those that are waiting.
  if (plan.tokenBudget !== null) return oldest.length * (sizeOf(oldest) + 1) > plan.tokenBudget;
  let rows = 0;
  return queue.some((entry) => entry.feeds === null && (rows += sizeOf(entry)) >= plan.maxBatch);
}
