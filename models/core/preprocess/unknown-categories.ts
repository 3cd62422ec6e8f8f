import { fieldOf, type Row } from "../row.ts";
import type { PreprocessStep } from "./schema.ts";

/** The values of one column that a one-hot feature with `unknown: zeros` turns into zeros. */
export type UnknownCategories = {
  column: string;
  /** Rows with such a value. */
  rows: number;
  /** The most frequent of these values, with the number of their rows. */
  values: { value: string; rows: number }[];
};

const shownValues = 3;

/**
 * Counts, column by column, the rows whose category the model has never seen and turns into zeros. Only columns of the
 * row itself: a derived value has no column. Columns without such rows are left out.
 */
export function unknownCategories(
  preprocess: Readonly<Record<string, PreprocessStep>>,
  rows: readonly Row[],
): UnknownCategories[] {
  return Object.values(preprocess).flatMap((step) => {
    if (step.kind !== "tabular") return [];
    return step.features.flatMap((feature): UnknownCategories[] => {
      if (feature.encode !== "one-hot" || feature.unknown !== "zeros") return [];
      const column = step.columns[feature.column];
      if (column === undefined || !("missing" in column)) return [];
      const fill = typeof column.missing === "string" ? null : column.missing.fill;
      const known = new Set<unknown>(feature.categories);
      const counts = new Map<unknown, number>();
      for (const row of rows) {
        const value = fieldOf(row, feature.column) ?? fill;
        if (value !== null && !known.has(value)) counts.set(value, (counts.get(value) ?? 0) + 1);
      }
      if (counts.size === 0) return [];
      const values = [...counts].toSorted(([, a], [, b]) => b - a);
      return [
        {
          column: feature.column,
          rows: values.reduce((sum, [, count]) => sum + count, 0),
          values: values.slice(0, shownValues).map(([value, count]) => ({ value: String(value), rows: count })),
        },
      ];
    });
  });
}
