import { count } from "../text/format.ts";
import { type Budget, takeWithin } from "./budget.ts";

/** Rows of a table that are shown openly, and rows at most. */
const open = 8;
const most = 200;

/**
 * A table of which the first rows are shown and the others fold out.
 * @param left rows that the caller left out already
 */
export function folded(
  { name, about, head, left = 0 }: { name: string; about: string; head: string; left?: number },
  rows: readonly string[],
  budget: Budget,
): string {
  const { taken } = takeWithin(rows.slice(0, most), budget);
  const missing = left + rows.length - taken.length;
  const table = (some: readonly string[]) =>
    `<div class="scroll" tabindex="0" role="region" aria-label="${name}"><table><thead>${head}</thead><tbody>${some.join("")}</tbody></table></div>`;
  const more = taken.slice(open);
  return `<p class="faint">${about}</p>${taken.length === 0 ? "" : table(taken.slice(0, open))}${more.length === 0 ? "" : `<details><summary>${count(more.length)} more</summary>${table(more)}</details>`}${missing === 0 ? "" : `<p>… ${count(missing)} more are left out.</p>`}`;
}
