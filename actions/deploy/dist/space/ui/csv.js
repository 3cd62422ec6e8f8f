/**
 * CSV as in RFC 4180; the separator (comma, semicolon, tab) is found from the first line.
 * @typedef {{ line: number, cells: string[] }} CsvRecord `line` is where the record begins, from 1
 */

/**
 * @param {string} text
 * @returns {CsvRecord[]} records in order, including the header; empty lines are left out
 * @throws {CsvError} when a quoted cell never ends or is followed by anything but a separator
 */
export function parseCsv(text) {
  const source = text.startsWith("\uFEFF") ? text.slice(1) : text;
  const separator = separatorOf(source);
  /** @type {CsvRecord[]} */
  const records = [];
  let line = 1;
  let at = 0;
  while (at < source.length) {
    /** @type {CsvRecord} */
    const record = { line, cells: [] };
    let quoted = false;
    for (;;) {
      if (source[at] === '"') {
        quoted = true;
        const opened = line;
        let cell = "";
        for (;;) {
          const end = source.indexOf('"', at + 1);
          if (end < 0) throw new CsvError(`line ${opened}: a quoted cell never ends`);
          const piece = source.slice(at + 1, end);
          line += breaks(piece);
          cell += piece;
          at = end + 1;
          if (source[at] !== '"') break;
          cell += '"';
        }
        record.cells.push(cell);
        if (at < source.length && source[at] !== separator && source[at] !== "\n" && source[at] !== "\r")
          throw new CsvError(`line ${line}: after a quoted cell there must be a separator or the end of the line`);
      } else {
        const begun = at;
        while (at < source.length && source[at] !== separator && source[at] !== "\n" && source[at] !== "\r") at += 1;
        record.cells.push(source.slice(begun, at));
      }
      if (source[at] !== separator) break;
      at += 1;
    }
    if (source[at] === "\r" && source[at + 1] === "\n") at += 1;
    at += 1;
    line += 1;
    if (quoted || record.cells.length > 1 || record.cells[0] !== "") records.push(record);
  }
  return records;
}

export class CsvError extends Error {}

/** @param {string} text */
function breaks(text) {
  return text.match(/\r\n|\n|\r/g)?.length ?? 0;
}

/** @param {string} source @returns {string} the candidate that is most frequent in the first line, outside quotes */
function separatorOf(source) {
  const line = source.replaceAll(/"(?:[^"]|"")*"/g, "").split(/[\r\n]/, 1)[0] ?? "";
  const counts = [",", ";", "\t"].map((candidate) => ({ candidate, n: line.split(candidate).length }));
  return counts.reduce((best, next) => (next.n > best.n ? next : best)).candidate;
}

/**
 * @param {readonly (readonly unknown[])[]} records
 * @returns {string} CSV with CRLF line ends, as in RFC 4180
 */
export function writeCsv(records) {
  return `${records.map((record) => record.map(cellText).join(",")).join("\r\n")}\r\n`;
}

/** @param {unknown} value */
function cellText(value) {
  const text =
    value === undefined || value === null ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
