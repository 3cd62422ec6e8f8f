import { parseDecimal } from "./formats/cells.ts";
import type { DecimalMark } from "./formats/dialect.ts";

/** Why a record cannot become a row. */
export class Unusable extends Error {}

type Fields = Readonly<Record<string, unknown>>;

/** @throws Unusable */
export function present(fields: Fields, name: string): unknown {
  if (!Object.hasOwn(fields, name))
    throw new Unusable(`no field "${name}"; the row has: ${Object.keys(fields).join(", ") || "nothing"}`);
  const value = fields[name];
  if (value === null || value === undefined) throw new Unusable(`field "${name}" is empty`);
  return value;
}

/** @throws Unusable */
export function plain(fields: Fields, name: string): string {
  const value = present(fields, name);
  if (typeof value === "string") return value;
  if (Object.is(value, -0)) return "-0";
  if (typeof value === "number" || typeof value === "boolean" || typeof value === "bigint") return String(value);
  throw new Unusable(`field "${name}" is not a plain value`);
}

/** @throws Unusable */
export function finite(text: string, name: string, mark: DecimalMark): number {
  const value = parseDecimal(text, mark);
  if (value === null || !Number.isFinite(value))
    throw new Unusable(`field "${name}" is not a finite number: ${JSON.stringify(text.slice(0, 80))}`);
  return value;
}

/**
 * A list, also as the JSON text that a CSV cell holds.
 * @throws Unusable
 */
export function listIn(fields: Fields, name: string, example: string): unknown[] {
  const value = present(fields, name);
  const list = typeof value === "string" ? parsed(value) : ArrayBuffer.isView(value) ? [...(value as never)] : value;
  if (Array.isArray(list)) return list;
  throw new Unusable(
    `field "${name}" is no list: ${(typeof value === "string" ? value : JSON.stringify(value)).slice(0, 80)}; e.g. ${example}`,
  );
}

/** The JSON value of a text; undefined for other texts. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
