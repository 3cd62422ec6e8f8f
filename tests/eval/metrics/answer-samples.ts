import { readFileSync } from "node:fs";
import { join } from "node:path";
import { sampleOf } from "../../../eval/metrics/measure.ts";
import type { Sample } from "../../../eval/metrics/catalog.ts";
import type { Answers, Predictions, Span } from "../../../eval/predictions/predictions.ts";
import { answerCount } from "../../../eval/predictions/row-count.ts";
import type { Task } from "../../../models/core/manifest/manifest.ts";

const taskOf: Record<Answers["kind"], Task> = {
  ranking: "ranking",
  spans: "token-classification",
  text: "translation",
};

/** Predictions of some answers, as a file would give them. */
export function predictionsOf(answers: Answers, more: Partial<Predictions> = {}): Predictions {
  return {
    head: "score",
    task: taskOf[answers.kind],
    ids: Array.from({ length: answerCount(answers) }, (_, i) => `r${i}`),
    labels: new Float64Array(),
    scores: new Float64Array(),
    classes: [],
    slices: {},
    groups: null,
    weights: null,
    answers,
    datasetDigest: null,
    ...more,
  };
}

/** The sample of all rows. */
export function answerSample(answers: Answers, more: Partial<Predictions> = {}): Sample {
  return sampleOf(predictionsOf(answers, more), Int32Array.from(Array(answerCount(answers)).keys()));
}

export function ranking(
  relevant: readonly (readonly string[])[],
  ranked: readonly (readonly string[])[],
  more: { gains?: number[][]; catalogueSize?: number } = {},
): Answers {
  return {
    kind: "ranking",
    relevant: relevant.map((items) => [...items]),
    ranked: ranked.map((items) => [...items]),
    gains: more.gains ?? null,
    ...(more.catalogueSize === undefined ? {} : { catalogueSize: more.catalogueSize }),
  };
}

export function texts(references: readonly (string | readonly string[])[], hypotheses: readonly string[]): Answers {
  return {
    kind: "text",
    references: references.map((one) => (typeof one === "string" ? [one] : [...one])),
    hypotheses: [...hypotheses],
    audioSeconds: null,
  };
}

export function spans(label: readonly Span[][], predicted: readonly Span[][]): Answers {
  return { kind: "spans", label: [...label], predicted: [...predicted] };
}

type MtCase = {
  metric: "BLEU" | "chrF";
  name: string;
  hyp: string;
  refs: string[];
  args: Record<string, unknown>;
  score: number;
  signature: string;
};
type Entity = [sentence: number, type: string, start: number, end: number];
type Significance = {
  type: "bs" | "ar";
  results: Record<"BLEU" | "chrF2", { score: number; p: number | null; ci: number | null }[]>;
};

/** Values of jiwer, sacreBLEU, seqeval, trec_eval and ranx with their inputs. */
export const reference = JSON.parse(readFileSync(join(import.meta.dirname, "fixtures/answers.json"), "utf8")) as {
  wer: { name: string; ref: string[]; hyp: string[]; wer: number; cer: number }[];
  mt: {
    inputs: Record<string, string[]>;
    corpus: MtCase[];
    tokens: { tokenizer: string; text: string; tokens: string[] }[];
    significance: { contender: string[]; tests: Significance[]; rows: number[][]; bleuOnRows: number[] };
  };
  ner: { name: string; true: Entity[]; predicted: Entity[]; sentences: number; micro: [number, number, number] }[];
  ranking: {
    users: {
      user: string;
      scores: Record<string, number>;
      relevant: Record<string, number>;
      expected: Record<string, Record<string, number>>;
    }[];
    mean: Record<string, Record<string, number>>;
    trecEval: Record<string, Record<string, number>>;
  };
  coverage: { lists: Record<string, string[]>; catalogue: number; value: number };
  pairedUsers: { baseline: number[]; candidate: number[]; mean_difference: number; scipy_BCa90: [number, number] };
};
