import {
  decideConfidentLimit,
  decideEquivalence,
  decideNonInferiority,
  decideSuperiority,
} from "../../eval/stats/decide.ts";
import type { Cell, CellMetric, PreparedCell } from "./cells.ts";

/** The counts of a chunk of simulated gates, for one metric of one cell. Counts of several chunks add up. */
export type Tally = {
  gates: number;
  /** Gates whose metric or interval is undefined, e.g. without a positive row. They never count as a pass. */
  undefined: number;
  nonInferiority: { pass: number; fail: number };
  equivalencePass: number;
  /**
   * Boundary world: with the models swapped, so that the candidate is better by exactly the margin. Unchanged world:
   * with margin 0.
   */
  superiorityPass: number;
  /** Passes of a confident limit at the candidate's true value. */
  limitPass: number;
  limitFail: number;
  /** Gates with at least 30 rows of each class, the default minimum, and the non-inferiority passes among them. */
  enough: { gates: number; pass: number };
  /**
   * Unchanged world: gates by the margin that they need to pass, in tenths of the cell's margin. The last bin holds all
   * beyond.
   */
  needed: number[];
};

export const neededBins = 80;
export const alpha = 0.05;
const minimumPerClass = 30;

/** Simulates gates `from` … `from + gates - 1` of a cell. Each draws its data from its own stream. */
export function simulate(
  cell: Cell,
  prepared: PreparedCell,
  seed: number,
  from: number,
  gates: number,
): Record<string, Tally> {
  const tallies = Object.fromEntries(prepared.metrics.map(({ definition }) => [definition.name, empty()]));
  for (let gate = from; gate < from + gates; gate++) {
    const drawn = prepared.draw(seed, gate);
    for (const metric of prepared.metrics) {
      const tally = tallies[metric.definition.name] as Tally;
      const { candidate, baseline } = drawn.samples(metric.definition.name);
      const options = {
        level: 1 - 2 * alpha,
        seed: gate + 1,
        ...(metric.threshold === undefined ? {} : { threshold: metric.threshold }),
      };
      const contrast = metric.definition.contrast(candidate, baseline, options);
      const own = metric.definition.measure(candidate, options);
      tally.gates++;
      if (drawn.fewest >= minimumPerClass) tally.enough.gates++;
      if (own.status === "ok") countLimit(tally, metric, own.interval);
      if (contrast.status === "undefined") tally.undefined++;
      else countContrast(tally, metric, contrast.interval, cell.world, drawn.fewest >= minimumPerClass);
    }
  }
  return tallies;
}

function countLimit(
  tally: Tally,
  { definition, candidate }: CellMetric,
  interval: { low: number; high: number } | null,
): void {
  const [min, max] = definition.direction === "higher" ? [candidate, null] : [null, candidate];
  const decision = decideConfidentLimit(interval, min, max);
  if (decision === "pass") tally.limitPass++;
  if (decision === "fail") tally.limitFail++;
}

function countContrast(
  tally: Tally,
  { definition, margin }: CellMetric,
  interval: { low: number; high: number },
  world: Cell["world"],
  enough: boolean,
): void {
  const { direction } = definition;
  const decision = decideNonInferiority(interval, margin, direction);
  if (decision === "pass") tally.nonInferiority.pass++;
  if (decision === "fail") tally.nonInferiority.fail++;
  if (decision === "pass" && enough) tally.enough.pass++;
  if (decideEquivalence(interval, margin) === "pass") tally.equivalencePass++;
  // Swapping the models mirrors every interval, so the reverse comparison is this one's mirror image.
  const turned = world === "boundary" ? { low: -interval.high, high: -interval.low } : interval;
  if (decideSuperiority(turned, world === "boundary" ? margin : 0, direction) === "pass") tally.superiorityPass++;
  if (world === "unchanged") {
    const needed = direction === "higher" ? -interval.low : interval.high;
    const bin = Math.min(neededBins - 1, Math.max(0, Math.ceil((10 * needed) / margin) - 1));
    tally.needed[bin] = (tally.needed[bin] as number) + 1;
  }
}

export function empty(): Tally {
  return {
    gates: 0,
    undefined: 0,
    nonInferiority: { pass: 0, fail: 0 },
    equivalencePass: 0,
    superiorityPass: 0,
    limitPass: 0,
    limitFail: 0,
    enough: { gates: 0, pass: 0 },
    needed: Array.from({ length: neededBins }, () => 0),
  };
}

export function add(a: Tally, b: Tally): Tally {
  return {
    gates: a.gates + b.gates,
    undefined: a.undefined + b.undefined,
    nonInferiority: {
      pass: a.nonInferiority.pass + b.nonInferiority.pass,
      fail: a.nonInferiority.fail + b.nonInferiority.fail,
    },
    equivalencePass: a.equivalencePass + b.equivalencePass,
    superiorityPass: a.superiorityPass + b.superiorityPass,
    limitPass: a.limitPass + b.limitPass,
    limitFail: a.limitFail + b.limitFail,
    enough: { gates: a.enough.gates + b.enough.gates, pass: a.enough.pass + b.enough.pass },
    needed: a.needed.map((count, i) => count + (b.needed[i] as number)),
  };
}
