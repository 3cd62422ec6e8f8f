import { parseDate } from "../../models/core/expression/dates.ts";

type ColumnKind = "number" | "boolean" | "text" | "date" | "list" | "image" | "other" | "empty";

/** What the values of one column of a data file look like. */
export type Column = {
  name: string;
  kind: ColumnKind;
  /** All numbers are whole. */
  whole: boolean;
  rows: number;
  /** Rows without a value. */
  missing: number;
  /** Different values; counted up to a limit, and `many` beyond it. */
  values: Map<string, number>;
  many: boolean;
  /** Every value there is occurs once, and none is missing. */
  unique: boolean;
  min: number | null;
  max: number | null;
  /** Mean and standard deviation of the numbers. */
  mean: number;
  std: number;
  /** Mean length of the texts, in characters. */
  length: number;
  /** Length of the lists, where all are equally long; else null. */
  size: number | null;
  /** The lists hold numbers alone. */
  numeric: boolean;
  example: unknown;
};

/** So many different values are told apart. More are an identifier or a measurement, and no category. */
const manyValues = 1000;

type Tally = Column & { seen: Set<string> | null; kinds: Set<ColumnKind>; sum: number; squares: number; texts: number };

/** Looks at rows one by one. Pure. */
export function columnTally(): { see: (fields: Record<string, unknown>) => void; columns: () => Column[] } {
  const tallies = new Map<string, Tally>();
  let rows = 0;
  return {
    see(fields) {
      rows++;
      for (const name of Object.keys(fields)) {
        let one = tallies.get(name);
        if (one?.kinds.has("image") === true) {
          // A picture is read from disk at every look, and one look is enough.
          one.rows++;
          continue;
        }
        if (one === undefined) tallies.set(name, (one = emptyTally(name)));
        add(one, fields[name]);
      }
    },
    columns: () => [...tallies.values()].map((one) => finished(one, rows)),
  };
}

function emptyTally(name: string): Tally {
  return {
    name,
    kind: "empty",
    whole: true,
    rows: 0,
    missing: 0,
    values: new Map(),
    many: false,
    unique: true,
    min: null,
    max: null,
    mean: 0,
    std: 0,
    length: 0,
    size: null,
    numeric: true,
    example: null,
    seen: new Set(),
    kinds: new Set(),
    sum: 0,
    squares: 0,
    texts: 0,
  };
}

/** Cells that people write for "no value". */
const absent = new Set(["", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?"]);

function add(one: Tally, given: unknown): void {
  one.rows++;
  const value = typeof given === "string" && given.startsWith("[") ? listIn(given) : given;
  if (value === null || value === undefined || (typeof value === "string" && absent.has(value.trim()))) {
    one.missing++;
    return;
  }
  one.example ??= given;
  const kind = kindOf(value);
  one.kinds.add(kind);
  if (kind === "number") {
    const number = Number(value);
    one.min = Math.min(one.min ?? number, number);
    one.max = Math.max(one.max ?? number, number);
    one.whole &&= Number.isInteger(number);
    one.sum += number;
    one.squares += number * number;
  }
  if (kind === "list") {
    const list = value as unknown[];
    one.size = one.texts === 0 ? list.length : one.size === list.length ? list.length : null;
    one.numeric &&= list.every((item) => typeof item === "number");
    one.texts++;
    one.unique = false;
    return;
  }
  if (kind === "image") return;
  const text = String(value);
  if (kind === "text" || kind === "date") {
    one.length += text.length;
    one.texts++;
  }
  if (one.seen !== null) {
    if (one.seen.has(text)) {
      one.unique = false;
      // Only uniqueness is asked of it.
      one.seen = null;
    } else one.seen.add(text);
  }
  const count = one.values.get(text);
  if (count !== undefined || one.values.size < manyValues) one.values.set(text, (count ?? 0) + 1);
  else one.many = true;
}

/** A decimal with more digits than a double keeps stays text in a table; it is a number all the same. */
const longNumber = /^[+-]?\d*\.\d+([eE][+-]?\d+)?$/;

function listIn(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : text;
  } catch {
    return text;
  }
}

function kindOf(value: unknown): ColumnKind {
  if (typeof value === "number") return "number";
  if (typeof value === "boolean") return "boolean";
  if (typeof value === "string" && longNumber.test(value.trim())) return "number";
  if (typeof value === "string") return parseDate(value.slice(0, 10)) !== null ? "date" : "text";
  if (ArrayBuffer.isView(value)) return "image";
  return Array.isArray(value) ? "list" : "other";
}

function finished({ seen: _seen, kinds, sum, squares, texts, ...one }: Tally, rows: number): Column {
  const [only] = kinds;
  const kind = kinds.size === 0 ? "empty" : kinds.size === 1 ? only! : mixed(kinds);
  const count = Math.max(1, one.rows - one.missing);
  const mean = sum / count;
  return {
    ...one,
    kind,
    rows,
    // A row that lacks the field has no value either.
    missing: one.missing + rows - one.rows,
    whole: kind === "number" && one.whole,
    unique: one.unique && one.missing === 0 && one.rows === rows && one.rows > 1,
    mean,
    std: Math.sqrt(Math.max(0, squares / count - mean * mean)),
    length: texts === 0 ? 0 : one.length / texts,
  };
}

/** Cells of several kinds are texts, unless they are a number or a boolean written in two ways. */
const mixed = (kinds: ReadonlySet<ColumnKind>): ColumnKind =>
  [...kinds].every((kind) => kind === "number" || kind === "boolean") ? "number" : "text";
