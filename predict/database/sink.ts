import { createHash } from "node:crypto";
import { ConfigurationError } from "../../models/core/errors.ts";
import type { Card } from "../card.ts";
import type { Item } from "../../eval/dataset/formats/items.ts";
import { cellsOf, columnsOf, type Output } from "../output.ts";
import type { Address } from "./address.ts";
import { quoted, quotedTable, type Column, type Database, type SqlValue, type Statement } from "./database.ts";

/** Rows of one INSERT: SQLite takes 32,766 values in a statement, Postgres 65,535. */
const INSERTED_ROWS = 200;

type Kind = "key" | keyof Database["types"];

/**
 * The columns of an output table. The file's `row` is left out, because it means nothing where rows come and go; the
 * model and a digest of the input take its place, by which a later run knows what is answered.
 */
function tableColumns(card: Pick<Card, "heads" | "reasons">): { name: string; kind: Kind }[] {
  const kindOf = (name: string): Kind => {
    if (name === "id") return "key";
    if (name === "attempts" || name === "error_status") return "whole";
    return name === "latency_ms" || /_(score|value)$/.test(name) ? "number" : "text";
  };
  return [
    ...columnsOf(card)
      .filter((name) => name !== "row")
      .map((name) => ({ name, kind: kindOf(name) })),
    ...["model", "model_version", "model_content", "input_sha256"].map((name) => ({ name, kind: "text" as const })),
    { name: "predicted_at", kind: "time" as const },
  ];
}

/**
 * A table as output: one row per key, written over when the model or the input has changed. It is made when there is
 * none. Rows that failed are asked for again by the next run; all others only when model or input differ.
 *
 * @param keyType type of the key in the source, where it is a table of the same kind of database
 * @throws ConfigurationError when there is a table of this name that cannot take the answers
 */
export async function databaseSink(
  database: Database,
  { from, at }: Address,
  card: Pick<Card, "id" | "version" | "content" | "heads" | "reasons">,
  keyType: string | null,
  now: () => Date,
): Promise<Output> {
  const { table } = from as { table: string };
  const columns = tableColumns(card);
  const typeOf = ({ kind }: { kind: Kind }) =>
    kind === "key" ? (keyType ?? database.types.text) : database.types[kind];
  const found = await database.columns(table);
  if (found === null)
    await database.transaction([
      {
        text: `CREATE TABLE IF NOT EXISTS ${quotedTable(table)} (${columns
          .map((one) => `${quoted(one.name)} ${typeOf(one)}${one.kind === "key" ? " PRIMARY KEY NOT NULL" : ""}`)
          .join(", ")})`,
        values: [],
      },
    ]);
  else requireColumns(found, columns, typeOf, table, at);
  await requireKey(database, table, at);

  const names = columns.map(({ name }) => quoted(name));
  const insert = (rows: readonly (readonly SqlValue[])[]): Statement => ({
    text: `INSERT INTO ${quotedTable(table)} (${names.join(", ")}) VALUES ${rows
      .map((row, i) => `(${row.map((_, j) => database.parameter(i * names.length + j + 1)).join(", ")})`)
      .join(", ")} ON CONFLICT (${quoted("id")}) DO UPDATE SET ${names
      .slice(1)
      .map((name) => `${name} = excluded.${name}`)
      .join(", ")}`,
    values: rows.flat(),
  });
  return {
    rows: 0,
    counts: { predicted: 0, refused: 0, failed: 0 },
    async append(outcomes) {
      const at = now().toISOString();
      const rows = outcomes.map((outcome): SqlValue[] => [
        ...cellsOf(outcome, card).slice(1),
        card.id,
        card.version,
        card.content,
        inputDigest(outcome.item),
        at,
      ]);
      const statements: Statement[] = [];
      for (let i = 0; i < rows.length; i += INSERTED_ROWS) statements.push(insert(rows.slice(i, i + INSERTED_ROWS)));
      await database.transaction(statements);
    },
    async answered(items) {
      const digests = new Map(items.map((item) => [item.id, inputDigest(item)]));
      const rows = await database.query({
        text: `SELECT ${quoted("id")} AS id, input_sha256 FROM ${quotedTable(table)} WHERE ${quoted("id")} IN (${items
          .map((_, i) => database.parameter(i + 4))
          .join(
            ", ",
          )}) AND model = ${database.parameter(1)} AND model_version = ${database.parameter(2)} AND model_content = ${database.parameter(3)} AND outcome <> 'failed'`,
        values: [card.id, card.version, card.content, ...digests.keys()],
      });
      return new Set(
        rows
          .map(({ id, input_sha256: digest }) => [String(id), digest] as const)
          .flatMap(([id, digest]) => (digests.get(id) === digest ? [id] : [])),
      );
    },
    close: () => database.close(),
  };
}

const inputDigest = (item: Item): string =>
  createHash("sha256")
    .update("json" in item ? item.json : item.malformed)
    .digest("hex");

/** Whether values of one kind fit a column of this type, by its name in either database. */
function fits(kind: Kind, type: string): boolean {
  const name = type.toLowerCase();
  const numeric = /int|real|double|float|numeric|decimal|serial/.test(name);
  switch (kind) {
    case "key":
      return true;
    case "number":
      return /real|double|float|numeric|decimal/.test(name) || name === "";
    case "whole":
      return numeric || name === "";
    case "time":
      return /time|date|text|char/.test(name) || name === "";
    case "text":
      return /text|char|clob/.test(name) || name === "";
  }
}

function requireColumns(
  found: readonly Column[],
  wanted: readonly { name: string; kind: Kind }[],
  typeOf: (one: { kind: Kind }) => string,
  table: string,
  at: string,
): void {
  const byName = new Map(found.map((column) => [column.name, column.type]));
  for (const one of wanted) {
    const type = byName.get(one.name);
    if (type !== undefined && fits(one.kind, type)) continue;
    throw new ConfigurationError({
      code: "predict-output",
      place: at,
      problem:
        type === undefined
          ? `the table has no column ${one.name}`
          : `the column ${one.name} has a type that does not take its values`,
      expected: `${one.name} ${typeOf(one)}`,
      received: type ?? found.map(({ name }) => name).join(", "),
      example: `ALTER TABLE ${quotedTable(table)} ADD COLUMN ${quoted(one.name)} ${typeOf(one)}`,
      hint: "name a table that there is not: it is then made",
    });
  }
}

/** An upsert needs a key that the database itself keeps distinct. It is tried without changing a row. */
async function requireKey(database: Database, table: string, at: string): Promise<void> {
  try {
    await database.query({
      text: `EXPLAIN INSERT INTO ${quotedTable(table)} (${quoted("id")}) VALUES (NULL) ON CONFLICT (${quoted("id")}) DO NOTHING`,
      values: [],
    });
  } catch (error) {
    if (!(error instanceof ConfigurationError) || !/ON CONFLICT|unique/i.test(error.message)) throw error;
    throw new ConfigurationError(
      {
        code: "predict-output",
        place: at,
        problem: "the column id of the table is no key, so a row could be written twice",
        expected: "id as the primary key, or with a unique index",
        received: error.diagnostic.problem,
        example: `CREATE UNIQUE INDEX answers_id ON ${quotedTable(table)} (${quoted("id")})`,
      },
      { cause: error },
    );
  }
}
