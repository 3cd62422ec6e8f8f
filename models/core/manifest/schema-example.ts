import { parse, stringify } from "yaml";
import type { z } from "zod";
import { definition, schemasAt } from "./schema-keys.ts";

type Path = readonly (string | number)[];

/** "dotted.path", with `*` for any one part → YAML that is right at that place: `key: value`, or `- item` in a list. */
export type Examples = Readonly<Record<string, string>>;

/** Tried in this order where a schema gives no value of its own. */
const plainValues: readonly unknown[] = [1, 0.5, 0.05, 0, true, "text", "1.4.0", "some-name", "name.output"];

/**
 * YAML that is right at `path`: the one that is registered for the place, else one made from the schema. Undefined where
 * neither gives anything that the schema takes.
 *
 * @param value the whole document, whose literals tell the members of a union apart
 */
export function exampleAt(schema: z.core.$ZodType, path: Path, value: unknown, examples: Examples): string | undefined {
  const registered = exampleFor(path, examples);
  const found = schemasAt([schema], path, value);
  if (registered !== undefined && accepted(found, valueOf(registered, path))) return registered;
  for (const one of found) {
    const made = make(one, path, examples);
    if (made !== undefined) return yamlAt(path, made);
  }
  return undefined;
}

/** `value` as YAML on one line, as it stands at `path`. */
export function yamlAt(path: Path, value: unknown): string {
  const text = stringify(value, { collectionStyle: "flow", flowCollectionPadding: false, lineWidth: 0 }).trim();
  const last = path.at(-1);
  return last === undefined ? text : typeof last === "number" ? `- ${text}` : `${last}: ${text}`;
}

/** Whether YAML like `key: value` or `- item` fits the schema of that place. An empty path takes a whole document. */
function accepted(schemas: readonly z.core.$ZodType[], value: unknown): boolean {
  return value !== undefined && schemas.some((one) => (one as z.ZodType).safeParse(value).success);
}

function valueOf(example: string, path: Path): unknown {
  const document: unknown = parse(example);
  if (path.length === 0 || typeof document !== "object" || document === null) return document;
  return Object.values(document)[0];
}

function exampleFor(path: Path, examples: Examples): string | undefined {
  return Object.entries(examples).find(([pattern]) => {
    const parts = pattern.split(".");
    return parts.length === path.length && parts.every((part, i) => part === "*" || part === String(path[i]));
  })?.[1];
}

function make(schema: z.core.$ZodType, path: Path, examples: Examples): unknown {
  const registered = exampleFor(path, examples);
  if (registered !== undefined) {
    const value = valueOf(registered, path);
    if (accepted([schema], value)) return value;
  }
  const { type, innerType, in: input, shape = {}, element, valueType, options, values, entries } = definition(schema);
  const made = (): unknown => {
    switch (type) {
      case "object":
        return Object.fromEntries(
          Object.entries(shape).flatMap(([key, field]) =>
            (field as z.ZodType).safeParse(undefined).success ? [] : [[key, make(field, [...path, key], examples)]],
          ),
        );
      case "array":
        return element === undefined ? [] : [make(element, [...path, 0], examples)];
      case "record":
        return valueType === undefined ? {} : { name: make(valueType, [...path, "name"], examples) };
      case "union":
        return (options ?? []).map((one) => make(one, path, examples)).find((one) => one !== undefined);
      case "literal":
        return values?.[0];
      case "enum":
        return Object.values(entries ?? {})[0];
      default:
        return innerType !== undefined
          ? make(innerType, path, examples)
          : type === "pipe" && input !== undefined
            ? make(input, path, examples)
            : undefined;
    }
  };
  return [made(), ...plainValues].find((value) => accepted([schema], value));
}
