import { type MetricDefinition, metricsFor, type Sample } from "../../eval/metrics/catalog.ts";
import { normalCdf } from "../../eval/stats/normal.ts";
import { RandomStream } from "../../eval/stats/random.ts";
import { findRoot } from "../../eval/stats/rootfind.ts";
import type { MetricName } from "../../models/core/manifest/gates.ts";
import { type BinaryMetric, type BinormalWorld, drawBinary, separationOf, threshold, trueBinary } from "./binormal.ts";
import { normals } from "./normals.ts";

/**
 * One kind of data of bench/results/calibration-clusters.md: the candidate is worse by exactly the margin. `clusters`:
 * rows share a part of what both models find hard, and of what each does by itself. `weights`: σ of lognormal weights.
 */
export type UnevenCell = {
  id: string;
  task: "binary" | "regression";
  n: number;
  clusters: number | null;
  /** σ of the lognormal sizes of the clusters; 0: equal. */
  sizes: number;
  /** Correlation of two rows of one cluster, in everything that is drawn for a row. */
  within: number;
  weights: number;
  /** Share of positives. */
  share: number;
  /** Lognormal errors (σ = 1), to which a worse candidate adds lognormal ones. */
  skewed: boolean;
};

export type UnevenMetric = {
  definition: MetricDefinition;
  margin: number;
  /** True value of the candidate. */
  candidate: number;
  options: { threshold?: number; at?: number };
};
export type PreparedUneven = {
  metrics: UnevenMetric[];
  draw(seed: number, stream: number): (metric: MetricName) => { candidate: Sample; baseline: Sample };
};

const usualShare = 0.3;
const usualWithin = 0.2;
const plain = { n: 500, clusters: null, sizes: 0, within: usualWithin, weights: 0, share: usualShare, skewed: false };
type Kind = Omit<UnevenCell, "id" | "task">;

const kinds: Kind[] = [
  plain,
  ...[2, 3, 5, 8, 12, 20, 40, 100].map((clusters) => ({ ...plain, clusters })),
  ...[8, 20].map((clusters) => ({ ...plain, clusters, sizes: 0.7 })),
  ...[0.5, 1.5, 2.5].map((weights) => ({ ...plain, weights })),
];
/** Clusters unlike those above. */
const otherKinds: Kind[] = [
  ...[0.05, 0.5].flatMap((within) => [5, 8, 12, 20, 40, 100].map((clusters) => ({ ...plain, clusters, within }))),
  ...[8, 20, 40].map((clusters) => ({ ...plain, clusters, sizes: 1.2 })),
];

function named(cell: Omit<UnevenCell, "id">): UnevenCell {
  const parts = [
    cell.task,
    `n=${cell.n}`,
    ...(cell.share === usualShare || cell.task === "regression" ? [] : [`positives=${cell.share}`]),
    ...(cell.clusters === null ? [] : [`clusters=${cell.clusters}`]),
    ...(cell.sizes === 0 ? [] : [`sizes=${cell.sizes}`]),
    ...(cell.within === usualWithin ? [] : [`within=${cell.within}`]),
    ...(cell.weights === 0 ? [] : [`weights=${cell.weights}`]),
    ...(cell.skewed ? ["skewed"] : []),
  ];
  return { id: parts.join(" "), ...cell };
}

const bothTasks = (some: readonly Kind[]): UnevenCell[] =>
  some.flatMap((kind) => (["binary", "regression"] as const).map((task) => named({ ...kind, task })));

export const unevenCells: readonly UnevenCell[] = [
  ...bothTasks(kinds),
  ...[50, 200].map((n) => named({ ...plain, n, task: "regression", skewed: true })),
  named({ ...plain, n: 10_000, task: "binary", share: 0.01 }),
];

/** No constant of a formula was chosen on these. */
export const otherCells: readonly UnevenCell[] = bothTasks(otherKinds);

