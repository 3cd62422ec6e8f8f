import { stringify } from "csv-stringify/sync";

/** The columns that stand around those of the heads. */
const BEFORE = ["row", "id", "outcome"];
const AFTER = ["reasons", "error_status", "error_code", "error", "notes"];

type Line = {
  row: number;
  id: string;
  heads?: Record<string, Record<string, unknown>>;
  reasons?: { rule: string; reason?: string }[];
  notes?: { field: string; problem: string; used: string }[];
  error?: { status: number; code: string; detail?: string };
};

export const tableHeader = (columns: readonly string[]): string => csv([[...BEFORE, ...columns, ...AFTER]]);

/**
 * Lines of a result as rows of a CSV table (RFC 4180, UTF-8). Lists are written as JSON.
 *
 * @param columns HEAD_PART of each head, as `answerColumns` gives them
 */
export function tableRows(lines: string, columns: readonly string[]): string {
  return csv(
    lines
      .split("\n")
      .filter((line) => line !== "")
      .map((text) => {
        const line = JSON.parse(text) as Line;
        const { error } = line;
        return [
          line.row,
          line.id,
          error === undefined ? "predicted" : error.status >= 500 || error.status === 429 ? "failed" : "refused",
          ...columns.map((name) => partOf(line.heads, name)),
          line.reasons?.map(({ rule, reason }) => (reason === undefined ? rule : `${rule}: ${reason}`)).join(" · "),
          error?.status,
          error?.code,
          error?.detail,
          line.notes?.map(({ field, problem, used }) => `${field}: ${problem}; ${used} was used`).join(" · "),
        ];
      }),
  );
}

/** Heads and parts are joined with "_", which a head's name may hold as well. A part's name holds none. */
function partOf(heads: Line["heads"], column: string): unknown {
  const cut = column.lastIndexOf("_");
  return heads?.[column.slice(0, cut)]?.[column.slice(cut + 1)];
}

const csv = (table: unknown[][]) => stringify(table, { quoted_match: /[\r\n\uFEFF]/ });
