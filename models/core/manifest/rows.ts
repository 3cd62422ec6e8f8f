import { z } from "zod";
import { readFormats } from "../audio/container.ts";
import { parseDate } from "../expression/dates.ts";
import { instantWords } from "../lookup/instant.ts";
import { keyPart } from "../lookup/key.ts";
import { itemId } from "../catalogue/catalogue.ts";
import type { Head } from "../postprocess/schema.ts";
import type { PreprocessStep, TabularStep } from "../preprocess/schema.ts";
import { fieldSteps } from "../rules/fields.ts";
import type { Manifest } from "./manifest.ts";

/** What one field of a row must hold. `numbers` are nested lists of this shape; an empty shape is a single number. */
export type Field = { optional: boolean } & (
  | { type: "text"; maxCharacters?: number; maxTokens?: number; known?: readonly string[] }
  | { type: "image"; urls: boolean }
  | { type: "audio"; maxSeconds: number }
  | { type: "number"; min?: number | undefined; max?: number | undefined }
  | { type: "numbers"; shape: readonly number[] }
  | { type: "series"; minLength: number; min?: number | undefined }
  | { type: "boolean" }
  | { type: "date" }
  | { type: "ids" }
  | { type: "observed"; horizon: number }
  | { type: "key" }
  | { type: "instant" }
);
type Fields = [name: string, field: Field][];

/** What of a manifest says which fields a row has. */
type Reads = Pick<Manifest, "preprocess"> & Partial<Pick<Manifest, "postprocess" | "rules" | "conditional">>;

/**
 * The fields that a model's preprocessing reads, its heads and its rules. If several steps read a field, the last one
 * decides what it holds.
 */
export function fieldsOf(manifest: Reads): Map<string, Field> {
  const heads = manifest.postprocess ?? [];
  const steps = Object.values(fieldSteps(manifest)).flatMap(fieldsOfStep);
  const fields = new Map([...heads.flatMap(excludedField), ...steps]);
  for (const [name, field] of heads.flatMap(observedField)) if (!fields.has(name)) fields.set(name, field);
  for (const name of manifest.conditional ?? []) {
    const field = fields.get(name);
    if (field !== undefined) fields.set(name, { ...field, optional: true });
  }
  return fields;
}

const excludedField = (head: Head): Fields =>
  head.kind === "ranking" && head.exclude !== undefined ? [[head.exclude, { type: "ids", optional: false }]] : [];

const observedField = (head: Head): Fields =>
  head.kind === "series" && head.flag !== undefined
    ? [[head.flag.observed, { type: "observed", horizon: head.horizon, optional: true }]]
    : [];

function fieldsOfStep(step: PreprocessStep): Fields {
  switch (step.kind) {
    case "text": {
      const { maxCharacters, maxTokens } = step;
      return [
        [step.field, { type: "text", maxCharacters, maxTokens, optional: false }],
        ...step.append.map((name): Fields[number] => [name, { type: "text", maxCharacters, optional: true }]),
      ];
    }
    case "image":
      return [[step.field, { type: "image", urls: step.urls, optional: step.missing !== "reject" }]];
    case "audio":
      return [[step.field, { type: "audio", maxSeconds: step.maxSeconds, optional: false }]];
    case "tensor":
      return [[step.field, { type: "numbers", shape: step.shape, optional: false }]];
    case "strings":
      return step.fields.map((name): Fields[number] => [name, { type: "text", optional: step.missing !== "reject" }]);
    case "series":
      return [[step.field, { type: "series", minLength: step.minLength, min: step.min, optional: false }]];
    case "tabular":
      return Object.entries(step.columns).flatMap(([name, column]) =>
        // `present` asks whether a field is there, which another step describes. A looked-up number is in no row.
        column.type === "present" || column.type === "lookup"
          ? []
          : [[name, fieldOfColumn(column, knownCategories(step, name))] as Fields[number]],
      );
    case "items":
      return [[step.field, { type: "ids", optional: false }]];
    case "lookup":
      return [
        ...step.key.map((name): Fields[number] => [name, { type: "key", optional: false }]),
        ...(step.time === undefined ? [] : [[step.time, { type: "instant", optional: true }] as Fields[number]]),
      ];
  }
}

/** The categories of a column that the model was trained on; others may be accepted too. */
function knownCategories({ features }: TabularStep, column: string): string[] {
  return features.flatMap((feature) =>
    feature.column === column && feature.encode === "one-hot" ? feature.categories.map(String) : [],
  );
}

function fieldOfColumn(
  column: Exclude<TabularStep["columns"][string], { type: "present" | "lookup" }>,
  known: readonly string[],
): Field {
  if (column.type === "number-list") return { type: "numbers", shape: [column.length], optional: false };
  const optional = column.missing !== "reject";
  switch (column.type) {
    case "number":
      return { type: "number", min: column.min, max: column.max, optional };
    case "string":
      return { type: "text", known, optional };
    case "boolean":
    case "date":
      return { type: column.type, optional };
  }
}

/**
 * The schema of a model's rows, for requests and their documentation (`z.toJSONSchema`). Other fields are allowed.
 * Preprocessing checks every row again and may still refuse it.
 */