const correlation = 0.95;
/** Cluster of each row. Uneven sizes are the same in every gate, so that the kind of data has one true value. */
function clustersOf({ n, clusters, sizes }: UnevenCell): Uint32Array | null {
  if (clusters === null) return null;
  if (sizes === 0) return Uint32Array.from({ length: n }, (_, i) => i % clusters);
  const weights = normals(new RandomStream(5, clusters), clusters).map((z) => Math.exp(sizes * z));
  const total = weights.reduce((sum, one) => sum + one, 0);
  const ends: number[] = [];
  weights.reduce((sum, one, g) => (ends[g] = sum + one), 0);
  return Uint32Array.from({ length: n }, (_, i) => {
    const at = ends.findIndex((end) => ((i + 0.5) / n) * total <= end);
    return at < 0 ? clusters - 1 : at;
  });
}

/** `perRow` standard normal numbers for each row, correlated within clusters. */
function rowNoise(
  random: RandomStream,
  n: number,
  perRow: number,
  ids: Uint32Array | null,
  within: number,
): Float64Array {
  const noise = normals(random, perRow * n);
  if (ids === null) return noise;
  const shared = normals(random, perRow * (Math.max(...ids) + 1));
  for (let i = 0; i < n; i++)
    for (let k = 0; k < perRow; k++)
      noise[perRow * i + k] =
        Math.sqrt(1 - within) * (noise[perRow * i + k] as number) +
        Math.sqrt(within) * (shared[perRow * (ids[i] as number) + k] as number);
  return noise;
}

export function prepareUneven(cell: UnevenCell): PreparedUneven {
  return cell.task === "binary" ? prepareBinary(cell) : prepareRegression(cell);
}

function rowInfo(cell: UnevenCell, ids: Uint32Array | null, groups: string[] | null, seed: number, stream: number) {
  const weights =
    cell.weights === 0
      ? null
      : normals(new RandomStream(seed + 77, stream), cell.n).map((z) => Math.exp(cell.weights * z));
  return { weights, groups: ids === null ? null : groups };
}

const truths = new Map<string, number>();
/** A true value, integrated once for all kinds of data that have it. */
function once(key: string, integrate: () => number): number {
  const value = truths.get(key) ?? integrate();
  truths.set(key, value);
  return value;
}

function prepareBinary(cell: UnevenCell): PreparedUneven {
  const { share, n } = cell;
  const ids = clustersOf(cell);
  const groups = ids === null ? null : Array.from(ids, String);
  const baseline = { separation: separationOf(0.9), shift: 0 };
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
  const worldOf = (name: MetricName) => (name === "ece" ? shifted : sharper);
  const metrics = metricsFor("binary-classification").map((definition): UnevenMetric => {
    const world = worldOf(definition.name);
    const name = definition.name as BinaryMetric;
    const decision = ["accuracy", "precision", "recall", "f1"].includes(name);
    const [candidate, other] = (["candidate", "baseline"] as const).map((role) =>
      once(`${name} ${share} ${role}`, () => trueBinary(name, world, world[role])),
    );
    return {
      definition,
      margin: Math.abs((candidate as number) - (other as number)),
      candidate: candidate as number,
      options: decision ? { threshold: threshold(world) } : { at: 0.1 },
    };
  });
  return {
    metrics,
    draw(seed, stream) {
      const noise = (random: RandomStream, count: number) => rowNoise(random, count, 2, ids, cell.within);
      const drawn = new Map<BinormalWorld, ReturnType<typeof drawBinary>>();
      const info = rowInfo(cell, ids, groups, seed, stream);
      return (metric) => {
        const world = worldOf(metric);
        const one = drawn.get(world) ?? drawBinary(world, n, seed, stream, noise);
        drawn.set(world, one);
        const found = one.samples(metric as BinaryMetric);
        return { candidate: { ...found.candidate, ...info }, baseline: { ...found.baseline, ...info } };
      };
    },
  };
}

/** Labels are 10 exp(0.3 z). Errors: normal of size 1 and 1.05; or exp(z₁), and exp(z₁) + 0.1 exp(z₂). */
const labelSigma = 0.3;
const labelSize = 10;
const naiveScale = 1.5;
const added = 0.1;

