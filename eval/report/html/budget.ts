/** Keeps the document small whatever it is given: what a part takes is taken from what is left for the others. */
export type Budget = { left: number };

/** As many of the first items as fit into the budget, and how many did not. */
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