export function rowSchema(manifest: Reads): z.ZodObject {
  return z.looseObject(
    Object.fromEntries(
      Array.from(fieldsOf(manifest), ([name, field]) => {
        const schema = schemaOf(field);
        return [name, field.optional ? schema.nullish() : schema];
      }),
    ),
  );
}

function schemaOf(field: Field): z.ZodType {
  switch (field.type) {
    case "text": {
      let text = field.maxCharacters === undefined ? z.string() : z.string().max(field.maxCharacters);
      if (field.known !== undefined && field.known.length > 0) text = text.meta({ examples: [...field.known] });
      return field.maxTokens === undefined
        ? text
        : text
            .meta({ "x-max-tokens": field.maxTokens })
            .describe(`The model reads the first ${field.maxTokens} tokens; an answer to a longer text says so.`);
    }
    case "image":
      return z
        .string()
        .describe(`base64 bytes of an image, ${field.urls ? "a data: URL or a public http(s) URL" : "or a data: URL"}`);
    case "audio":
      return z
        .string()
        .meta({ "x-audio": true })
        .describe(`base64 bytes of a sound file of at most ${field.maxSeconds} s, or a data: URL: ${readFormats}`);
    case "number": {
      let number = z.number();
      if (field.min !== undefined) number = number.min(field.min);
      if (field.max !== undefined) number = number.max(field.max);
      return number;
    }
    case "numbers":
      return field.shape.reduceRight<z.ZodType>((inner, size) => z.array(inner).length(size), z.number());
    case "series":
      return z
        .array(field.min === undefined ? z.number() : z.number().min(field.min))
        .min(field.minLength)
        .describe("values in the order of time, oldest first");
    case "boolean":
      return z.boolean();
    case "date":
      return z.iso.date();
    case "ids":
      return z.array(z.union([z.string().min(1), z.int()])).describe("ids of items");
    case "observed":
      return z
        .array(z.number().nullable())
        .max(field.horizon)
        .describe("values that came after the history, for the flags; null for one that is not known");
    case "key":
      return z.union([z.string().min(1).max(512).meta({ format: "key" }), z.int()]).describe("a key");
    case "instant":
      return z
        .union([z.string(), z.number()])
        .describe(`${instantWords}; nothing later is looked up, and without it the time is now`);
  }
}

/**
 * The check of `rowSchema`, several times as fast, for requests with many rows. It returns true only for rows that the
 * schema accepts too. After a false, the schema decides and says what is wrong.
 */
export function rowChecker(manifest: Reads): (row: unknown) => boolean {
  const checks = Array.from(fieldsOf(manifest), ([name, field]) => ({
    name,
    optional: field.optional,
    fits: checkOf(field),
  }));
  return (row) => {
    if (typeof row !== "object" || row === null || Array.isArray(row)) return false;
    for (let i = 0; i < checks.length; i++) {
      const { name, optional, fits } = checks[i]!;
      const value = (row as Record<string, unknown>)[name];
      if (!((optional && (value === undefined || value === null)) || fits(value))) return false;
    }
    return true;
  };
}

type Check = (value: unknown) => boolean;

function checkOf(field: Field): Check {
  switch (field.type) {
    case "text": {
      const { maxCharacters = Infinity } = field;
      return (value) => typeof value === "string" && value.length <= maxCharacters;
    }
    case "image":
    case "audio":
      return (value) => typeof value === "string";
    case "number": {
      const { min = -Infinity, max = Infinity } = field;
      return (value) => isFiniteNumber(value) && value >= min && value <= max;
    }
    case "numbers":
      return field.shape.reduceRight<Check>(
        (inner, size) => (inner === isFiniteNumber ? listOfNumbers(size) : listOf(size, inner)),
        isFiniteNumber,
      );
    case "boolean":
      return (value) => typeof value === "boolean";
    case "date":
      return (value) => typeof value === "string" && parseDate(value) !== null;
    case "series": {
      const { minLength, min = -Infinity } = field;
      return (value) =>
        Array.isArray(value) && value.length >= minLength && value.every((one) => isFiniteNumber(one) && one >= min);
    }
    case "observed":
      return (value) =>
        Array.isArray(value) &&
        value.length <= field.horizon &&
        value.every((one) => one === null || isFiniteNumber(one));
    case "ids":
      return (value) => Array.isArray(value) && value.every((one) => itemId(one) !== null);
    case "key":
      return (value) => keyPart(value) !== null && typeof value !== "bigint";
    case "instant":
      return (value) => typeof value === "string" || isFiniteNumber(value);
  }
}

const isFiniteNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);

const listOf =
  (length: number, inner: Check): Check =>
  (value) =>
    Array.isArray(value) && value.length === length && value.every(inner);

/** The innermost list. It is checked in one loop, without a call per number. */
const listOfNumbers =
  (length: number): Check =>
  (value) => {
    if (!Array.isArray(value) || value.length !== length) return false;
    for (let i = 0; i < length; i++) {
      const item: unknown = value[i];
      if (typeof item !== "number" || !Number.isFinite(item)) return false;
    }
    return true;
  };