function prepareRegression(cell: UnevenCell): PreparedUneven {
  const { n, skewed } = cell;
  const ids = clustersOf(cell);
  const groups = ids === null ? null : Array.from(ids, String);
  const truth = skewed ? skewedTruth : normalTruth;
  const metrics = metricsFor("regression").map((definition): UnevenMetric => {
    const [candidate, other] = [true, false].map((isCandidate) =>
      once(`${definition.name} ${skewed} ${isCandidate}`, () => truth(definition.name, isCandidate)),
    ) as [number, number];
    return { definition, margin: Math.abs(candidate - other), candidate, options: {} };
  });
  return {
    metrics,
    draw(seed, stream) {
      const noise = rowNoise(new RandomStream(seed, stream), n, 3, ids, cell.within);
      const labels = new Float64Array(n);
      const baseline = new Float64Array(n);
      const candidate = new Float64Array(n);
      for (let i = 0; i < n; i++) {
        const [one, two, three] = noise.subarray(3 * i, 3 * i + 3) as unknown as [number, number, number];
        labels[i] = labelOf(one);
        const size = skewed ? Math.exp(two) : two;
        baseline[i] = (labels[i] as number) + size;
        candidate[i] =
          (labels[i] as number) +
          (skewed ? size + added * Math.exp(three) : worse * (correlation * two + rest * three));
      }
      const info = rowInfo(cell, ids, groups, seed, stream);
      const naiveScales = new Float64Array(n).fill(naiveScale);
      const sampleOf = (scores: Float64Array): Sample => ({ labels, scores, classCount: 0, naiveScales, ...info });
      const samples = { candidate: sampleOf(candidate), baseline: sampleOf(baseline) };
      return () => samples;
    },
  };
}

const worse = 1.05;
const rest = Math.sqrt(1 - correlation ** 2);
const labelVariance = labelSize ** 2 * Math.exp(labelSigma ** 2) * Math.expm1(labelSigma ** 2);
const meanInverse = Math.exp(labelSigma ** 2 / 2) / labelSize;

function normalTruth(name: MetricName, isCandidate: boolean): number {
  const size = isCandidate ? worse : 1;
  const mean = size * Math.sqrt(2 / Math.PI);
  return fromMoments(name, mean, size ** 2, {
    median: size * 0.6744897501960817,
    smape: () => over((z) => over((u) => relativeError(size * z, labelOf(u)), 200), 2000),
  });
}

function skewedTruth(name: MetricName, isCandidate: boolean): number {
  const c = isCandidate ? added : 0;
  const mean = (1 + c) * Math.exp(0.5);
  const square = (1 + c * c) * Math.exp(2) + 2 * c * Math.E;
  const below = (m: number): number =>
    over((z) => {
      const left = m - c * Math.exp(z);
      return left > 0 ? normalCdf(Math.log(left)) : 0;
    }, 4000);
  return fromMoments(name, mean, square, {
    median: c === 0 ? 1 : findRoot((m) => below(m) - 0.5, 0.5, 3),
    smape: () =>
      over((z) => over((x) => over((u) => relativeError(Math.exp(z) + c * Math.exp(x), labelOf(u)), 60), 120), 120),
  });
}

const labelOf = (z: number): number => labelSize * Math.exp(labelSigma * z);
const relativeError = (error: number, label: number): number =>
  (2 * Math.abs(error)) / (Math.abs(label) + Math.abs(label + error));

function fromMoments(
  name: MetricName,
  mean: number,
  square: number,
  other: { median: number; smape: () => number },
): number {
  switch (name) {
    case "mae":
      return mean;
    case "rmse":
      return Math.sqrt(square);
    case "r2":
      return 1 - square / labelVariance;
    case "mape":
      return mean * meanInverse;
    case "mase":
      return mean / naiveScale;
    case "median_absolute_error":
      return other.median;
    case "smape":
      return other.smape();
    default:
      throw new Error(`no true value of ${name}`);
  }
}

/** Expectation over a standard normal number, by the trapezoidal rule on ± 9. */
function over(f: (z: number) => number, panels: number): number {
  let sum = 0;
  let weight = 0;
  for (let i = 0; i <= panels; i++) {
    const z = -9 + (18 * i) / panels;
    const w = Math.exp((-z * z) / 2);
    weight += w;
    sum += w * f(z);
  }
  return sum / weight;
}
