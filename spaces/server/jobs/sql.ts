export type SqlValue = string | number | null | Uint8Array;
export type SqlRow = Record<string, unknown>;

/** Runs one statement with parameters `$1`, `$2` …; statements that change rows say with RETURNING which. */
export type Query = (text: string, values?: readonly SqlValue[]) => Promise<SqlRow[]>;

/** A SQL database, as far as jobs need one. */
export type SqlDatabase = {
  kind: "sqlite" | "postgres";
  query: Query;
  /** All or nothing. */
  transaction<T>(work: (query: Query) => Promise<T>): Promise<T>;
  close(): Promise<void>;
};
