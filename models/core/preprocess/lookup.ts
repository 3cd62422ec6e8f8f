import { ConfigurationError } from "../errors.ts";
import { featureReader, type Missing } from "../lookup/features.ts";
import { instantMs, instantWords } from "../lookup/instant.ts";
import { joinKey, keyPart, keyWords } from "../lookup/key.ts";
import type { LookupStep, MissingPolicy } from "../lookup/schema.ts";
import type { FeatureStore, KeyEvents } from "../lookup/store.ts";
import { fieldOf, missingField, RowError, type Row } from "../row.ts";
import type { CompiledStep, LookedUp, Note, StepPlace } from "./compiled.ts";
import { fixedSize } from "./fixed-size.ts";

/** What a look-up gave for the rows of one call. */
export type LookupResult = {
  /** Row by row, the features of the step after its missing policies. */
  values: Float64Array;
  /** Rows that a policy refuses, or whose key or time is none. */
  errors: (RowError | undefined)[];
  notes: (Note | undefined)[];
  asked: Asked;
};

/** What was asked and found, row by row, for the record of what was served. Nothing was asked where there is no key. */
type Asked = {
  keys: (string | undefined)[];
  timesMs: Float64Array;
  /** Times of the events that were found; NaN without one. */
  eventsMs: Float64Array;
  missing: (Missing | null)[];
};

/** A lookup step, compiled. */
export type Lookup = {
  width: number;
  /** Features in their order, and whether each may be NaN. */
  features: readonly { name: string; nan: boolean }[];
  /** @param nowMs the time that a row without one asks about */
  find(rows: readonly Row[], nowMs: number): LookupResult | Promise<LookupResult>;
};

/**
 * @throws ConfigurationError when the store lacks a column, or its events have no times and the step needs them
 */
export function compileLookup(name: string, step: LookupStep, store: FeatureStore, place: StepPlace): Lookup {
  const reader = featureReader(step, store.columns, store.kind === "memory" ? store.totals : undefined);
  if ("lacks" in reader) {
    const [{ feature, column } = { feature: "", column: "" }] = reader.lacks;
    throw new ConfigurationError({
      code: "lookup-column",
      place: place(["features", feature]),
      problem: `the feature store has no column ${column}`,
      expected: `one of ${store.columns.join(", ")}`,
      received: reader.lacks.map((one) => one.column).join(", "),
      example: `${feature}: {column: ${store.columns[0]}}`,
    });
  }
  const features = Object.entries(step.features);
  const aggregated = features.find(([, { aggregate }]) => aggregate !== undefined)?.[0];
  if (!store.timed && (step.ttl !== undefined || step.time !== undefined || aggregated !== undefined))
    throw new ConfigurationError({
      code: "lookup-times",
      place: place(step.ttl !== undefined ? ["ttl"] : step.time !== undefined ? ["time"] : ["features", aggregated!]),
      problem: `${store.name} says nothing about time, so this cannot be asked of it`,
      expected: "a feature table whose events have times",
      hint: "build it with --time COLUMN",
    });
  const { width } = reader;
  const policies = policiesOf(step);
  const note = notes(
    name,
    features.map(([one], i) => ({ name: one, policy: policies[i]! })),
    step,
  );

  /** Reads the features of row i and applies the policies. */
  const finish = (result: LookupResult, i: number, key: string, timeMs: number, events: KeyEvents | null) => {
    const at = i * width;
    const { missing, eventMs } = reader.read(events, timeMs, result.values, at);
    result.asked.keys[i] = key;
    result.asked.timesMs[i] = timeMs;
    result.asked.eventsMs[i] = eventMs;
    if (missing !== null) result.asked.missing[i] = missing;
    if (missing === null) return;
    const refused = applyPolicies(policies, result.values, at);
    if (refused === -1) result.notes[i] = note(missing);
    else
      result.errors[i] = new RowError(
        step.key[0]!,
        `${note(missing).problem}, and ${name}.${features[refused]![0]} is needed`,
        "a key with features of that time",
        key,
      );
  };

  return {
    width,
    features: features.map(([one], i) => ({ name: one, nan: policies[i] === "nan" })),
    find(rows, nowMs) {
      const result: LookupResult = {
        values: new Float64Array(rows.length * width),
        errors: new Array<RowError | undefined>(rows.length),
        notes: new Array<Note | undefined>(rows.length),
        asked: {
          keys: new Array<string | undefined>(rows.length),
          timesMs: new Float64Array(rows.length),
          eventsMs: new Float64Array(rows.length),
          missing: new Array<Missing | null>(rows.length).fill(null),
        },
      };
      const remote: { i: number; key: string; timeMs: number }[] = [];
      for (let i = 0; i < rows.length; i++) {
        try {
          const key = keyOf(step, rows[i]!);
          const timeMs = timeOf(step, rows[i]!, nowMs);
          if (store.kind === "memory") finish(result, i, key, timeMs, store.find(key));
          else remote.push({ i, key, timeMs });
        } catch (error) {
          if (!(error instanceof RowError)) throw error;
          result.errors[i] = error;
        }
      }
      if (store.kind === "memory" || remote.length === 0) return result;
      const keys = [...new Set(remote.map(({ key }) => key))];
      return store.findMany(keys).then((found) => {
        const byKey = new Map(keys.map((key, k) => [key, found[k]!]));
        for (const { i, key, timeMs } of remote) finish(result, i, key, timeMs, byKey.get(key) ?? null);
        return result;
      });
    },
  };
}

