import { EvaluationError } from "../../models/core/errors.ts";
import type { Dataset } from "../../models/core/manifest/manifest.ts";

/** A row that cannot be evaluated: its place and the reason. */
export type BadRow = { place: string; reason: string };

const shown = 20;
const named = 3;

/** A reason without the value that came, so that rows with the same fault are one group. */
function kindOf(reason: string): string {
  return reason.replace(/: "(?:[^"\\]|\\.)*"$/, "").replace(/; received: [^;]*/, "");
}

/**
 * `PLACE, PLACE: REASON`, one line per kind of reason, for the first twenty kinds. Up to three rows are named for each;
 * the rest are counted. The reason is the first row's.
 */
export function describeBadRows(badRows: readonly BadRow[]): string {
  const alike = [...Map.groupBy(badRows, ({ reason }) => kindOf(reason))];
  const lines = alike.slice(0, shown).map(
    ([, rows]) =>
      `${rows
        .slice(0, named)
        .map(({ place }) => place)
        .join(", ")}${rows.length > named ? ` and ${rows.length - named} more` : ""}: ${rows[0]!.reason}`,
  );
  const rest = alike.slice(shown).reduce((sum, [, rows]) => sum + rows.length, 0);
  return [...lines, ...(rest === 0 ? [] : [`… and ${rest} more`])].join("\n");
}

/** The largest number of bad rows that `maxBadRows` allows among `rows` rows, good and bad together. */
function badRowLimit(maxBadRows: Dataset["maxBadRows"], rows: number): number {
  return typeof maxBadRows === "number" ? maxBadRows : Math.floor(maxBadRows.fraction * rows);
}

/**
 * Refuses a dataset with more bad rows than its manifest allows.
 * @param rows good and bad rows together
 * @param counted `all: false` where the model has not seen the rows yet, and may refuse more of them
 * @throws EvaluationError `too-many-bad-rows`, naming the first twenty reasons.
 */
export function assertBadRows(
  badRows: readonly BadRow[],
  rows: number,
  dataset: Pick<Dataset, "id" | "maxBadRows">,
  counted: { all: boolean } = { all: true },
): void {
  const limit = badRowLimit(dataset.maxBadRows, rows);
  if (badRows.length <= limit) return;
  throw new EvaluationError({
    code: "too-many-bad-rows",
    problem: `dataset "${dataset.id}" has ${badRows.length} bad ${badRows.length === 1 ? "row" : "rows"} among ${rows}${counted.all ? "" : ", as read (the model may refuse more)"}:\n${describeBadRows(badRows)}`,
    expected: `at most ${limit} (maxBadRows: ${typeof dataset.maxBadRows === "number" ? dataset.maxBadRows : `{fraction: ${dataset.maxBadRows.fraction}}`})`,
    received: String(badRows.length),
    hint: `repair the rows${badRows.some(({ reason }) => /missing|empty/.test(reason)) ? ", give a column a value for rows without one (missing: {fill: 0} in its preprocessing)" : ""}, or raise dataset.maxBadRows if they are known and harmless`,
  });
}
