import { DatabaseSync, type StatementSync } from "node:sqlite";
import { ConfigurationError } from "../../../models/core/errors.ts";
import type { Query, SqlDatabase } from "./sql.ts";

/**
 * One SQLite file, for one process: the lock is held as long as the process lives, and even a kill -9 releases it.
 * Every write is flushed.
 *
 * @throws ConfigurationError when the file cannot be written, or another process has it open
 */
export function openSqlite(path: string): SqlDatabase {
  const db = new DatabaseSync(path, { timeout: 2000 });
  try {
    db.exec(
      "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; BEGIN IMMEDIATE; COMMIT;",
    );
  } catch (error) {
    db.close();
    throw new ConfigurationError(
      {
        code: "jobs-store",
        place: path,
        problem: "the database of jobs cannot be opened for writing",
        expected: "a folder that may be written, and a database that no other server has open",
        received: (error as Error).message,
        hint: "give each server its own SLUICE_JOBS_DIR; several share their jobs through Postgres (SLUICE_JOBS_DATABASE)",
      },
      { cause: error },
    );
  }
  const statements = new Map<string, StatementSync>();
  const query: Query = async (text, values = []) => {
    let statement = statements.get(text);
    if (statement === undefined) statements.set(text, (statement = db.prepare(text.replaceAll(/\$(\d+)/g, "?$1"))));
    return statement.all(...values);
  };
  // There is one connection, so statements of others must not come between those of a transaction.
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = last.then(work);
    last = mine.catch(() => {});
    return mine;
  };
  return {
    kind: "sqlite",
    query: (text, values) => inTurn(() => query(text, values)),
    transaction: (work) =>
      inTurn(async () => {
        db.exec("BEGIN IMMEDIATE");
        try {
          const result = await work(query);
          db.exec("COMMIT");
          return result;
        } catch (error) {
          if (db.isTransaction) db.exec("ROLLBACK");
          throw error;
        }
      }),
    close: () =>
      inTurn(async () => {
        statements.clear();
        db.close();
      }),
  };
}
