import type { Sample } from "../../eval/metrics/catalog.ts";
import { sampleOf } from "../../eval/metrics/measure.ts";
import { selectRows } from "../../eval/predictions/select-rows.ts";
import type { Answers, Predictions, Span } from "../../eval/predictions/predictions.ts";
import { RandomStream } from "../../eval/stats/random.ts";
import type { Task } from "../../models/core/manifest/manifest.ts";
import { normals } from "./normals.ts";

/** How rows are drawn from a world. */
export type AnswerCell = {
  /** Of clusters of uneven size: on average. */
  rows: number;
  /** Rows of a cluster, 1 to 20; 1: independent rows. */
  clusterSize: number;
  /** σ of the clusters' lognormal sizes, which are cut at 20; 0: equal ones. */
  sizes?: number;
  /** σ of the rows' lognormal weights; 0: none. */
  weights: number;
};

/** A population of rows with what two models answer on each, of which the candidate is a little worse. */
export type AnswerWorld = {
  task: Task;
  /** The whole population, with a cell's weights. */
  whole(cell: AnswerCell): { candidate: Sample; baseline: Sample };
  /** A cell's rows: independent, or whole clusters of neighbours, which are alike. */
  draw(cell: AnswerCell, seed: number, gate: number): { candidate: Sample; baseline: Sample };
};

/** Rows of a world, unless another number is asked for. */
const usualRows = 12_000;
/** Rows that share a cluster in the population. A cell's clusters are parts of these. */
export const neighbours = 20;

/** σ of what the candidate gains or loses in a whole cluster, in log odds or (texts) logarithms of the error rate. */
const clusterEffect = 0.3;

const logistic = (x: number): number => 1 / (1 + Math.exp(-x));

/** Everything is drawn once per row and cluster: difficulty has correlation 0.3 within a cluster. */
function difficulties(seed: number, population: number): Float64Array {
  const own = normals(new RandomStream(seed, 1), population);
  const shared = normals(new RandomStream(seed, 2), population / neighbours);
  return own.map((z, i) => Math.sqrt(0.7) * z + Math.sqrt(0.3) * (shared[Math.floor(i / neighbours)] as number));
}

/** How much better or worse than usual the candidate is on the rows of a cluster, standard normal, per row. */
function leanings(seed: number, population: number): Float64Array {
  const shared = normals(new RandomStream(seed, 6), population / neighbours);
  return Float64Array.from({ length: population }, (_, i) => shared[Math.floor(i / neighbours)] as number);
}

function rankings(seed: number, population: number): { candidate: Answers; baseline: Answers } {
  const random = new RandomStream(seed, 3);
  const hard = difficulties(seed, population);
  const lean = leanings(seed, population);
  const catalogueSize = 400;
  const relevant: string[][] = [];
  const lists = { candidate: [] as string[][], baseline: [] as string[][] };
  for (let user = 0; user < population; user++) {
    // One user in eight has no relevant item, and has to be left out.
    const count = random.below(8) === 0 ? 0 : 1 + random.below(4);
    const items = [...new Set(Array.from({ length: count }, () => `i${random.below(catalogueSize)}`))];
    relevant.push(items);
    // What the models share: noise of each place, and whether a relevant item is found.
    const noise = Array.from({ length: 20 }, () => `i${Math.floor(catalogueSize * random.uniform() ** 2)}`);
    const luck = items.map(() => [random.uniform(), random.uniform(), random.uniform()] as const);
    for (const [role, shift] of [
      ["baseline", 0],
      ["candidate", -0.35],
    ] as const) {
      const list = noise.filter((item, i) => noise.indexOf(item) === i && !items.includes(item));
      luck.forEach(([found, own, place], i) => {
        const leaning = role === "candidate" ? clusterEffect * (lean[user] as number) : 0;
        const chance = logistic(shift + leaning - (hard[user] as number));
        if ((role === "candidate" && own < 0.3 ? own / 0.3 : found) < chance)
          list.splice(Math.floor(20 * place ** 2), 0, items[i] as string);
      });
      lists[role].push(list.slice(0, 20));
    }
  }
  const of = (ranked: string[][]): Answers => ({ kind: "ranking", relevant, gains: null, ranked, catalogueSize });
  return { candidate: of(lists.candidate), baseline: of(lists.baseline) };
}

function entities(seed: number, population: number): { candidate: Answers; baseline: Answers } {
  const random = new RandomStream(seed, 3);
  const hard = difficulties(seed, population);
  const lean = leanings(seed, population);
  const label: Span[][] = [];
  const predicted = { candidate: [] as Span[][], baseline: [] as Span[][] };
  for (let row = 0; row < population; row++) {
    // Half of the sentences have no entity, some have many.
    const count = random.below(2) === 0 ? 0 : 1 + Math.floor(-1.2 * Math.log(random.uniform()));
    const spans = Array.from({ length: count }, (_, i) => ({ start: 10 * i, end: 10 * i + 5, type: "PER" }));
    label.push(spans);
    const luck = spans.map(() => [random.uniform(), random.uniform()] as const);
    const extra = [random.uniform(), random.uniform()] as const;
    for (const [role, shift] of [
      ["baseline", 1.2],
      ["candidate", 1],
    ] as const) {
      const draw = ([common, own]: readonly [number, number]) =>
        role === "candidate" && own < 0.3 ? own / 0.3 : common;
      const leaning = role === "candidate" ? clusterEffect * (lean[row] as number) : 0;
      const chance = logistic(shift + leaning - (hard[row] as number));
      const found = spans.flatMap((span, i): Span[] => {
        const u = draw(luck[i] as readonly [number, number]);
        return u < chance ? [span] : u < 0.5 + chance / 2 ? [{ ...span, end: span.end + 1 }] : [];
      });
      const invented = draw(extra) > 0.5 + chance / 2 ? [{ start: 900, end: 905, type: "PER" }] : [];
      predicted[role].push([...found, ...invented]);
    }
  }
  const of = (found: Span[][]): Answers => ({ kind: "spans", label, predicted: found });
  return { candidate: of(predicted.candidate), baseline: of(predicted.baseline) };
}

