import { cellOf } from "./distribution.ts";
import type { LabelledHead, Profile, ProfileVariable } from "./schema.ts";

/**
 * Cells of one variable in an array of counts. Numbers: the cells between the edges, then `missing`, then `outside`
 * (which is counted besides the cell). Categories: one each, then `other`. Rates: yes, no.
 */
export type VariableCells = { variable: ProfileVariable; from: number; size: number };

/** Where the cells of everything that a profile counts are. `size`: cells in all. */
export type CellLayout = { variables: VariableCells[]; byName: ReadonlyMap<string, VariableCells>; size: number };

export function cellsOf(variables: readonly ProfileVariable[]): CellLayout {
  let from = 0;
  const placed = variables.map((variable) => {
    const size = sizeOf(variable);
    const one = { variable, from, size };
    from += size;
    return one;
  });
  return { variables: placed, byName: new Map(placed.map((one) => [one.variable.name, one])), size: from };
}

function sizeOf(variable: ProfileVariable): number {
  switch (variable.kind) {
    case "numbers":
      return variable.edges.length + 3;
    case "categories":
      return variable.categories.length + 1;
    case "rate":
      return 2;
  }
}

/** The profile's own counts of one variable, in its cells. */
export function referenceCounts(variable: ProfileVariable): number[] {
  switch (variable.kind) {
    case "numbers":
      return [...variable.counts, variable.missing, variable.outside];
    case "categories":
      return [...variable.counts, variable.other];
    case "rate":
      return [variable.yes, variable.no];
  }
}

/** Adds one value to the cells of its variable. It runs for every answer, so it allocates nothing. */
export type AddValue = (value: number | string, into: Uint32Array) => void;

/**
 * @param names of a feature's categories by index, where its values are indices
 */
export function valueAdder({ variable, from }: VariableCells, names: readonly string[] | null = null): AddValue {
  switch (variable.kind) {
    case "numbers": {
      const edges = Float64Array.from(variable.edges);
      const missing = from + edges.length + 1;
      const { low, high } = variable.range ?? { low: -Infinity, high: Infinity };
      return (value, into) => {
        const number = value as number;
        if (Number.isNaN(number)) into[missing]!++;
        else {
          into[from + cellOf(number, edges)]!++;
          if (number < low || number > high) into[missing + 1]!++;
        }
      };
    }
    case "categories": {
      const other = from + variable.categories.length;
      const places = new Map<number | string, number>(variable.categories.map((name, i) => [name, from + i]));
      names?.forEach((name, i) => {
        const place = places.get(name);
        if (place !== undefined) places.set(i, place);
      });
      return (value, into) => {
        into[places.get(value) ?? other]!++;
      };
    }
    case "rate":
      return (value, into) => {
        into[from + (value === 1 ? 0 : 1)]!++;
      };
  }
}

/** Cells of the labelled answers: per head its confusion, then positives and negatives per score cell; or its errors. */
export type LabelCells = { head: LabelledHead; from: number; size: number; scoreCuts: readonly number[] | null };

export function labelCellsOf({ labels, variables }: Pick<Profile, "labels" | "variables">): {
  heads: LabelCells[];
  size: number;
} {
  let from = 0;
  const heads = labels.map((head): LabelCells => {
    const score = variables.find(({ name }) => name === `${head.head}.score`);
    const scoreCuts =
      head.kind === "classes" && head.positives !== undefined && score?.kind === "numbers" ? score.edges : null;
    const size =
      head.kind === "errors"
        ? head.edges.length + 1
        : head.classes.length ** 2 + (scoreCuts === null ? 0 : 2 * (scoreCuts.length + 1));
    const one = { head, from, size, scoreCuts };
    from += size;
    return one;
  });
  return { heads, size: from };
}

/** Where labelled answers of one slice are counted: of classes right and wrong, of numbers the cells of errors. */
export type SliceCells = { from: number; size: number };

/**
 * Per head and slice of a profile, the cells of its labelled answers. They come after those of all rows.
 *
 * @param from where they begin
 */
export function slicedCellsOf(
  { labels, slices = [] }: Pick<Profile, "labels" | "slices">,
  from: number,
): { byHead: SliceCells[][]; size: number } {
  let next = from;
  const byHead = labels.map((head) =>
    slices.map((): SliceCells => {
      const one = { from: next, size: head.kind === "errors" ? head.edges.length + 1 : 2 };
      next += one.size;
      return one;
    }),
  );
  return { byHead, size: next - from };
}

/** Adds one labelled answer to the cells of a slice. */
export function addSliced(
  { head }: Pick<LabelCells, "head">,
  { from }: SliceCells,
  truth: number,
  answer: { value: number },
  into: Uint32Array,
): void {
  const cell =
    head.kind === "errors" ? cellOf(Math.abs(answer.value - truth), head.edges) : Number(answer.value !== truth);
  into[from + cell]!++;
}

/** Adds one labelled answer. Classes: indices of the true class and of the answer's; errors: truth and value. */
export function addLabelled(
  { head, from, scoreCuts }: LabelCells,
  truth: number,
  answer: { value: number; score: number },
  into: Uint32Array,
): void {
  if (head.kind === "errors") {
    into[from + cellOf(Math.abs(answer.value - truth), head.edges)]!++;
    return;
  }
  const k = head.classes.length;
  into[from + truth * k + answer.value]!++;
  if (scoreCuts === null) return;
  const cells = scoreCuts.length + 1;
  into[from + k * k + (truth === 1 ? 0 : cells) + cellOf(answer.score, scoreCuts)]!++;
}
