import type { Json } from "./expressions.ts";

export type Combination = Readonly<Record<string, Json>>;
const jobLimit = 256;
const same = (one: Json | undefined, other: Json | undefined) => JSON.stringify(one) === JSON.stringify(other);

/** @throws Error with GitHub's words for an axis without values or more than 256 jobs */
export function combinations(matrix: Json): Combination[] {
  if (typeof matrix !== "object" || matrix === null || Array.isArray(matrix))
    throw new Error("Matrix must be a mapping");
  const { include = [], exclude = [], ...axes } = matrix as Record<string, Json>;
  let found: Record<string, Json>[] = [];
  for (const [name, values] of Object.entries(axes)) {
    if (!Array.isArray(values)) throw new Error(`Matrix vector '${name}' must be a sequence`);
    if (values.length === 0) throw new Error(`Matrix vector '${name}' does not contain any values`);
  }
  if (Object.keys(axes).length > 0) {
    found = Object.entries(axes).reduce<Record<string, Json>[]>(
      (sofar, [name, values]) => sofar.flatMap((one) => (values as Json[]).map((value) => ({ ...one, [name]: value }))),
      [{}],
    );
  }
  found = found.filter(
    (one) =>
      !(exclude as Combination[]).some((excluded) =>
        Object.entries(excluded).every(([name, value]) => same(one[name], value)),
      ),
  );
  const extra: Record<string, Json>[] = [];
  for (const included of include as Combination[]) {
    // An `include` entry is added to every combination whose axes it does not contradict. If there is none, it becomes
    // a combination of its own.
    const fitting = found.filter((one) =>
      Object.entries(included).every(([name, value]) => !(name in axes) || same(one[name], value)),
    );
    for (const one of fitting) Object.assign(one, included);
    if (fitting.length === 0) extra.push({ ...included });
  }
  found = [...found, ...extra];
  if (found.length > jobLimit)
    throw new Error(
      `The strategy configuration would generate ${found.length} jobs which exceeds the limit of ${jobLimit}`,
    );
  return found;
}

/** "key (a, b)": the default name of a matrix job. */
export function combinationName(key: string, combination: Combination): string {
  const values = Object.values(combination).flatMap((value): string[] =>
    typeof value === "object" && value !== null ? Object.values(value).map(String) : [String(value)],
  );
  return values.length === 0 ? key : `${key} (${values.join(", ")})`;
}
