import type { z } from "zod";

type Def = {
  type: string;
  shape?: Record<string, z.core.$ZodType>;
  element?: z.core.$ZodType;
  innerType?: z.core.$ZodType;
  in?: z.core.$ZodType;
  valueType?: z.core.$ZodType;
  options?: z.core.$ZodType[];
  discriminator?: string;
  values?: unknown[];
  entries?: Record<string, unknown>;
};

export const definition = (schema: z.core.$ZodType) => schema._zod.def as unknown as Def;

/**
 * Keys that `schema` allows at `path` of `value`; literals in the value tell the members of a union apart. zod reports
 * unknown keys without the allowed ones, which "did you mean" needs.
 */
export function keysAt(schema: z.core.$ZodType, path: readonly (string | number)[], value: unknown): string[] {
  const keys = schemasAt([schema], path, value).flatMap((found) => Object.keys(definition(found).shape ?? {}));
  return [...new Set(keys)];
}

/**
 * The schemas that hold at `path` of `value`, without wrappers, and a union as its members. Several where literals do not
 * tell the members of a union apart; none where no schema knows the place.
 */
export function schemasAt(
  schemas: readonly z.core.$ZodType[],
  path: readonly (string | number)[],
  value: unknown,
): z.core.$ZodType[] {
  const here = schemas.flatMap((schema) => members(schema, value));
  const [part, ...rest] = path;
  if (part === undefined) return here;
  const inner =
    typeof value === "object" && value !== null ? (value as Record<string | number, unknown>)[part] : undefined;
  const next = here.flatMap((schema) => {
    const { type, shape, element, valueType } = definition(schema);
    if (type === "object") return shape?.[part] ?? [];
    if (type === "array") return typeof part === "number" ? (element ?? []) : [];
    return type === "record" ? (valueType ?? []) : [];
  });
  return schemasAt(next, rest, inner);
}

/**
 * The schema without its wrappers, and a union as its members. Members whose literals contradict the value are left
 * out, unless all do.
 */
function members(schema: z.core.$ZodType, value: unknown): z.core.$ZodType[] {
  const { type, innerType, options, discriminator, in: input } = definition(schema);
  if (type === "union") {
    const all = (options ?? []).flatMap((option) => members(option, value));
    const meant = discriminator === undefined ? [] : all.filter((member) => literalsFit(member, value, discriminator));
    const possible = meant.length > 0 ? meant : all;
    const fitting = possible.filter((member) => literalsFit(member, value));
    return fitting.length > 0 ? fitting : possible;
  }
  const wrapped = innerType ?? (type === "pipe" ? input : undefined);
  return wrapped === undefined ? [schema] : members(wrapped, value);
}

/** Whether the value has the literals that the schema asks for; `only` looks at one key. */
function literalsFit(schema: z.core.$ZodType, value: unknown, only?: string): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(definition(schema).shape ?? {}).every(([key, field]) => {
    if (only !== undefined && key !== only) return true;
    const { type, values, innerType } = definition(field);
    const found = (value as Record<string, unknown>)[key];
    if (type === "optional" && innerType !== undefined && definition(innerType).type === "literal")
      return found === undefined || (definition(innerType).values ?? []).includes(found);
    return type !== "literal" || (values ?? []).includes(found);
  });
}
