import { didYouMean } from "../../models/core/did-you-mean.ts";
import { ConfigurationError, type Diagnostic } from "../../models/core/errors.ts";
import type { Dataset } from "../../models/core/manifest/manifest.ts";

type Declared = { place: string; key: string; column: string };

/** Every field of the dataset's rows that the manifest names, and where. */
function declaredColumns(dataset: Dataset): Declared[] {
  const one = (key: string, place: string, column: string | undefined): Declared[] =>
    column === undefined ? [] : [{ key, place, column }];
  return [
    ...one("idField", "dataset.idField", dataset.idField),
    ...one("group", "dataset.group", dataset.group),
    ...one("entity", "dataset.entity", dataset.entity),
    ...one("weight", "dataset.weight", dataset.weight),
    ...one("time", "dataset.time", dataset.time),
    ...dataset.slices.map((column, i) => ({ key: "-", place: `dataset.slices[${i}]`, column })),
    ...Object.entries(dataset.labels).flatMap(([head, { naiveScale, ...labels }]) => [
      ...(["field", "gains", "series", "step", "audioSeconds"] as const).flatMap((key) =>
        one(key, `dataset.labels.${head}.${key}`, labels[key]),
      ),
      ...(typeof naiveScale === "string" ? one("naiveScale", `dataset.labels.${head}.naiveScale`, naiveScale) : []),
    ]),
  ];
}

/**
 * Watches the records of a dataset for the columns that the manifest declares. A column that no record has is misspelt
 * in the manifest: that is one error, not one per row.
 */
export function columnWatch(dataset: Dataset): {
  see: (fields: Readonly<Record<string, unknown>>) => void;
  /** @throws ConfigurationError `dataset-column`, naming the columns that there are */
  assertSeen: () => void;
} {
  const missing = new Set(declaredColumns(dataset).map(({ column }) => column));
  const columns = new Set<string>();
  return {
    see(fields) {
      // As soon as every column was seen, nothing is left to look for.
      if (missing.size === 0) return;
      for (const name of Object.keys(fields)) {
        if (columns.size < 200) columns.add(name);
        missing.delete(name);
      }
    },
    assertSeen() {
      if (missing.size === 0 || columns.size === 0) return;
      const known = [...columns];
      const problems = declaredColumns(dataset)
        .filter(({ column }) => missing.has(column))
        .map(({ place, key, column }): Diagnostic => {
          const near = didYouMean(column, known);
          return {
            code: "dataset-column",
            place,
            problem: `no row of dataset "${dataset.id}" has a column "${column}"`,
            expected: `one of ${known.slice(0, 40).join(", ")}${known.length > 40 ? `, … (${known.length})` : ""}`,
            received: column,
            ...(near === null
              ? {}
              : { example: key === "-" ? `- ${near}` : `${key}: ${near}`, hint: `did you mean \`${near}\`?` }),
          };
        });
      const [first, ...others] = problems as [Diagnostic, ...Diagnostic[]];
      throw new ConfigurationError(others.length === 0 ? first : { ...first, others });
    },
  };
}
