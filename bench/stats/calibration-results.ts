import { existsSync, readFileSync } from "node:fs";
import { wilson } from "../../eval/stats/wilson.ts";
import { type Cell, cells, prepareCell } from "./cells.ts";
import { type Chunk, chunkGates } from "./chunks.ts";
import { add, alpha, type Tally } from "./simulate.ts";

export type Rate = { count: number; of: number; rate: number; low: number; high: number };

/** One metric on one kind of data, for both worlds together. */
export type MetricResult = {
  metric: string;
  n: number;
  share: number | null;
  spread: number | null;
  margin: number;
  gates: number;
  /** Number of data sets, over both worlds, on which the metric is undefined. */
  undefined: number;
  wrongPass: {
    nonInferiority: Rate;
    equivalence: Rate;
    superiority: Rate;
    superiorityAtZero: Rate;
    confidentLimit: Rate;
  };
  wrongFail: { confidentLimit: Rate; noChange: Rate };
  /** Unchanged candidates that are not PASS under non-inferiority with this margin. */
  falseRed: Rate;
  /** Unchanged candidates that pass, by margin in tenths of `margin`: [0.1, 0.2, …]. */
  power: number[];
};

export const resultsFile = "bench/results/calibration.json";

/** The content of a results file for one simulation: the first gates of every cell. */
export type Committed = { results: readonly MetricResult[]; gatesOf(cell: Cell): number };

/**
 * Reads the results file, which a run continues. It is ignored when it has another seed, or with `fresh`, which is
 * meant for after a change to what is simulated.
 */
export function readCommitted(seed: number, fresh: boolean, file = resultsFile): Committed {
  const stored = existsSync(file)
    ? (JSON.parse(readFileSync(file, "utf8")) as { seed: number; results: MetricResult[] })
    : null;
  const found = fresh || stored?.seed !== seed ? [] : stored.results;
  return {
    results: found,
    gatesOf: (cell) =>
      found.find((one) => one.n === cell.n && one.share === cell.share && one.spread === cell.spread)?.gates ?? 0,
  };
}

/**
 * The committed gates, joined with the chunks that follow them without a gap in both worlds. Later chunks wait until
 * the gap is filled.
 */
export function results(committed: Committed, chunks: readonly Chunk[]): MetricResult[] {
  const tallies = new Map(chunks.map((one) => [`${one.cell}#${one.chunk}`, one.tallies]));
  return cells
    .filter((cell) => cell.world === "boundary")
    .flatMap((cell) => {
      const news: [Chunk["tallies"], Chunk["tallies"]][] = [];
      for (let chunk = committed.gatesOf(cell) / chunkGates; ; chunk++) {
        const boundary = tallies.get(`${cell.id}#${chunk}`);
        const noChange = tallies.get(`${cell.id.replace("boundary", "unchanged")}#${chunk}`);
        if (boundary === undefined || noChange === undefined) break;
        news.push([boundary, noChange]);
      }
      return prepareCell(cell).metrics.flatMap(({ definition, margin }) => {
        const { name } = definition;
        const before = committed.results.find(
          (one) => one.metric === name && one.n === cell.n && one.share === cell.share && one.spread === cell.spread,
        );
        const [boundary, noChange] = [0, 1].map((world) =>
          news
            .map((pair) => (pair[world] as Chunk["tallies"])[name] as Tally)
            .reduce<Tally | undefined>((sum, one) => (sum === undefined ? one : add(sum, one)), undefined),
        );
        const after =
          boundary === undefined || noChange === undefined
            ? undefined
            : resultOf(cell, name, margin, boundary, noChange);
        const parts = [before, after].filter((one) => one !== undefined);
        return parts.length === 0 ? [] : [{ ...joined(parts), margin }];
      });
    });
}

/** Joins results on different gates of the same kind. The file holds rounded shares, which become counts again. */
function joined(parts: readonly MetricResult[]): MetricResult {
  const first = parts[0] as MetricResult;
  const sum = (read: (one: MetricResult) => number) => parts.reduce((total, one) => total + read(one), 0);
  const rate = (read: (one: MetricResult) => Rate) =>
    rateOf(
      sum((one) => read(one).count),
      sum((one) => read(one).of),
    );
  const rates = <Name extends string>(read: (one: MetricResult) => Record<Name, Rate>) =>
    Object.fromEntries(
      Object.keys(read(first)).map((name) => [name, rate((one) => read(one)[name as Name])]),
    ) as Record<Name, Rate>;
  const gates = sum((one) => one.gates);
  return {
    ...first,
    gates,
    undefined: sum((one) => one.undefined),
    wrongPass: rates((one) => one.wrongPass),
    wrongFail: rates((one) => one.wrongFail),
    falseRed: rate((one) => one.falseRed),
    power: first.power.map((_, k) => sum((one) => Math.round((one.power[k] as number) * one.gates)) / gates),
  };
}

function resultOf(
  { n, share, spread }: Cell,
  metric: string,
  margin: number,
  boundary: Tally,
  noChange: Tally,
): MetricResult {
  const at = (count: number) => rateOf(count, boundary.gates);
  const still = (count: number) => rateOf(count, noChange.gates);
  let below = 0;
  return {
    metric,
    n,
    share,
    spread,
    margin,
    gates: boundary.gates,
    undefined: boundary.undefined + noChange.undefined,
    wrongPass: {
      nonInferiority: at(boundary.nonInferiority.pass),
      equivalence: at(boundary.equivalencePass),
      superiority: at(boundary.superiorityPass),
      superiorityAtZero: still(noChange.superiorityPass),
      confidentLimit: at(boundary.limitPass),
    },
    wrongFail: { confidentLimit: at(boundary.limitFail), noChange: still(noChange.nonInferiority.fail) },
    falseRed: still(noChange.gates - noChange.nonInferiority.pass),
    power: noChange.needed.slice(0, -1).map((count) => (below += count) / noChange.gates),
  };
}

function rateOf(count: number, of: number): Rate {
  return { count, of, rate: count / of, ...wilson(count, of, 0.95) };
}

/** Whether a rate is above alpha by more than the Monte-Carlo error of that many gates, one-sided 95 %. */
export function exceeds({ rate, of }: Rate): boolean {
  return rate > alpha + 1.6449 * Math.sqrt((alpha * (1 - alpha)) / of);
}
