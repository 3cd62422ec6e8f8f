import type { Address } from "./address.ts";

/** A value as a driver takes it. */
export type SqlValue = string | number | bigint | null;
export type Statement = { text: string; values: readonly SqlValue[] };

/** A column of a table, with its type in the database's words. */
export type Column = { name: string; type: string };

/**
 * What the two databases have in common. Rows come as JSON values: bytes as base64, dates and times as texts. Only whole
 * numbers that a double does not hold may come as bigints.
 */
export type Database = {
  kind: Address["database"]["kind"];
  query(statement: Statement): Promise<Record<string, unknown>[]>;
  /** All of them, or none. */
  transaction(statements: readonly Statement[]): Promise<void>;
  /** Null when there is no such table. */
  columns(table: string): Promise<Column[] | null>;
  /** The n-th value of a statement, from 1. */
  parameter(n: number): string;
  /** An SQL condition: whether the values of this expression are bytes. */
  isBytes(expression: string): string;
  /** Whether the same statement may succeed later. */
  isTransient(error: unknown): boolean;
  /** Names of the types of an output's columns. */
  types: { text: string; number: string; whole: string; time: string };
  close(): Promise<void>;
};

/** A name of a table, perhaps with its schema, or of a column, as SQL quotes it. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** SCHEMA.TABLE or TABLE. */
export function quotedTable(table: string): string {
  return table.split(".").map(quoted).join(".");
}

/** A whole number that a double holds exactly; a text otherwise. */
export function exactNumber(text: string): number | string {
  const number = Number(text);
  return Number.isFinite(number) && (!/^-?\d+$/.test(text) || Number.isSafeInteger(number)) ? number : text;
}
