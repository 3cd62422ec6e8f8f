import type { CellType } from "./cells.ts";

/** Field → how a CSV cell of that field is read, by the properties of a row's JSON Schema. */
export const schemaCells = (properties: Readonly<Record<string, unknown>>): Map<string, CellType> =>
  new Map(Object.entries(properties).map(([name, schema]) => [name, cellType(schema)]));

/** The CSV cell type for a JSON Schema. For `anyOf`, the first alternative that is not null decides. */
function cellType(schema: unknown): CellType {
  const { type, anyOf } = (schema ?? {}) as { type?: unknown; anyOf?: unknown[] };
  if (Array.isArray(anyOf)) return cellType(anyOf.find((one) => (one as { type?: unknown }).type !== "null"));
  switch (type) {
    case "string":
      return "text";
    case "number":
    case "integer":
      return "number";
    case "boolean":
      return "boolean";
    case "array":
    case "object":
      return "json";
    default:
      return "guess";
  }
}
