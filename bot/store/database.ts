import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { ConfigurationError } from "../../models/core/errors.ts";
import { migrations } from "./migrations.ts";

export type Row = Record<string, string | number | null>;

/** The SQLite database for everything that GitHub cannot store. One process at a time; every write survives a kill. */
export class Database {
  private readonly db: DatabaseSync;
  private readonly statements = new Map<string, ReturnType<DatabaseSync["prepare"]>>();
  private depth = 0;

  /** @throws ConfigurationError if another process has it open, or if a newer version wrote it */
  constructor(path: string) {
    this.db = new DatabaseSync(path, { timeout: 2_000 });
    try {
      // The process holds the lock for its whole life, and even a kill -9 releases it. Two bots would answer everything
      // twice.
      this.db.exec(
        "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; BEGIN IMMEDIATE; COMMIT;",
      );
    } catch (error) {
      throw new ConfigurationError(
        {
          code: "bot-store",
          place: path,
          problem: "the database cannot be opened for writing",
          expected: "a database that no other bot has open, in a folder that may be written",
          received: (error as Error).message,
        },
        { cause: error },
      );
    }
    const version = Number((this.get("PRAGMA user_version") as { user_version: number }).user_version);
    if (version > migrations.length)
      throw new ConfigurationError({
        code: "bot-store",
        place: path,
        problem: "the database is from a newer version of the bot",
        expected: `version ${migrations.length} or less`,
        received: `version ${version}`,
      });
    for (let i = version; i < migrations.length; i += 1) {
      this.transaction(() => {
        this.db.exec(migrations[i] as string);
        this.db.exec(`PRAGMA user_version = ${i + 1}`);
      });
    }
  }

  run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.prepared(sql).run(...values).changes);
  }

  get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.prepared(sql).get(...values) as Row | undefined;
  }

  all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.prepared(sql).all(...values) as Row[];
  }

  /** All or nothing; inside another transaction it is part of that one. */
  transaction<T>(work: () => T): T {
    if (this.depth > 0) return work();
    this.db.exec("BEGIN IMMEDIATE");
    this.depth = 1;
    try {
      const result = work();
      this.db.exec("COMMIT");
      return result;
    } catch (error) {
      this.db.exec("ROLLBACK");
      throw error;
    } finally {
      this.depth = 0;
    }
  }

  close(): void {
    this.statements.clear();
    this.db.close();
  }

  private prepared(sql: string) {
    let statement = this.statements.get(sql);
    if (statement === undefined) {
      statement = this.db.prepare(sql);
      this.statements.set(sql, statement);
    }
    return statement;
  }
}
