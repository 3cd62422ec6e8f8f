import type { ManifestInput, Task } from "../../models/core/manifest/manifest.ts";
import type { RankingResult, RegressionResult, SeriesResult } from "../../models/core/postprocess/result.ts";
import type { ClassificationResult, SpansResult, TextResult } from "../../models/core/postprocess/result.ts";
import { fixture, linearManifest, sha256 } from "./core/build.ts";
import { ctcToy, echoToy, rankingToy, seriesToy, spansToy, topToy, wordToy, type Toy } from "./core/kinds.ts";

type Row = Record<string, unknown>;
type Labels = NonNullable<ManifestInput["dataset"]>["labels"][string];
type Check = NonNullable<NonNullable<ManifestInput["gates"]>["checks"]>[number];

/** A toy model with what is true of its rows, what judges it, and how its answers look in files and on the page. */
export type TaskToy = {
  id: string;
  task: Task;
  toy: Toy;
  /** The inputs of row i, by the fields that the model reads. */
  inputs: (i: number) => Row;
  /** Fields that every candidate reads alike, and what else the label needs. */
  beside: (i: number) => Row;
  label: Labels;
  /** The label's field, from what the model rightly answers. */
  truth: (answer: never) => unknown;
  check: Check;
  /** A check that every candidate keeps. */
  kept?: Check;
  /** Of 20 rows, how many the candidate answers wrongly of which the gate cannot tell whether it is worse. */
  between: number;
  /** The cells that the gate's prediction file has of an answer, by what follows the row's id in the file. */
  cells: (answer: never) => Record<string, Record<string, unknown>>;
  /** What the page shows of the example's answer. */
  widget: { selector: string; text: RegExp };
};

const artifact = (name: string) => ({ path: `${name}.onnx`, sha256: sha256(fixture(`${name}.onnx`)) });
const none = () => ({});
const abc = (i: number) => ({ a: Math.sin(i) * 4, b: Math.cos(i * 3) * 4, c: Math.sin(i * 7) });
const words = (count: number, i: number) =>
  Array.from({ length: count }, (_, j) => `t${1 + ((i * 7 + j * 3) % 60)}`).join(" ");

const yesNoToy: Toy = {
  files: {},
  rows: [],
  manifest: {
    ...linearManifest(),
    task: "binary-classification",
    artifact: artifact("two-class"),
    outputs: [{ name: "logits", dtype: "float32", shape: ["batch", 2] }],
    postprocess: [
      { name: "answer", from: "logits", kind: "classification", activation: "softmax", labels: ["no", "yes"] },
    ],
  },
};

