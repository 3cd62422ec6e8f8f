import { parseCsv } from "./csv.js";
import { asNumber, readNumberList } from "./numbers.js";

/**
 * A file or pasted text → rows of a model. The model's fields decide the type of a cell. A row that cannot be right is
 * marked here with its number; everything else is left to the server. `number` counts rows from 1; `problem` is "" for
 * a row that can be sent.
 * @typedef {{ number: number, line: number, values: Record<string, unknown>, problem: string }} BatchRow
 * @typedef {{
 *   rows: BatchRow[], columns: string[], format: "CSV" | "JSON Lines" | "JSON", unused: string[],
 * }} BatchInput
 */

/**
 * @param {string} text
 * @param {readonly import("./schema-fields.js").Field[]} fields
 * @returns {BatchInput}
 * @throws {Error} when the text as a whole cannot be read; its message is for the user
 */
export function readBatch(text, fields) {
  if (text.trim() === "") throw new Error("There is nothing in it.");
  const first = text.trimStart().replace(/^\uFEFF/, "")[0];
  return first === "{" || first === "[" ? readJson(text, fields, first) : readTable(text, fields);
}

/**
 * @param {string} text
 * @param {readonly import("./schema-fields.js").Field[]} fields
 * @param {string} first
 * @returns {BatchInput}
 */
function readJson(text, fields, first) {
  const whole = first === "[" ? wholeList(text) : null;
  /** @type {BatchRow[]} */
  const rows = [];
  if (whole !== null) whole.forEach((value, i) => rows.push(jsonRow(value, i + 1, i + 1)));
  else {
    text.split(/\r\n|\n/).forEach((line, i) => {
      if (line.trim() === "") return;
      try {
        rows.push(jsonRow(JSON.parse(line.replace(/^\uFEFF/, "")), rows.length + 1, i + 1));
      } catch {
        rows.push({ number: rows.length + 1, line: i + 1, values: {}, problem: "this line is not JSON" });
      }
    });
  }
  for (const row of rows) if (row.problem === "") row.problem = missing(row.values, fields);
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row.values)))];
  return {
    rows,
    columns,
    format: whole === null ? "JSON Lines" : "JSON",
    unused: columns.filter((column) => !fields.some(({ name }) => name === column)),
  };
}

/** @param {string} text @returns {unknown[] | null} null when it is not one list but lines that begin with a bracket */
function wholeList(text) {
  try {
    const list = JSON.parse(text.replace(/^\uFEFF/, ""));
    return Array.isArray(list) ? list : null;
  } catch {
    return null;
  }
}

/** @param {unknown} value @param {number} number @param {number} line @returns {BatchRow} */
function jsonRow(value, number, line) {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? { number, line, values: { ...value }, problem: "" }
    : { number, line, values: {}, problem: "not a JSON object with named fields" };
}

/** @param {string} text @param {readonly import("./schema-fields.js").Field[]} fields @returns {BatchInput} */
function readTable(text, fields) {
  const [header, ...records] = parseCsv(text);
  const columns = (header?.cells ?? []).map((name) => name.trim());
  const twice = columns.find((name, i) => columns.indexOf(name) !== i);
  if (twice !== undefined) throw new Error(`Two columns have the name “${twice}”.`);
  const absent = fields.filter(({ name, required }) => required && !columns.includes(name));
  if (absent.length > 0)
    throw new Error(
      `No column ${absent.map(({ name }) => `“${name}”`).join(", ")}. The first line must name the columns; it has: ${columns.join(", ").slice(0, 200)}.`,
    );
  if (records.length === 0) throw new Error("There is a header but no row under it.");
  const kinds = new Map(fields.map((field) => [field.name, field]));
  const rows = records.map(({ line, cells }, i) => {
    const values = Object.fromEntries(
      columns
        .map((name, column) => [name, cellValue(cells[column] ?? "", kinds.get(name)?.kind)])
        .filter(([, value]) => value !== undefined),
    );
    const problem =
      cells.length === columns.length
        ? missing(values, fields)
        : `${cells.length} cells where the header has ${columns.length}`;
    return { number: i + 1, line, values, problem };
  });
  return { rows, columns, format: "CSV", unused: columns.filter((column) => !kinds.has(column)) };
}

/** @param {string} cell @param {import("./schema-fields.js").Field["kind"] | undefined} kind @returns {unknown} */
function cellValue(cell, kind) {
  switch (kind) {
    case "number":
      return asNumber(cell);
    case "number-list":
      return readNumberList(cell);
    case "boolean":
      return (
        { true: true, false: false, 1: true, 0: false, yes: true, no: false }[cell.trim().toLowerCase()] ??
        (cell.trim() === "" ? undefined : cell)
      );
    case "date":
      return cell.trim() === "" ? undefined : cell.trim();
    case "json":
      try {
        return cell.trim() === "" ? undefined : JSON.parse(cell);
      } catch {
        return cell;
      }
    case "text":
      return cell;
    default:
      return cell === "" ? undefined : cell;
  }
}

/** @param {Record<string, unknown>} values @param {readonly import("./schema-fields.js").Field[]} fields */
function missing(values, fields) {
  const absent = fields
    .filter(({ name, required }) => required && (values[name] === undefined || values[name] === null))
    .map(({ name }) => `“${name}”`);
  return absent.length === 0 ? "" : `no value for ${absent.join(", ")}`;
}
