import { catalog, type MetricDefinition } from "../../eval/metrics/catalog.ts";
import type { Sample } from "../../eval/metrics/definition.ts";
import type { MetricName } from "../../models/core/manifest/gates.ts";
import {
  type BinaryMetric,
  binaryMetrics,
  type BinormalWorld,
  drawBinary,
  separationOf,
  threshold,
  trueBinary,
} from "./binormal.ts";
import {
  drawRegression,
  type RegressionMetric,
  regressionMetrics,
  type RegressionWorld,
  trueRegression,
} from "./regressors.ts";

/**
 * One kind of data at one size, in one of two worlds: the candidate is worse by exactly the margin, or neither better
 * nor worse.
 */
export type Cell = {
  id: string;
  n: number;
  data: "binary" | "regression";
  share: number | null;
  spread: number | null;
  world: "boundary" | "unchanged";
};

export type CellMetric = {
  definition: MetricDefinition;
  /** The true loss in the boundary world, which is the margin in both worlds. */
  margin: number;
  /** True value of the candidate in this world. */
  candidate: number;
  threshold?: number;
};
type Drawn = { fewest: number; samples(metric: MetricName): { candidate: Sample; baseline: Sample } };
export type PreparedCell = { metrics: CellMetric[]; draw(seed: number, stream: number): Drawn };

const correlation = 0.95;

const worlds = ["boundary", "unchanged"] as const;
const binary = (n: number, share: number): Cell[] =>
  worlds.map((world) => ({
    id: `binary n=${n} positives=${share} ${world}`,
    n,
    data: "binary",
    share,
    spread: null,
    world,
  }));
const regression = (n: number, spread: number): Cell[] =>
  worlds.map((world) => ({
    id: `regression n=${n} spread=${spread} ${world}`,
    n,
    data: "regression",
    share: null,
    spread,
    world,
  }));

export const cells: readonly Cell[] = [
  ...[200, 1_000, 10_000].flatMap((n) => [
    ...[0.5, 0.1, 0.02].flatMap((share) => binary(n, share)),
    ...[0, 0.8].flatMap((spread) => regression(n, spread)),
  ]),
  // Between the default minimum of 30 rows of a class and the 100 below which the gate warns.
  ...binary(200, 0.25),
  ...binary(1_000, 0.05),
];

export function prepareCell(cell: Cell): PreparedCell {
  return cell.data === "binary"
    ? prepareBinary(cell, cell.share as number)
    : prepareRegression(cell, cell.spread as number);
}

function prepareBinary({ n, world }: Cell, share: number): PreparedCell {
  const noChange = world === "unchanged";
  const baseline = { separation: separationOf(0.9), shift: 0 };
  // Ranking and probabilities get worse through a weaker score; calibration, through a larger shift of a score that
  // stays as good.
  const sharper: BinormalWorld = {
    share,
    correlation,
    baseline,
    candidate: { separation: separationOf(0.88), shift: 0 },
  };
  const shifted: BinormalWorld = {
    share,
    correlation,
    baseline: { ...baseline, shift: 0.5 },
    candidate: { ...baseline, shift: 0.8 },
  };
  const still = (one: BinormalWorld): BinormalWorld => (noChange ? { ...one, candidate: one.baseline } : one);
  const worldOf = (metric: BinaryMetric) => (metric === "ece" ? shifted : sharper);
  const metrics = binaryMetrics.map((name): CellMetric => {
    const at = worldOf(name);
    return {
      definition: definitionOf(name),
      margin: Math.abs(trueBinary(name, at, at.candidate) - trueBinary(name, at, at.baseline)),
      candidate: trueBinary(name, at, still(at).candidate),
      ...(name === "accuracy" || name === "f1" ? { threshold: threshold(at) } : {}),
    };
  });
  return {
    metrics,
    draw(seed, stream) {
      const one = drawBinary(still(sharper), n, seed, stream);
      const two = drawBinary(still(shifted), n, seed, stream);
      return {
        fewest: one.fewest,
        samples: (metric) => (metric === "ece" ? two : one).samples(metric as BinaryMetric),
      };
    },
  };
}

function prepareRegression({ n, world }: Cell, spread: number): PreparedCell {
  const worse: RegressionWorld = { spread, correlation, baseline: 1, candidate: 1.05 };
  const now = world === "unchanged" ? { ...worse, candidate: worse.baseline } : worse;
  return {
    metrics: regressionMetrics.map((name) => ({
      definition: definitionOf(name),
      margin: Math.abs(trueRegression(name, worse, worse.candidate) - trueRegression(name, worse, worse.baseline)),
      candidate: trueRegression(name, now, now.candidate),
    })),
    draw(seed, stream) {
      const one = drawRegression(now, n, seed, stream);
      return { fewest: one.fewest, samples: (metric) => one.samples(metric as RegressionMetric) };
    },
  };
}

function definitionOf(name: MetricName): MetricDefinition {
  const found = catalog.get(name);
  if (found === undefined) throw new Error(`no metric ${name}`);
  return found;
}
