import { DatabaseSync } from "node:sqlite";
import type { Column, Database, SqlValue } from "./database.ts";

/** Longest wait for another process's lock, before a statement counts as failed for now. */
const BUSY_MS = 2000;
const busy = new Set([5, 6]);

/** @throws Error of node:sqlite when the file cannot be opened */
export function openSqlite(file: string, readOnly: boolean): Database {
  const db = new DatabaseSync(file, { readOnly, timeout: BUSY_MS });
  const run = (text: string, values: readonly SqlValue[]) => {
    const statement = db.prepare(text);
    statement.setReadBigInts(true);
    return statement
      .all(...values)
      .map((row) => Object.fromEntries(Object.entries(row).map(([k, v]) => [k, plain(v)])));
  };
  return {
    kind: "sqlite",
    query: async ({ text, values }) => run(text, values),
    async transaction(statements) {
      db.exec("BEGIN IMMEDIATE");
      try {
        for (const { text, values } of statements) db.prepare(text).run(...values);
        db.exec("COMMIT");
      } catch (error) {
        if (db.isTransaction) db.exec("ROLLBACK");
        throw error;
      }
    },
    async columns(table) {
      const [schema, name] = table.includes(".") ? (table.split(".", 2) as [string, string]) : ["main", table];
      const found = run("SELECT name, type FROM pragma_table_info(?, ?)", [name, schema]) as Column[];
      return found.length === 0 ? null : found;
    },
    parameter: (n) => `?${n}`,
    isBytes: (expression) => `typeof(${expression}) = 'blob'`,
    isTransient: (error) => busy.has(((error as { errcode?: number }).errcode ?? 0) & 0xff),
    types: { text: "TEXT", number: "REAL", whole: "INTEGER", time: "TEXT" },
    close: async () => db.close(),
  };
}

function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  return value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value;
}
