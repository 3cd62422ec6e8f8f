import { resolve } from "node:path";
import type { CellType } from "../../eval/dataset/formats/cells.ts";
import { ConfigurationError } from "../../models/core/errors.ts";
import type { Card } from "../card.ts";
import { addressOf, type Address } from "../database/address.ts";
import { openDatabase, type DatabaseDeps } from "../database/open.ts";
import { databaseSink } from "../database/sink.ts";
import { databaseSource } from "../database/source.ts";
import { readItems } from "../../eval/dataset/formats/items.ts";
import { describeInput, requireKeys } from "../input.ts";
import { columnsOf, openOutput, outputFormatOf, type Output } from "../output.ts";
import type { Policy } from "../policy.ts";
import type { Source } from "../source.ts";

/** Where rows come from and answers go: files or databases, in any combination. */
export type Endpoints = {
  /** Opened first, so that nothing is started for rows that there are not. */
  source: Source;
  /** The output's file or table, without secrets. */
  outputName: string;
  openSink: (card: Card) => Promise<Output>;
};

export type EndpointFlags = { input: string; output: string; id: string };
export type EndpointDeps = DatabaseDeps & { env: NodeJS.ProcessEnv; now: () => Date };

/**
 * @throws ConfigurationError for an input or output that there is not or that cannot be used; EvaluationError for a
 *   database that stays out of reach
 */
export async function openEndpoints(flags: EndpointFlags, policy: Policy, deps: EndpointDeps): Promise<Endpoints> {
  const [from, to] = [addressOf("--input", flags.input, deps.env), addressOf("--output", flags.output, deps.env)];
  const format = to === null ? outputFormatOf(flags.output) : null;
  if (from === null && to === null ? resolve(flags.input) === resolve(flags.output) : from?.at === to?.at)
    throw new ConfigurationError({
      code: "predict-output",
      place: "--output",
      problem: "the input would be overwritten",
      expected: `another ${to === null ? "file" : "table"} than --input`,
      received: to?.at ?? flags.output,
    });
  const source =
    from === null
      ? await fileSource(flags, to !== null, deps.note)
      : await tableSource(from, flags.id, to === null, policy, deps);
  return {
    source,
    outputName: to?.at ?? flags.output,
    async openSink(card) {
      if (to === null)
        return openOutput(
          flags.output,
          format!,
          {
            schemaVersion: 1,
            input: { sha256: source.sha256, rows: source.rows, idField: flags.id },
            model: { id: card.id, version: card.version, content: card.content },
            columns: columnsOf(card),
          },
          card,
        );
      const database = await openDatabase(to, "writer", policy, deps);
      try {
        return await databaseSink(database, to, card, await keyTypeOf(from, to, flags.id, policy, deps), deps.now);
      } catch (error) {
        await database.close();
        throw error;
      }
    },
  };
}

async function fileSource(
  { input: path, id }: EndpointFlags,
  keyed: boolean,
  note: (text: string) => void,
): Promise<Source> {
  const input = await describeInput(path);
  for (const seen of input.notes) note(seen);
  if (keyed) await requireKeys(input, id);
  return {
    name: path,
    sha256: input.sha256,
    rows: input.rows,
    items: (fields: ReadonlyMap<string, CellType>, from: number) =>
      readItems({ source: path, name: path, format: input.format }, fields, id, from),
    close: async () => {},
  };
}

async function tableSource(
  from: Address,
  key: string,
  digested: boolean,
  policy: Policy,
  deps: EndpointDeps,
): Promise<Source> {
  const database = await openDatabase(from, "reader", policy, deps);
  try {
    return await databaseSource(database, from, key, digested);
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** The type that the key has in the input, where the output is a database of the same kind. */
async function keyTypeOf(
  from: Address | null,
  to: Address,
  key: string,
  policy: Policy,
  deps: EndpointDeps,
): Promise<string | null> {
  if (from === null || from.database.kind !== to.database.kind || !("table" in from.from)) return null;
  const database = await openDatabase(from, "reader", policy, deps);
  try {
    const columns = await database.columns(from.from.table);
    return columns?.find(({ name }) => name === key)?.type || null;
  } finally {
    await database.close();
  }
}
