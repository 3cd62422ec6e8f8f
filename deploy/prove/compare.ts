/**
 * Describes the first difference between a golden answer and a received one; null if they agree. Numbers may differ by
 * `tolerance`, absolute and relative; 0 requires equality.
 */
export function differenceOf(expected: unknown, received: unknown, tolerance: number, path = "heads"): string | null {
  if (typeof expected === "number") {
    if (typeof received !== "number" || !Number.isFinite(received))
      return `${path}: expected ${expected}, received ${JSON.stringify(received) ?? "nothing"}`;
    const allowed = tolerance * (1 + Math.abs(expected));
    return Math.abs(received - expected) <= allowed ? null : `${path}: expected ${expected}, received ${received}`;
  }
  if (typeof expected !== "object" || expected === null)
    return Object.is(expected, received)
      ? null
      : `${path}: expected ${JSON.stringify(expected)}, received ${JSON.stringify(received) ?? "nothing"}`;
  if (typeof received !== "object" || received === null)
    return `${path}: expected an object, received ${JSON.stringify(received) ?? "nothing"}`;
  for (const [name, value] of Object.entries(expected)) {
    const found = differenceOf(value, (received as Record<string, unknown>)[name], tolerance, `${path}.${name}`);
    if (found !== null) return found;
  }
  return null;
}
