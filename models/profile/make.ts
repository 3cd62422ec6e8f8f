import { categoryCells, numberCells } from "./distribution.ts";
import { addLabelled, labelCellsOf } from "./cells.ts";
import type { Feature } from "./features.ts";
import type { LabelledHead, ProfileVariable } from "./schema.ts";

/** Values of one variable over the rows of the gate. */
export type VariableValues =
  | { name: string; role: "feature" | "quality"; feature: Feature; values: Float64Array }
  | { name: string; role: "answer"; kind: "numbers"; values: Float64Array }
  | { name: string; role: "answer"; kind: "categories"; values: readonly string[]; declared: readonly string[] | null };

/** True values of one head over the rows that were answered. Classes: indices, of truth, answer; `score` of two classes. */
export type LabelledValues =
  | {
      head: string;
      kind: "classes";
      classes: readonly string[];
      truth: ArrayLike<number>;
      answer: ArrayLike<number>;
      score: ArrayLike<number> | null;
    }
  | { head: string; kind: "errors"; errors: Float64Array };

/** Classes of a confusion table at most. */
const MAX_CLASSES = 32;
const ERROR_CELLS = 20;

/** Values → the distributions of a profile. */
export function profileVariables(all: readonly VariableValues[]): ProfileVariable[] {
  return all.map((one): ProfileVariable => {
    const { name, role } = one;
    if (one.role === "answer")
      return one.kind === "numbers"
        ? { name, role, kind: "numbers", ...numberCells(one.values) }
        : { name, role, kind: "categories", ...categoryCells(one.values, one.declared) };
    const { kind, categories } = one.feature;
    switch (kind) {
      case "numbers":
        return { name, role, kind, ...numberCells(one.values) };
      case "categories":
        return {
          name,
          role,
          kind,
          ...categoryCells(
            Array.from(one.values, (index) => categories![index] ?? ""),
            categories!,
          ),
        };
      case "rate": {
        const yes = one.values.reduce((sum, value) => sum + value, 0);
        return { name, role, kind, yes, no: one.values.length - yes };
      }
    }
  });
}

/** True values → what a profile counts of them, in the cells of `variables`. Heads with too many classes are left out. */
export function profileLabels(all: readonly LabelledValues[], variables: readonly ProfileVariable[]): LabelledHead[] {
  return all.flatMap((one): LabelledHead[] => {
    if (one.kind === "errors") return [errorCells(one.head, one.errors)];
    const k = one.classes.length;
    if (k > MAX_CLASSES) return [];
    const score = variables.find(({ name }) => name === `${one.head}.score`);
    const scored = one.score !== null && score?.kind === "numbers";
    const empty: LabelledHead = {
      head: one.head,
      kind: "classes",
      classes: [...one.classes],
      confusion: [],
      ...(scored ? { positives: [], negatives: [] } : {}),
    };
    const { heads, size } = labelCellsOf({ labels: [empty], variables: [...variables] });
    const counts = new Uint32Array(size);
    for (let i = 0; i < one.truth.length; i++)
      addLabelled(heads[0]!, one.truth[i]!, { value: one.answer[i]!, score: one.score?.[i] ?? Number.NaN }, counts);
    const cells = scored ? score.edges.length + 1 : 0;
    const slice = (from: number, length: number) => Array.from(counts.subarray(from, from + length));
    return [
      {
        ...empty,
        confusion: slice(0, k * k),
        ...(scored ? { positives: slice(k * k, cells), negatives: slice(k * k + cells, cells) } : {}),
      },
    ];
  });
}

/** Twentieths of the absolute errors; the last edge is twice the largest of those, beyond which errors count as that. */
function errorCells(head: string, errors: Float64Array): LabelledHead {
  const sorted = errors.toSorted();
  const n = sorted.length;
  const cells = Math.max(1, Math.min(ERROR_CELLS, Math.floor(n / 10)));
  const inner = Array.from({ length: cells - 1 }, (_, i) => sorted[Math.floor(((i + 1) * n) / cells)]!);
  const top = inner.at(-1) ?? sorted[Math.floor(n / 2)] ?? 0;
  const edges = [...new Set([...inner.filter((edge) => edge > 0), top * 1.5, top * 2])]
    .filter((edge) => edge > 0)
    .toSorted((a, b) => a - b);
  const counts = new Array<number>(edges.length + 1).fill(0);
  for (const error of sorted) counts[edges.filter((edge) => error >= edge).length]!++;
  return { head, kind: "errors", edges, counts };
}
