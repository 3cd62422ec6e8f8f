/**
 * Characters that are left for a kind of content. Each part that is added reduces them, which keeps the document small
 * whatever the input.
 */
export type Budget = { left: number };

/** The first items that fit into the budget, and the number of those that did not. */
export function takeWithin(items: readonly string[], budget: Budget): { taken: string[]; left: number } {
  const taken: string[] = [];
  for (const item of items) {
    if (item.length > budget.left) break;
    budget.left -= item.length;
    taken.push(item);
  }
  return { taken, left: items.length - taken.length };
}

/** The item if it fits, else null. */
export function spend(item: string, budget: Budget): string | null {
  if (item.length > budget.left) return null;
  budget.left -= item.length;
  return item;
}
