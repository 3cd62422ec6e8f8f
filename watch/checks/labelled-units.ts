import { RandomStream } from "../../eval/stats/random.ts";
import type { HourCounts } from "../../models/profile/live.ts";
import type { LabelledHead } from "../../models/profile/schema.ts";
import type { LabelledDay } from "../live/change.ts";

/** Labelled answers as values in [0, 1] in the order of their hours, to bet on. The figure is their mean times `scale`. */
export type LabelledUnits = {
  n: number;
  /** NaN without labels. */
  observed: number;
  scale: number;
  /** Never above the true values, and never below them; the same for classes. */
  low: Float64Array;
  high: Float64Array;
};

const SEED = 20;

/**
 * Within an hour the order is not known. It is drawn, so that no bet depends on values that come after it.
 *
 * Numbers are known by cell only, so each stands between the cell's ends; beyond the last edge an error counts as that.
 *
 * @param hours counts on the head's cells, oldest first
 */
export function labelledUnits(head: LabelledHead, hours: readonly (readonly number[])[]): LabelledUnits {
  const cells = head.kind === "classes" ? classCells(head.classes.length) : errorCells(head.edges);
  const random = new RandomStream(SEED);
  const low: number[] = [];
  const high: number[] = [];
  let sum = 0;
  for (const counts of hours) {
    const order: number[] = [];
    cells.forEach((_, cell) => {
      for (let i = counts[cell] ?? 0; i > 0; i--) order.push(cell);
    });
    shuffle(order, random);
    for (const cell of order) {
      const ends = cells[cell]!;
      low.push(ends.low);
      high.push(ends.high);
      sum += (ends.low + ends.high) / 2;
    }
  }
  const scale = head.kind === "classes" ? 1 : head.edges.at(-1)!;
  const n = low.length;
  return {
    n,
    observed: n === 0 ? Number.NaN : (sum / n) * scale,
    scale,
    low: Float64Array.from(low),
    high: Float64Array.from(high),
  };
}

/** Cells whose values are alike, as one: right and wrong of classes; the cells of errors. Higher is worse. */
export function badnessOf(head: LabelledHead): { low: number[]; high: number[] } {
  if (head.kind === "classes") return { low: [0, 1], high: [0, 1] };
  const cells = errorCells(head.edges);
  return { low: cells.map(({ low }) => low), high: cells.map(({ high }) => high) };
}

/**
 * Labelled answers by day on the cells of `badnessOf`.
 *
 * @param cohorts hours, oldest first; `labelled` per head
 * @param due the last hour past the label horizon, YYYY-MM-DDTHH
 */
export function labelledDays(
  head: LabelledHead,
  k: number,
  cohorts: readonly Pick<HourCounts, "hour" | "labelled">[],
  due: string,
): LabelledDay[] {
  const days = Map.groupBy(cohorts, ({ hour }) => hour.slice(0, 10));
  return [...days].map(([day, hours]) => {
    const counts = Array.from({ length: head.kind === "classes" ? 2 : head.edges.length + 1 }, () => 0);
    const classes = head.kind === "classes" ? head.classes.length : 0;
    for (const { labelled } of hours)
      (labelled[k] ?? []).slice(0, head.kind === "classes" ? classes ** 2 : counts.length).forEach((count, cell) => {
        const at = head.kind === "errors" ? cell : Math.floor(cell / classes) === cell % classes ? 0 : 1;
        counts[at] = counts[at]! + count;
      });
    return { day, counts, over: `${day}T23` <= due };
  });
}

type Ends = { low: number; high: number };

/** The confusion table: 1 on its diagonal. */
function classCells(k: number): Ends[] {
  return Array.from({ length: k * k }, (_, i) => {
    const right = Math.floor(i / k) === i % k ? 1 : 0;
    return { low: right, high: right };
  });
}

function errorCells(edges: readonly number[]): Ends[] {
  const top = edges.at(-1)!;
  return Array.from({ length: edges.length + 1 }, (_, i) => ({
    low: (edges[i - 1] ?? 0) / top,
    high: (edges[i] ?? top) / top,
  }));
}

/** Fisher and Yates. */
function shuffle(values: number[], random: RandomStream): void {
  for (let i = values.length - 1; i > 0; i--) {
    const j = Math.floor((random.next() / 2 ** 32) * (i + 1));
    [values[i], values[j]] = [values[j]!, values[i]!];
  }
}
