/**
 * A path as text: `history[3]`, `columns.age.min`. `at` says where the row itself is, e.g. `rows[2]` for
 * `rows[2].text`.
 */
export function fieldPath(path: readonly PropertyKey[], at = ""): string {
  return path.reduce<string>(
    (text, part) =>
      typeof part === "number" ? `${text}[${part}]` : text === "" ? String(part) : `${text}.${String(part)}`,
    at,
  );
}

/** The value at a path, undefined if there is none. Inherited members ("constructor") do not count. */
export function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, part) =>
      typeof value === "object" && value !== null && Object.hasOwn(value, part)
        ? (value as Record<PropertyKey, unknown>)[part]
        : undefined,
    root,
  );
}
