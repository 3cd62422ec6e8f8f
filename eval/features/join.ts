import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { stringify } from "csv-stringify/sync";
import { ConfigurationError, EvaluationError } from "../../models/core/errors.ts";
import type { FeatureStore } from "../../models/core/lookup/store.ts";
import { placeIn, type LoadedManifest } from "../../models/core/predictor/load.ts";
import { compileLookup, type Lookup } from "../../models/core/preprocess/lookup.ts";
import type { Row } from "../../models/core/row.ts";
import type { CellType } from "../dataset/formats/cells.ts";
import { formatOf, openReader } from "../dataset/formats/open.ts";
import { placeName } from "../dataset/formats/reading.ts";

export type JoinRequest = {
  /** Data files with the keys and times that are asked about: CSV, JSON Lines, JSON or Parquet. */
  inputs: readonly string[];
  /** Lookup step → its history. Steps without one are left out. */
  histories: Readonly<Record<string, FeatureStore>>;
  /** Fields of the rows that are written before the features; null: all of the first row. */
  keep: readonly string[] | null;
  /** CSV file. */
  out: string;
};

export type Joined = { rows: number; columns: readonly string[]; missing: Readonly<Record<string, number>> };

const ROWS_PER_BLOCK = 5000;

/**
 * The features that a model's lookup steps find for rows of the past, each as of its row's own time: the point-in-time
 * join that training needs. The functions are those of the gate and of the server, so nothing is computed twice. One
 * column STEP.FEATURE each, a float32 in nine digits; empty where a missing feature is NaN.
 *
 * @throws ConfigurationError `join-step` for a history of no lookup step, `join-time` for a step without `time`;
 *   EvaluationError `join-row` for the first row that cannot be used
 */
export async function joinFeatures(loaded: LoadedManifest, request: JoinRequest): Promise<Joined> {
  const lookups = Object.entries(request.histories).map(([name, store]) => compiled(loaded, name, store));
  const features = lookups.flatMap(({ name, lookup }) => lookup.features.map((one) => `${name}.${one.name}`));
  const missing = Object.fromEntries(lookups.map(({ name }) => [name, 0]));
  let keep = request.keep;
  let rows = 0;

  async function* text(): AsyncGenerator<string> {
    for await (const { places, block } of blocksOf(loaded, request)) {
      if (keep === null || rows === 0) {
        keep ??= Object.keys(block[0]!);
        yield csv([[...keep, ...features]]);
      }
      const found = await Promise.all(lookups.map(async ({ lookup }) => lookup.find(block, Number.NaN)));
      for (const [k, one] of found.entries()) {
        const wrong = one.errors.findIndex((error) => error !== undefined);
        if (wrong !== -1) throw unusable(places[wrong]!, one.errors[wrong]!);
        missing[lookups[k]!.name]! += one.asked.missing.filter((reason) => reason !== null).length;
      }
      const fields = keep;
      yield csv(
        block.map((row, i) => [
          ...fields.map((name) => cell(Object.hasOwn(row, name) ? row[name] : null)),
          ...found.flatMap(({ values }, k) => {
            const { width } = lookups[k]!.lookup;
            return Array.from(values.subarray(i * width, (i + 1) * width), shortest);
          }),
        ]),
      );
      rows += block.length;
    }
  }

  const temporary = `${request.out}.${process.pid}.part`;
  try {
    await pipeline(Readable.from(text()), createWriteStream(temporary));
    await rename(temporary, request.out);
  } finally {
    await rm(temporary, { force: true });
  }
  return { rows, columns: [...(keep ?? []), ...features], missing };
}

function compiled(loaded: LoadedManifest, name: string, store: FeatureStore): { name: string; lookup: Lookup } {
  const steps = Object.entries(loaded.manifest.preprocess).filter(([, { kind }]) => kind === "lookup");
  const step = steps.find(([own]) => own === name)?.[1];
  if (step?.kind !== "lookup")
    throw new ConfigurationError({
      code: "join-step",
      place: "--history",
      problem: `the model has no lookup step ${name}`,
      expected: steps.length === 0 ? "a model with a lookup step" : `one of ${steps.map(([own]) => own).join(", ")}`,
      received: name,
    });
  if (step.time === undefined && store.timed)
    throw new ConfigurationError({
      code: "join-time",
      place: placeIn(loaded, ["preprocess", name]),
      problem: "the step names no time, so rows of the past would be given what is known now",
      expected: "the row field with the time that is asked about",
      example: "time: at",
    });
  const lookup = compileLookup(name, step, store, (path) => placeIn(loaded, ["preprocess", name, ...path]));
  return { name, lookup };
}

async function* blocksOf(
  { manifest }: LoadedManifest,
  { inputs, histories }: JoinRequest,
): AsyncGenerator<{ places: string[]; block: Row[] }> {
  const steps = Object.entries(manifest.preprocess).flatMap(([name, step]) =>
    step.kind === "lookup" && Object.hasOwn(histories, name) ? [step] : [],
  );
  const types = new Map<string, CellType>(steps.flatMap(({ key }) => key.map((name) => [name, "text"] as const)));
  const times = new Set(steps.flatMap(({ time }) => (time === undefined ? [] : [time])));
  let places: string[] = [];
  let block: Row[] = [];
  for (const file of inputs) {
    const { style, readings } = await openReader(file, file, await formatOf(file, file, undefined), types);
    for await (const reading of readings) {
      const place = placeName(file, style, reading.at);
      if (reading.kind === "malformed")
        throw new EvaluationError({
          code: "join-row",
          place,
          problem: "a row cannot be read",
          received: reading.reason,
        });
      for (const name of times)
        if ((reading.fields[name] ?? null) === null)
          throw new EvaluationError({
            code: "join-row",
            place,
            problem: `the row has no time in ${name}, so it asks about no moment of the past`,
            expected: "the time that is asked about",
          });
      places.push(place);
      block.push(reading.fields);
      if (block.length < ROWS_PER_BLOCK) continue;
      yield { places, block };
      [places, block] = [[], []];
    }
  }
  if (block.length > 0) yield { places, block };
}

function unusable(place: string, error: EvaluationError): EvaluationError {
  return new EvaluationError({ ...error.diagnostic, code: "join-row", place: `${place} ${error.diagnostic.place}` });
}

/** Nine digits tell every float32 from its neighbours. */
const shortest = (value: number) => (Number.isNaN(value) ? "" : String(Number(value.toPrecision(9))));

function cell(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value;
  return typeof value === "object" ? JSON.stringify(value) : String(value as number | boolean | bigint);
}

const csv = (rows: string[][]) => stringify(rows, { quoted_match: /[\r\n\uFEFF]/ });
