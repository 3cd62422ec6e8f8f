import type { ManifestInput } from "../../../models/core/manifest/manifest.ts";
import { fixture, linearManifest, sequenceManifest, sha256, wordTokenizer } from "./build.ts";

/** A toy model with one kind of head, the files beside it, and rows that it answers. */
export type Toy = { manifest: ManifestInput; files: Record<string, string>; rows: Record<string, unknown>[] };

/** Ids whose order as texts is not that of the catalogue. */
export const itemIds = ["h", "g", "f", "e", "d", "c", "b", "a"];
const items = itemIds.map((id) => JSON.stringify({ item: id, name: `Item ${id}` })).join("\n");
const catalogue = { path: "items.jsonl", sha256: sha256(items), id: "item", title: "name" };
const vocabulary = JSON.stringify(["_", "n", "o", "a", "i"]);

const artifact = (name: string) => ({ path: `${name}.onnx`, sha256: sha256(fixture(`${name}.onnx`)) });
const examples = (rows: Record<string, unknown>[]) => ({ serving: { examples: [rows[0]!] } });

const userRows = Array.from({ length: 24 }, (_, i) => ({
  a: Math.sin(i) * 4,
  b: Math.cos(i * 3) * 4,
  c: i % 3 === 0 ? 0 : Math.sin(i * 7),
  seen: itemIds.slice(i % 6, (i % 6) + (i % 3)),
}));

/** @param named whether the graph names its best items, and does not score the whole catalogue */
export function rankingToy(named: boolean, head: object = {}): Toy {
  const base = linearManifest();
  return {
    files: { "items.jsonl": items },
    rows: userRows,
    manifest: {
      ...base,
      id: named ? "named-items" : "all-items",
      task: "ranking",
      artifact: artifact("ranking"),
      outputs: named
        ? [
            { name: "best_scores", dtype: "float32", shape: ["batch", 6] },
            { name: "best_items", dtype: "int64", shape: ["batch", 6] },
          ]
        : [{ name: "scores", dtype: "float32", shape: ["batch", 8] }],
      postprocess: [
        {
          name: "pages",
          kind: "ranking",
          ...(named ? { scores: "best_scores", ids: "best_items" } : { scores: "scores" }),
          k: 4,
          catalogue,
          exclude: "seen",
          ...head,
        },
      ],
      ...examples(userRows),
    },
  };
}

const historyRows = Array.from({ length: 24 }, (_, i) => ({
  history: Array.from({ length: 6 }, (__, t) => 1 + (i % 5) + Math.sin(i + t) ** 2),
}));

/** @param banded whether the graph gives quantiles */
export function seriesToy(banded: boolean, head: object = {}): Toy {
  return {
    files: {},
    rows: historyRows,
    manifest: {
      ...linearManifest(),
      id: banded ? "band" : "points",
      task: "forecasting",
      artifact: artifact("series"),
      preprocess: { past: { kind: "tensor", field: "history", shape: [6] } },
      inputs: [{ name: "history", dtype: "float32", shape: ["batch", 6], from: "past.values" }],
      outputs: [
        banded
          ? { name: "quantiles", dtype: "float32", shape: ["batch", 4, 3] }
          : { name: "points", dtype: "float32", shape: ["batch", 4] },
      ],
      postprocess: [
        {
          name: "demand",
          kind: "series",
          horizon: 4,
          history: "history",
          unit: "pieces",
          ...(banded ? { from: "quantiles", quantiles: [0.1, 0.5, 0.9] } : { from: "points" }),
          ...head,
        },
      ],
      ...examples(historyRows),
    },
  };
}

const textRows = Array.from({ length: 24 }, (_, i) => ({
  text: Array.from({ length: 1 + (i % 9) }, (__, j) => `t${1 + ((i * 7 + j * 3) % 60)}`).join(i % 2 === 0 ? " " : "  "),
}));

function tokensToy(
  id: string,
  task: ManifestInput["task"],
  output: string,
  head: ManifestInput["postprocess"][number],
) {
  const outputs: ManifestInput["outputs"] = [
    { name: "logits", dtype: "float32", shape: ["batch", "sequence", 5] },
    { name: "echo", dtype: "int64", shape: ["batch", "sequence"] },
    { name: "word", dtype: "string", shape: ["batch", 1] },
  ];
  const tokenizer = JSON.stringify(wordTokenizer());
  const base = sequenceManifest("tokens.onnx");
  const toy: Toy = {
    files: { "tokenizer.json": tokenizer, "vocabulary.json": vocabulary },
    rows: textRows,
    manifest: {
      ...base,
      id,
      task,
      artifact: artifact("tokens"),
      inputs: base.inputs.slice(0, 1),
      outputs: outputs.filter(({ name }) => name === output),
      postprocess: [head],
      ...examples(textRows),
    },
  };
  return toy;
}

/** Token t<i> has the label at (i - 1) % 5: t1 outside, t2 begins a person, t3 goes on with it, t4 and t5 a place. */
export const spansToy = (head: object = {}): Toy =>
  tokensToy("entities", "token-classification", "logits", {
    name: "entities",
    kind: "spans",
    from: "logits",
    labels: ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"],
    ...head,
  });

/** The ids of the words come back as their text. */
export const echoToy = (head: object = {}): Toy =>
  tokensToy("echo", "translation", "echo", {
    name: "words",
    kind: "text",
    from: "echo",
    tokenizer: { path: "tokenizer.json", sha256: sha256(JSON.stringify(wordTokenizer())) },
    end: 62,
    ...head,
  });

/** The largest of five logits at each place, of which the first is the blank. */
export const ctcToy = (head: object = {}): Toy =>
  tokensToy("frames", "speech-to-text", "logits", {
    name: "letters",
    kind: "text",
    from: "logits",
    vocabulary: { path: "vocabulary.json", sha256: sha256(vocabulary) },
    ctc: { blank: 0 },
    ...head,
  });

/** The graph writes the text itself. */
export const wordToy = (head: object = {}): Toy =>
  tokensToy("word", "text-generation", "word", { name: "word", kind: "text", from: "word", ...head });

const classRows = userRows.map(({ a, b, c }) => ({ a, b, c }));

/** Three classes of which an answer lists two. */
export function topToy(): Toy {
  return {
    files: {},
    rows: classRows,
    manifest: {
      ...linearManifest(),
      id: "top",
      task: "multiclass-classification",
      artifact: artifact("two-heads"),
      outputs: [{ name: "logits", dtype: "float32", shape: ["batch", 3] }],
      postprocess: [
        {
          name: "kind",
          from: "logits",
          kind: "classification",
          activation: "softmax",
          labels: ["x", "y", "z"],
          top: 2,
        },
      ],
      ...examples(classRows),
    },
  };
}

export const toys: Record<string, Toy> = Object.fromEntries(
  [
    rankingToy(true),
    rankingToy(false),
    seriesToy(false),
    seriesToy(true),
    spansToy(),
    echoToy(),
    ctcToy(),
    wordToy(),
    topToy(),
  ].map((toy) => [toy.manifest.id, toy]),
);
