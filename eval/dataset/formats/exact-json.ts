import type { CellType } from "./cells.ts";

/** Whether a parsed JSON value can be a row. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * One row's JSON, or an array of rows, where numbers that a double cannot hold keep their text: integers beyond 2^53,
 * and what overflows. They become strings, except in fields that are read as numbers. Where no number is long, this is
 * JSON.parse.
 * @param types field → how it is read
 * @throws SyntaxError
 */
export function parseExactJson(text: string, types: ReadonlyMap<string, CellType>): unknown {
  const rounded = JSON.parse(text) as unknown;
  if (!/\d{16}|[eE]\+?\d{3}/.test(text)) return rounded;
  let kept = 0;
  const exact = JSON.parse(text, (_, value: unknown, context?: { source?: string }) => {
    const source = context?.source;
    if (typeof value !== "number" || source === undefined) return value;
    if (Number.isFinite(value) && (Number.isSafeInteger(value) || !/^-?\d+$/.test(source))) return value;
    kept++;
    return source;
  }) as unknown;
  if (kept === 0) return rounded;
  return Array.isArray(exact) && Array.isArray(rounded)
    ? exact.map((row, i) => withNumbers(row, rounded[i], types))
    : withNumbers(exact, rounded, types);
}

function withNumbers(exact: unknown, rounded: unknown, types: ReadonlyMap<string, CellType>): unknown {
  if (isRecord(exact) && isRecord(rounded))
    for (const [field, type] of types)
      if ((type === "number" || type === "json") && Object.hasOwn(exact, field))
        Object.defineProperty(exact, field, {
          value: rounded[field],
          enumerable: true,
          configurable: true,
          writable: true,
        });
  return exact;
}
