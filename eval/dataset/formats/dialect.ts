import type { decimalMarks, delimiters } from "../../../models/core/manifest/dataset-file.ts";

export type Delimiter = (typeof delimiters)[number];
export type DecimalMark = (typeof decimalMarks)[number];

/** How a CSV file is written. */
export type Dialect = {
  /** One character. */
  delimiter: string;
  decimal: DecimalMark;
  /** "\r" where lines end in nothing else; otherwise "\n", with or without "\r" before it. */
  lineEnd: "\n" | "\r";
  /** Lines before the header: 1 for Excel's `sep=;`. */
  skippedLines: 0 | 1;
  /** What was not declared and is not the usual, for the reader. */
  notes: string[];
};

const named: Record<string, string> = { ",": "a comma", ";": "a semicolon", "|": "a bar", "\t": "a tab" };
const characterOf = (delimiter: Delimiter): string => (delimiter === "tab" ? "\t" : delimiter);

/**
 * A file's dialect by what is declared, else by its beginning. The delimiter is the one that stands most often in the
 * header, outside quotes; a comma where none does. The decimal mark is a comma where cells are not delimited by one,
 * numbers have one, none has a point, and not all of them could be thousands (1,234).
 *
 * @param head the first bytes of the file, as UTF-8
 * @param whole whether that is all of it
 */
export function dialectOf(
  head: Buffer,
  whole: boolean,
  name: string,
  declared: { delimiter?: Delimiter | undefined; decimal?: DecimalMark | undefined },
): Dialect {
  const text = head.toString("latin1");
  const lineEnd = /\n/.test(text) || !/\r/.test(text) ? "\n" : "\r";
  const lines = recordsOf(text, lineEnd);
  if (!whole && lines.length > 1) lines.pop();
  const separator = /^sep=([,;|\t])$/i.exec(lines[0] ?? "")?.[1];
  const skippedLines = separator === undefined ? 0 : 1;
  const header = lines.slice(skippedLines).find((line) => line !== "") ?? "";
  const found = separator ?? commonest(header);
  const usual = /\.(tsv|tab)(\.\w+)?$/i.test(name) ? "\t" : ",";
  const delimiter = declared.delimiter === undefined ? found : characterOf(declared.delimiter);
  const notes: string[] = [];
  if (declared.delimiter === undefined && delimiter !== usual && delimiter !== ",")
    notes.push(`${name}: cells are divided by ${named[delimiter]}, as the header shows`);
  const decimal = declared.decimal ?? (hasDecimalCommas(lines.slice(skippedLines + 1), delimiter) ? "," : ".");
  if (declared.decimal === undefined && decimal === ",")
    notes.push(`${name}: numbers have a decimal comma, as its first rows show`);
  return { delimiter, decimal, lineEnd, skippedLines, notes };
}

/** The text cut at line ends outside quotes. */
function recordsOf(text: string, lineEnd: string): string[] {
  const records: string[] = [];
  let quoted = false;
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '"') quoted = !quoted;
    else if (text[i] === lineEnd && !quoted) {
      records.push(text.slice(from, i).replace(/\r$/, ""));
      from = i + 1;
    }
  }
  records.push(text.slice(from).replace(/\r$/, ""));
  return records;
}

/** The cells of a record as they stand, quotes included. */
export function cellsOf(record: string, delimiter: string): string[] {
  const cells: string[] = [];
  let quoted = false;
  let from = 0;
  for (let i = 0; i < record.length; i++) {
    if (record[i] === '"') quoted = !quoted;
    else if (record[i] === delimiter && !quoted) {
      cells.push(record.slice(from, i));
      from = i + 1;
    }
  }
  cells.push(record.slice(from));
  return cells;
}

function commonest(header: string): string {
  let best = ",";
  let most = cellsOf(header, ",").length;
  for (const delimiter of ["\t", ";", "|"]) {
    const count = cellsOf(header, delimiter).length;
    if (count > most) [best, most] = [delimiter, count];
  }
  return best;
}

function hasDecimalCommas(records: readonly string[], delimiter: string): boolean {
  if (delimiter === ",") return false;
  let certain = false;
  for (const record of records) {
    for (const raw of cellsOf(record, delimiter)) {
      const cell = raw.replace(/^"(.*)"$/, "$1").trim();
      if (/^[+-]?\d*\.\d+([eE][+-]?\d+)?$/.test(cell)) return false;
      if (/^[+-]?\d*,\d+([eE][+-]?\d+)?$/.test(cell) && !/^[+-]?[1-9]\d{0,2},\d{3}$/.test(cell)) certain = true;
    }
  }
  return certain;
}
