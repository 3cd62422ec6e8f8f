import { parse } from "csv-parse/sync";
import { stringify } from "csv-stringify/sync";

export type Table = { columns: string[]; rows: Record<string, string>[] };

export function readTable(text: string): Table {
  const records = parse(text) as string[][];
  const [columns = [], ...rest] = records;
  return { columns, rows: rest.map((record) => Object.fromEntries(columns.map((name, i) => [name, record[i] ?? ""]))) };
}

export function writeTable({ columns, rows }: Table): string {
  return stringify([columns, ...rows.map((row) => columns.map((name) => row[name] ?? ""))]);
}

export type RowChange = {
  where: Record<string, string[]>;
  every: number;
  drop: boolean;
  set: Record<string, string>;
  add: Record<string, number>;
  repeat: boolean;
};

/** @throws Error when no row is changed: a case that changes nothing tries nothing */
export function changeRows({ columns, rows }: Table, change: RowChange): Table {
  const matching = rows.filter((row) =>
    Object.entries(change.where).every(([column, values]) => values.includes(row[column] as string)),
  );
  const chosen = new Set(matching.filter((_, i) => i % change.every === 0));
  if (chosen.size === 0) throw new Error("`where` matches no row");
  if (change.drop) return { columns, rows: rows.filter((row) => !chosen.has(row)) };
  const changed = (row: Record<string, string>) => ({
    ...row,
    ...Object.fromEntries(
      Object.entries(change.add).map(([column, by]) => [column, (Number(row[column]) + by).toFixed(2)]),
    ),
    ...change.set,
  });
  const more = [...columns, ...Object.keys(change.set).filter((column) => !columns.includes(column))];
  return {
    columns: more,
    rows: change.repeat
      ? [...rows, ...[...chosen].map((row) => ({ ...changed(row), id: `${row["id"]}-again` }))]
      : rows.map((row) => (chosen.has(row) ? changed(row) : row)),
  };
}
