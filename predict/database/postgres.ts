import pg from "pg";
import { exactNumber, quotedTable, type Column, type Database } from "./database.ts";

const CONNECT_MS = 10_000;
const STATEMENT_MS = 120_000;

/** Types whose text is a number, by oid: int2, int4, int8, float4, float8, numeric. */
const numbers = new Set([21, 23, 20, 700, 701, 1700]);
const BOOLEAN = 16;
const BYTES = 17;
const json = new Set([114, 3802]);
/** Lists: of numbers as JSON, of booleans and texts as pg reads them. */
const numberLists = new Set([1005, 1007, 1016, 1021, 1022, 1231]);

/** Classes of SQLSTATE, and single ones, after which the same statement may succeed. */
const transientClasses = new Set(["08", "40", "53", "57"]);
const transientStates = new Set(["55P03"]);
const final = new Set(["57014", "57P04"]);
const connectionErrors = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EAI_AGAIN",
]);

/** Of text[]. */
const listParser = pg.types.getTypeParser(1009 as never) as (text: string) => unknown[];

function parserOf(oid: number): (text: string) => unknown {
  if (numbers.has(oid)) return exactNumber;
  if (oid === BOOLEAN) return (text) => text === "t";
  if (oid === BYTES) return (text) => Buffer.from(text.replace(/^\\x/, ""), "hex").toString("base64");
  if (json.has(oid)) return (text) => JSON.parse(text) as unknown;
  if (numberLists.has(oid)) return (text) => listParser(text).map((item) => exactNumber(String(item)));
  // Lists of texts; dates and times stay as they are written.
  return oid === 1009 || oid === 1015 ? listParser : (text) => text;
}

/** @param url holds the password; the driver's own errors do not repeat it */
export function openPostgres(url: string, readOnly: boolean): Database {
  const pool = new pg.Pool({
    connectionString: url,
    max: 2,
    connectionTimeoutMillis: CONNECT_MS,
    statement_timeout: STATEMENT_MS,
    query_timeout: STATEMENT_MS + 5000,
    application_name: "sluice predict",
    ...(readOnly ? { options: "-c default_transaction_read_only=on" } : {}),
    types: { getTypeParser: ((oid: number) => parserOf(oid)) as typeof pg.types.getTypeParser },
  });
  // A connection that breaks while nobody uses it is replaced by the next query.
  pool.on("error", () => {});
  // One that breaks between two statements of a transaction fails the second of them.
  pool.on("connect", (client) => {
    client.on("error", () => {});
  });
  const query: Database["query"] = async ({ text, values }) =>
    (await pool.query<Record<string, unknown>>(text, [...values])).rows;
  return {
    kind: "postgres",
    query,
    async transaction(statements) {
      const client = await pool.connect();
      let broken = true;
      try {
        await client.query("BEGIN");
        for (const { text, values } of statements) await client.query(text, [...values]);
        await client.query("COMMIT");
        broken = false;
      } finally {
        // A connection that is in the middle of something is not used again; the server then rolls back.
        client.release(broken);
      }
    },
    async columns(table) {
      const found = (await query({
        text: `SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type FROM pg_attribute a
               WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
        values: [quotedTable(table)],
      })) as Column[];
      return found.length === 0 ? null : found;
    },
    parameter: (n) => `$${n}`,
    isBytes: (expression) => `pg_typeof(${expression}) = 'bytea'::regtype`,
    isTransient(error) {
      const { code, message } = error as { code?: string; message?: string };
      if (code === undefined) return /terminated|timeout|Connection ended|not queryable/i.test(message ?? "");
      if (connectionErrors.has(code)) return true;
      return !final.has(code) && (transientClasses.has(code.slice(0, 2)) || transientStates.has(code));
    },
    types: { text: "text", number: "double precision", whole: "integer", time: "timestamptz" },
    close: () => pool.end(),
  };
}
