import { createHash } from "node:crypto";

/**
 * One text per value, whatever file it came from: JSON with keys in code-unit order and no spaces, where
 * - numbers are their shortest round-trip decimal; -0, NaN and the infinities are written by name, without quotes;
 * - bytes are `bytes(SHA256)`;
 * - null and undefined fields of an object are left out, because a model treats both as missing.
 *
 * A number and its text differ (`1` and `"1"`), because a model may answer them differently.
 */
export function canonical(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : String(value);
  if (typeof value === "boolean") return String(value);
  if (typeof value === "bigint") return `${value}n`;
  if (value instanceof Uint8Array) return `bytes(${createHash("sha256").update(value).digest("hex")})`;
  if (value instanceof Date) return JSON.stringify(value.toISOString());
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  const object = value as Record<string, unknown>;
  const parts: string[] = [];
  for (const key of Object.keys(object).sort()) {
    const field = object[key];
    if (field !== null && field !== undefined) parts.push(`${JSON.stringify(key)}:${canonical(field)}`);
  }
  return `{${parts.join(",")}}`;
}
