import type { z } from "zod";

type Def = {
  type: string;
  shape?: Record<string, z.core.$ZodType>;
  element?: z.core.$ZodType;
  innerType?: z.core.$ZodType;
  in?: z.core.$ZodType;
  valueType?: z.core.$ZodType;
  options?: z.core.$ZodType[];
  values?: unknown[];
};

const definition = (schema: z.core.$ZodType) => schema._zod.def as unknown as Def;

/**
 * Keys that `schema` allows at `path` of `value`; literals in the value tell the members of a union apart. zod reports
 * unknown keys without the allowed ones, which "did you mean" needs.
 */
export function keysAt(schema: z.core.$ZodType, path: readonly (string | number)[], value: unknown): string[] {
  const keys = objectsAt([schema], path, value).flatMap((found) => Object.keys(definition(found).shape ?? {}));
  return [...new Set(keys)];
}

function objectsAt(
  schemas: readonly z.core.$ZodType[],
  path: readonly (string | number)[],
  value: unknown,
): z.core.$ZodType[] {
  const here = schemas.flatMap((schema) => members(schema, value));
  const [part, ...rest] = path;
  if (part === undefined) return here.filter((schema) => definition(schema).type === "object");
  const inner =
    typeof value === "object" && value !== null ? (value as Record<string | number, unknown>)[part] : undefined;
  const next = here.flatMap((schema) => {
    const { type, shape, element, valueType } = definition(schema);
    if (type === "object") return shape?.[part] ?? [];
    if (type === "array") return element ?? [];
    return type === "record" ? (valueType ?? []) : [];
  });
  return objectsAt(next, rest, inner);
}

/**
 * The schema without its wrappers, and a union as its members. Members whose literals contradict the value are left
 * out, unless all do.
 */
function members(schema: z.core.$ZodType, value: unknown): z.core.$ZodType[] {
  const { type, innerType, options, in: input } = definition(schema);
  if (type === "union") {
    const all = (options ?? []).flatMap((option) => members(option, value));
    const fitting = all.filter((member) => literalsFit(member, value));
    return fitting.length > 0 ? fitting : all;
  }
  const wrapped = innerType ?? (type === "pipe" ? input : undefined);
  return wrapped === undefined ? [schema] : members(wrapped, value);
}

function literalsFit(schema: z.core.$ZodType, value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(definition(schema).shape ?? {}).every(([key, field]) => {
    const { type, values, innerType } = definition(field);
    const found = (value as Record<string, unknown>)[key];
    if (type === "optional" && innerType !== undefined && definition(innerType).type === "literal")
      return found === undefined || (definition(innerType).values ?? []).includes(found);
    return type !== "literal" || (values ?? []).includes(found);
  });
}
