import { existsSync } from "node:fs";
import { ConfigurationError, EvaluationError, SluiceError } from "../../models/core/errors.ts";
import { retryDelayMs } from "../../models/remote/retry.ts";
import type { Policy } from "../policy.ts";
import type { Address } from "./address.ts";
import type { Database } from "./database.ts";

export type DatabaseDeps = {
  random: () => number;
  sleep: (ms: number) => Promise<void>;
  note: (text: string) => void;
};

/**
 * Opens a database. Every statement is repeated, as the policy allows, while the database is busy, restarts or is out
 * of reach: readers change nothing, and writers write the same rows again.
 *
 * @param role a reader cannot write
 * @throws ConfigurationError when there is no such database, or it refuses; EvaluationError when it stays out of reach
 */
export async function openDatabase(
  { database, at }: Address,
  role: "reader" | "writer",
  policy: Policy,
  deps: DatabaseDeps,
): Promise<Database> {
  const own = await opened(database, role, at);
  const again = async <T>(work: () => Promise<T>): Promise<T> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        if (!own.isTransient(error) || attempt >= policy.attempts) throw explained(error, own, at, attempt);
        const waitMs = retryDelayMs(attempt, null, policy, deps.random);
        if (waitMs >= 1000) deps.note(`${at}: ${messageOf(error)}; again in ${(waitMs / 1000).toFixed(1)} s`);
        await deps.sleep(waitMs);
      }
    }
  };
  return {
    ...own,
    query: (statement) => again(() => own.query(statement)),
    transaction: (statements) => again(() => own.transaction(statements)),
    columns: (table) => again(() => own.columns(table)),
  };
}

async function opened(database: Address["database"], role: "reader" | "writer", at: string): Promise<Database> {
  if (database.kind === "postgres")
    return (await import("./postgres.ts")).openPostgres(database.url, role === "reader");
  if (role === "reader" && !existsSync(database.file))
    throw new ConfigurationError({
      code: "predict-database",
      place: at,
      problem: "no such file",
      expected: "a SQLite database",
      received: database.file,
    });
  const { openSqlite } = await withoutExperimentWarning(() => import("./sqlite.ts"));
  try {
    return openSqlite(database.file, role === "reader");
  } catch (error) {
    throw new ConfigurationError(
      {
        code: "predict-database",
        place: at,
        problem: messageOf(error),
        expected: "a SQLite database that can be opened",
      },
      { cause: error },
    );
  }
}

/** Node says of node:sqlite that it is experimental, which helps nobody who predicts. */
async function withoutExperimentWarning<T>(load: () => Promise<T>): Promise<T> {
  const emit = process.emitWarning;
  process.emitWarning = ((warning: string | Error, ...rest: never[]) => {
    if (!String(warning).startsWith("SQLite is an experimental feature")) emit.call(process, warning, ...rest);
  }) as typeof process.emitWarning;
  try {
    return await load();
  } finally {
    process.emitWarning = emit;
  }
}

function explained(error: unknown, database: Database, at: string, attempts: number): unknown {
  if (error instanceof SluiceError) return error;
  const Kind = database.isTransient(error) ? EvaluationError : ConfigurationError;
  return new Kind(
    {
      code: Kind === EvaluationError ? "predict-database-unreachable" : "predict-database",
      place: at,
      problem: messageOf(error),
      expected:
        Kind === EvaluationError ? "a database that answers" : "a table and columns that there are, and access to them",
      received: `${(error as { code?: string }).code ?? (error as Error).name}${attempts > 1 ? `, ${attempts} times` : ""}`,
      ...(Kind === EvaluationError ? { hint: "the same command goes on where this run ended" } : {}),
    },
    { cause: error },
  );
}

/** The first line of a driver's message. Several attempts to connect have none of their own. Postgres names the user. */
function messageOf(error: unknown): string {
  const { message, errors } = error as Error & { errors?: Error[] };
  return (message || errors?.[0]?.message || String((error as { code?: string }).code ?? "no reason given"))
    .split("\n")[0]!
    .replace(/\b(user|role) "(?:[^"]|"")*"/g, "the $1");
}
