import type { RunPlan } from "../engine/engine.ts";

/** What grouping looks at: tensors or rows, and how long the longest of its texts is. */
type Submission = { feeds: unknown; length: number };

/**
 * Which waiting submissions run together. The oldest always goes, so that none starves; those nearest to it in length
 * go with it, as many as the plan's rows and tokens allow. Tensors run alone: they are batches already.
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
  // A stable sort: rows of one length keep their order of arrival.
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
  // A row that comes may be nearer to the oldest in length than those that are here.
  if (plan.tokenBudget !== null) return oldest.length * (sizeOf(oldest) + 1) > plan.tokenBudget;
  let rows = 0;
  return queue.some((entry) => entry.feeds === null && (rows += sizeOf(entry)) >= plan.maxBatch);
}