function sentences(seed: number, population: number): { candidate: Answers; baseline: Answers } {
  const random = new RandomStream(seed, 3);
  const hard = difficulties(seed, population);
  const lean = leanings(seed, population);
  const lengths = normals(new RandomStream(seed, 4), population);
  const references: string[][] = [];
  const hypotheses = { candidate: [] as string[], baseline: [] as string[] };
  const word = () => `w${Math.floor(1500 * random.uniform() ** 3)}`;
  for (let row = 0; row < population; row++) {
    // Lengths are lognormal with a median of 9 words, and so are the rates of error: few rows carry much of both.
    const length = Math.max(1, Math.round(9 * Math.exp(0.6 * (lengths[row] as number))));
    const words = Array.from({ length }, word);
    references.push([words.join(" ")]);
    const luck = words.map(() => [random.uniform(), random.uniform(), random.below(3), word()] as const);
    for (const [role, rate] of [
      ["baseline", 0.12],
      ["candidate", 0.135],
    ] as const) {
      const leaning = role === "candidate" ? clusterEffect * (lean[row] as number) : 0;
      const chance = Math.min(0.9, rate * Math.exp(0.8 * (hard[row] as number) + leaning));
      hypotheses[role].push(
        luck
          .flatMap(([common, own, kind, other], i) => {
            const u = role === "candidate" && own < 0.3 ? own / 0.3 : common;
            if (u >= chance) return [words[i] as string];
            return kind === 0 ? [] : kind === 1 ? [other] : [words[i] as string, other];
          })
          .join(" "),
      );
    }
  }
  const of = (found: string[]): Answers => ({ kind: "text", references, hypotheses: found, audioSeconds: null });
  return { candidate: of(hypotheses.candidate), baseline: of(hypotheses.baseline) };
}

const worlds = { ranking: rankings, "token-classification": entities, "text-generation": sentences };
export type WorldTask = keyof typeof worlds;
export const worldTasks = Object.keys(worlds) as WorldTask[];

export function answerWorld(task: WorldTask, seed: number, population = usualRows): AnswerWorld {
  const made = worlds[task](seed, population);
  const heavy = normals(new RandomStream(seed, 5), population);
  const all = Int32Array.from(Array(population).keys());
  const whole = (answers: Answers): Sample => {
    const predictions: Predictions = {
      head: "score",
      task,
      ids: [],
      labels: new Float64Array(),
      scores: new Float64Array(),
      classes: [],
      slices: {},
      groups: null,
      weights: null,
      answers,
      datasetDigest: null,
    };
    return sampleOf(predictions, all);
  };
  const [candidate, baseline] = [whole(made.candidate), whole(made.baseline)];
  const weighing = (rows: Int32Array, spread: number): Float64Array | null =>
    spread === 0 ? null : Float64Array.from(rows, (row) => Math.exp(spread * (heavy[row] as number)));
  return {
    task,
    whole: ({ weights }) => ({
      candidate: { ...candidate, weights: weighing(all, weights) },
      baseline: { ...baseline, weights: weighing(all, weights) },
    }),
    draw({ rows, clusterSize, sizes = 0, weights: spread }, drawSeed, gate) {
      const random = new RandomStream(drawSeed, gate);
      const drawn: number[] = [];
      const groups: string[] = [];
      const own = normals(random, sizes > 0 ? Math.round(rows / clusterSize) : 0);
      for (let cluster = 0; cluster < Math.round(rows / clusterSize); cluster++) {
        const stretch = sizes > 0 ? Math.exp(sizes * (own[cluster] as number) - sizes ** 2 / 2) : 1;
        const size = Math.min(neighbours, Math.max(1, Math.round(clusterSize * stretch)));
        // Round the cluster from any of its rows, so that each is as likely as the others.
        const first = neighbours * random.below(population / neighbours);
        const offset = random.below(neighbours);
        for (let k = 0; k < size; k++) {
          drawn.push(first + ((offset + k) % neighbours));
          groups.push(`c${cluster}`);
        }
      }
      const some = Int32Array.from(drawn);
      const of = (sample: Sample): Sample => ({
        ...selectRows(sample, some),
        groups: clusterSize > 1 ? groups : null,
        weights: weighing(some, spread),
      });
      return { candidate: of(candidate), baseline: of(baseline) };
    },
  };
}
