/** The slice of the rows that have no value. */
export const missingSlice = "(missing)";

/** What other programs write where a value is missing. Here it is text as any other: NA may be Namibia. */
const likeMissing = /^(n\/?a|#n\/a|<na>|nan|null|none|nil|\?|-)$/i;

/**
 * What a reader should know about the values of one slice column.
 * @param counts value → number of rows
 */
export function sliceValueNotes(column: string, counts: ReadonlyMap<string, number>): string[] {
  const notes: string[] = [];
  const named = `slice column ${JSON.stringify(column)}`;
  const rows = (count: number) => `${count} ${count === 1 ? "row" : "rows"}`;
  const missing = counts.get(missingSlice);
  if (missing !== undefined)
    notes.push(`${named}: ${rows(missing)} without a value, which form the slice ${column}=${missingSlice}`);
  for (const [value, count] of counts)
    if (likeMissing.test(value.trim()))
      notes.push(
        `${named}: ${JSON.stringify(value)} in ${rows(count)} is taken as a value like any other; where it means missing, leave the cell empty`,
      );
  const spaced = [...counts.keys()].filter((value) => value !== value.trim());
  if (spaced.length > 0)
    notes.push(
      `${named}: ${spaced.length} ${spaced.length === 1 ? "value has" : "values have"} spaces around, which are kept: ${spaced
        .slice(0, 3)
        .map((value) => JSON.stringify(value.slice(0, 40)))
        .join(", ")}`,
    );
  return notes;
}
