import { wilson } from "../../eval/stats/wilson.ts";
import { type Cell, cells, prepareCell } from "./cells.ts";
import { add, alpha, type Tally } from "./simulate.ts";
import type { Chunk } from "./simulate-all.ts";

export type Rate = { count: number; of: number; rate: number; low: number; high: number };

/** One metric on one kind of data, both worlds together. */
export type MetricResult = {
  metric: string;
  n: number;
  share: number | null;
  spread: number | null;
  margin: number;
  gates: number;
  /** Of both worlds: data on which the metric is undefined. */
  undefined: number;
  wrongPass: { nonInferiority: Rate; equivalence: Rate; superiority: Rate; superiorityAtZero: Rate; confidentLimit: Rate };
  wrongFail: { confidentLimit: Rate; unchanged: Rate };
  /** Unchanged candidates that are not PASS under non-inferiority with this margin. */
  falseRed: Rate;
  /** Unchanged candidates that pass, by margin in tenths of `margin`: [0.1, 0.2, …]. */
  power: number[];
};

export function results(chunks: readonly Chunk[]): MetricResult[] {
  const sums = new Map<string, Tally>();
  for (const { cell, tallies } of chunks) for (const [metric, tally] of Object.entries(tallies)) {
    const key = `${cell} ${metric}`;
    const before = sums.get(key);
    sums.set(key, before === undefined ? tally : add(before, tally));
  }
  return cells.filter((cell) => cell.world === "boundary").flatMap((cell) => prepareCell(cell).metrics.flatMap(({ definition, margin }) => {
    const boundary = sums.get(`${cell.id} ${definition.name}`);
    const unchanged = sums.get(`${cell.id.replace("boundary", "unchanged")} ${definition.name}`);
    return boundary === undefined || unchanged === undefined ? [] : [resultOf(cell, definition.name, margin, boundary, unchanged)];
  }));
}

function resultOf({ n, share, spread }: Cell, metric: string, margin: number, boundary: Tally, unchanged: Tally): MetricResult {
  const at = (count: number) => rateOf(count, boundary.gates);
  const still = (count: number) => rateOf(count, unchanged.gates);
  let below = 0;
  return {
    metric, n, share, spread, margin, gates: boundary.gates, undefined: boundary.undefined + unchanged.undefined,
    wrongPass: {
      nonInferiority: at(boundary.nonInferiority.pass), equivalence: at(boundary.equivalencePass), superiority: at(boundary.superiorityPass),
      superiorityAtZero: still(unchanged.superiorityPass), confidentLimit: at(boundary.limitPass),
    },
    wrongFail: { confidentLimit: at(boundary.limitFail), unchanged: still(unchanged.nonInferiority.fail) },
    falseRed: still(unchanged.gates - unchanged.nonInferiority.pass),
    power: unchanged.needed.slice(0, -1).map((count) => (below += count) / unchanged.gates),
  };
}

function rateOf(count: number, of: number): Rate {
  return { count, of, rate: count / of, ...wilson(count, of, 0.95) };
}

/** Above alpha by more than the Monte-Carlo error of as many gates, one-sided 95 %. */
export function exceeds({ rate, of }: Rate): boolean {
  return rate > alpha + 1.6449 * Math.sqrt((alpha * (1 - alpha)) / of);
}