export const taskToys: readonly TaskToy[] = [
  {
    id: "binary",
    task: "binary-classification",
    toy: yesNoToy,
    inputs: abc,
    beside: none,
    label: { field: "truth" },
    truth: ({ label }: ClassificationResult) => label,
    check: { kind: "non-inferiority", metric: "accuracy", margin: 0.05 },
    between: 3,
    cells: ({ probabilities }: ClassificationResult) => ({ "": { score: probabilities["yes"] } }),
    widget: { selector: ".bars li", text: /^(no|yes)\s+\d/ },
  },
  {
    id: "multiclass",
    task: "multiclass-classification",
    toy: topToy(),
    inputs: abc,
    beside: none,
    label: { field: "truth" },
    truth: ({ label }: ClassificationResult) => label,
    check: { kind: "non-inferiority", metric: "macro_f1", margin: 0.05 },
    between: 2,
    // The file has every class, the answer the best two.
    cells: ({ top }: { top: { label: string; score: number }[] }) => ({
      "": Object.fromEntries(top.map(({ label, score }) => [`p_${label}`, score])),
    }),
    widget: { selector: ".bars li", text: /^[xyz]\s+\d/ },
  },
  {
    id: "spans",
    task: "token-classification",
    toy: spansToy(),
    inputs: (i) => ({ text: words(4 + (i % 6), i) }),
    beside: none,
    label: { field: "truth" },
    truth: ({ spans }: SpansResult) => spans.map(({ start, end, type }) => ({ start, end, type })),
    check: { kind: "non-inferiority", metric: "entity_f1", margin: 0.05 },
    between: 2,
    cells: ({ spans }: SpansResult) => ({
      "": { predicted: spans.map(({ start, end, type }) => ({ start, end, type })) },
    }),
    widget: { selector: "mark", text: /(PER|LOC)$/ },
  },
  {
    id: "number",
    task: "regression",
    toy: { files: {}, rows: [], manifest: linearManifest() },
    inputs: abc,
    beside: none,
    label: { field: "truth" },
    truth: ({ value }: RegressionResult) => value,
    check: { kind: "non-inferiority", metric: "mae", margin: 3 },
    between: 2,
    cells: ({ value }: RegressionResult) => ({ "": { score: value } }),
    widget: { selector: ".number", text: /\d/ },
  },
  {
    id: "forecast",
    task: "forecasting",
    toy: seriesToy(true),
    inputs: (i) => ({ history: Array.from({ length: 6 }, (_, t) => 3 + (i % 5) + 2 * Math.sin(i * 5 + t)) }),
    beside: none,
    label: { field: "truth", naiveScale: 2 },
    truth: ({ values }: SeriesResult) => values,
    check: { kind: "non-inferiority", metric: "mase", margin: 0.2 },
    between: 2,
    cells: ({ values, quantiles }: SeriesResult) =>
      Object.fromEntries(
        values.map((score, t) => [
          `:${t + 1}`,
          { score, ...Object.fromEntries(quantiles!.map(({ level, values: at }) => [`q${level * 100}`, at[t]])) },
        ]),
      ),
    widget: { selector: ".plot svg", text: /./ },
  },
  {
    id: "ranking",
    task: "ranking",
    toy: rankingToy(false),
    inputs: abc,
    beside: (i) => ({ seen: i % 3 === 0 ? ["a"] : [] }),
    label: { field: "truth" },
    truth: ({ items }: RankingResult) => items.slice(0, 2).map(({ id }) => id),
    check: { kind: "non-inferiority", metric: "ndcg_at_k", k: 4, margin: 0.05 },
    // Knows the catalogue's size from the model.
    kept: { kind: "limit", metric: "coverage_at_k", k: 4, min: 0.1 },
    between: 3,
    cells: ({ items }: RankingResult) => ({ "": { ranked: items.map(({ id }) => id) } }),
    widget: { selector: ".ranked li", text: /^1\s+Item [a-h]/ },
  },
  {
    id: "speech",
    task: "speech-to-text",
    toy: ctcToy(),
    inputs: (i) => ({ text: words(3 + (i % 6), i) }),
    beside: (i) => ({ seconds: 1.5 + (i % 4) }),
    label: { field: "truth", audioSeconds: "seconds" },
    truth: ({ text }: TextResult) => text,
    check: { kind: "non-inferiority", metric: "cer", margin: 0.05 },
    between: 4,
    cells: ({ text }: TextResult) => ({ "": { hypothesis: text } }),
    widget: { selector: ".result-text", text: /^[noai]+$/ },
  },
  {
    id: "translation",
    task: "translation",
    toy: echoToy(),
    inputs: (i) => ({ text: words(5 + (i % 6), i) }),
    beside: none,
    label: { field: "truth" },
    truth: ({ text }: TextResult) => text,
    check: { kind: "non-inferiority", metric: "bleu", margin: 5 },
    between: 2,
    cells: ({ text }: TextResult) => ({ "": { hypothesis: text } }),
    widget: { selector: ".result-text", text: /^t\d+( t\d+)+$/ },
  },
  {
    id: "text",
    task: "text-generation",
    toy: wordToy(),
    inputs: (i) => ({ text: words(2, i) }),
    beside: none,
    label: { field: "truth" },
    truth: ({ text }: TextResult) => [text, `${text} too`],
    check: { kind: "non-inferiority", metric: "chrf", margin: 5 },
    between: 2,
    cells: ({ text }: TextResult) => ({ "": { hypothesis: text } }),
    widget: { selector: ".result-text", text: /^word \d+$/ },
  },
];
