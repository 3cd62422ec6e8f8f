import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

// Values of SciPy, scikit-learn, statsmodels and confseq. They lie beside the repository, or beside its worktrees' folder.
const places = [1, 2].map((up) =>
  join(import.meta.dirname, "../..", ...Array.from({ length: up }, () => ".."), "shared/data/reference/watch.json"),
);
const file = places.find((place) => existsSync(place));

/** Says in a test's name what it needs. */
export const missing = file === undefined;
export const where = "(skipped where ../shared/data is not there)";

/** A part of the reference values by its path; undefined where they are not there. */
export function referenceValues(...path: string[]): unknown {
  if (file === undefined) return undefined;
  let value: unknown = JSON.parse(readFileSync(file, "utf8"));
  for (const key of path) value = (value as Record<string, unknown>)[key];
  return value;
}