/** The policy of every feature, in their order. */
export function policiesOf({ features, missing }: LookupStep): MissingPolicy[] {
  return Object.values(features).map((feature) => feature.missing ?? missing);
}

/**
 * Puts the declared numbers in the places of missing features.
 *
 * @returns index of the first feature that may not be missing; -1 when there is none
 */
export function applyPolicies(policies: readonly MissingPolicy[], values: Float64Array, at: number): number {
  for (let k = 0; k < policies.length; k++) {
    if (!Number.isNaN(values[at + k]!)) continue;
    const policy = policies[k]!;
    if (policy === "reject") return k;
    if (policy !== "nan") values[at + k] = Math.fround(policy.fill);
  }
  return -1;
}

function keyOf(step: LookupStep, row: Row): string {
  const part = (field: string): string => {
    const value = fieldOf(row, field);
    if (value === undefined || value === null) throw missingField(row, field, "the key is missing", keyWords);
    const text = keyPart(value);
    if (text === null) throw new RowError(field, "not a key", keyWords, value);
    return text;
  };
  return step.key.length === 1 ? part(step.key[0]!) : joinKey(step.key.map(part));
}

function timeOf({ time }: LookupStep, row: Row, nowMs: number): number {
  if (time === undefined) return nowMs;
  const value = fieldOf(row, time);
  if (value === undefined || value === null) return nowMs;
  const ms = instantMs(value);
  if (ms === null) throw new RowError(time, "not a point in time", instantWords, value);
  return ms;
}

/** One note for each reason, made once: it says what every feature of the step becomes that is missing. */
function notes(
  name: string,
  features: readonly { name: string; policy: MissingPolicy }[],
  { ttl }: LookupStep,
): (missing: Missing) => Note {
  const used = features
    .filter(({ policy }) => policy !== "reject")
    .map((one) => `${one.name} ${one.policy === "nan" || one.policy === "reject" ? "NaN" : one.policy.fill}`)
    .join(", ");
  const problems: Record<Missing, string> = {
    unknown: "no features of this key at this time",
    stale: `the features of this key are older than ${ttl}`,
    null: "some features of this key have no value",
  };
  const made = (missing: Missing): Note => ({ field: name, problem: problems[missing], used, lookup: missing });
  const all: Record<Missing, Note> = { unknown: made("unknown"), stale: made("stale"), null: made("null") };
  return (missing) => all[missing];
}

/** The step's own output, for graphs that take all its features as one tensor. */
export function lookupOutput(name: string, lookup: Lookup): CompiledStep {
  const { width } = lookup;
  const own = (lookedUp: LookedUp | undefined) => {
    const found = lookedUp?.[name];
    if (found === undefined) throw new TypeError(`nothing was looked up for ${name}`);
    return found;
  };
  return {
    ...fixedSize("features", [width]),
    nan: lookup.features.map(({ nan }) => nan),
    fill(_row, into, lookedUp) {
      const { values, at } = own(lookedUp);
      for (let i = 0; i < width; i++) into[i] = values[at + i]!;
    },
    prepare(_row, lookedUp) {
      const { values, at } = own(lookedUp);
      return { kind: "numbers", values: values.slice(at, at + width) };
    },
  };
}
