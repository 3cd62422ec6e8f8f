import pg from "pg";
import type { Query, SqlDatabase } from "./sql.ts";

const CONNECT_MS = 10_000;
const STATEMENT_MS = 30_000;
/** int8, and the sums of it: no figure here exceeds 2^53. */
const WHOLE = new Set([20, 1700]);

/** @param url holds the password; the driver's own errors do not repeat it */
export function openPostgres(url: string): SqlDatabase {
  const pool = new pg.Pool({
    connectionString: url,
    max: 4,
    connectionTimeoutMillis: CONNECT_MS,
    statement_timeout: STATEMENT_MS,
    query_timeout: STATEMENT_MS + 5000,
    application_name: "sluice jobs",
    types: {
      getTypeParser: ((oid: number, format?: "text") =>
        WHOLE.has(oid) ? Number : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
    },
  });
  // A connection that breaks while nobody uses it is replaced by the next query; one that breaks between two statements
  // of a transaction fails the second of them.
  pool.on("error", () => {});
  pool.on("connect", (client) => {
    client.on("error", () => {});
  });
  const on =
    (client: pg.Pool | pg.PoolClient): Query =>
    async (text, values = []) =>
      (await client.query<Record<string, unknown>>(text, values.map(asParameter))).rows;
  return {
    kind: "postgres",
    query: on(pool),
    async transaction(work) {
      const client = await pool.connect();
      let broken = true;
      try {
        await client.query("BEGIN");
        const result = await work(on(client));
        await client.query("COMMIT");
        broken = false;
        return result;
      } finally {
        // A connection that is in the middle of something is not used again; the server then rolls back.
        client.release(broken);
      }
    },
    close: () => pool.end(),
  };
}

const asParameter = (value: unknown) =>
  value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : value;
