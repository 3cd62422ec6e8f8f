/** `history[3]`, `columns.age.min`; below `at` where a row itself stands somewhere, e.g. `rows[2].text`. */
export function fieldPath(path: readonly PropertyKey[], at = ""): string {
  return path.reduce<string>(
    (text, part) =>
      typeof part === "number" ? `${text}[${part}]` : text === "" ? String(part) : `${text}.${String(part)}`,
    at,
  );
}

/** What stands at a path; undefined where it leads nowhere. Inherited members ("constructor") are nowhere. */
export function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, part) =>
      typeof value === "object" && value !== null && Object.hasOwn(value, part)
        ? (value as Record<PropertyKey, unknown>)[part]
        : undefined,
    root,
  );
}
