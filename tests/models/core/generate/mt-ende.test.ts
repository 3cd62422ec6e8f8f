import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { ManifestInput } from "../../../../models/core/manifest/manifest.ts";
import { answerSample, texts } from "../../../eval/metrics/answer-samples.ts";
import { value } from "../../../eval/metrics/samples.ts";
import { predictorOf, sha256 } from "../build.ts";
import { sharedData } from "../audio/shared-speech.ts";
import { tokenizerOf } from "./sentencepiece.ts";

const read = (path: string) => new Uint8Array(readFileSync(join(sharedData!, path)));
const lines = (name: string) =>
  gunzipSync(read(`translation/multi30k/test_2016_flickr.${name}.gz`))
    .toString("utf8")
    .trim()
    .split("\n");

/**
 * An encoder and a decoder without a cache, which is given the source's ids to mask them itself. The reference wrote at
 * most 50 tokens, the first one counted.
 */
async function translator() {
  const encoder = read("prototypes/mt_ende_encoder.onnx");
  const decoder = read("prototypes/mt_ende_decoder.onnx");
  const tokenizer = JSON.stringify({
    ...tokenizerOf(read("prototypes/mt_ende_spm.model")),
    post_processor: {
      type: "TemplateProcessing",
      single: [{ Sequence: { id: "A", type_id: 0 } }, { SpecialToken: { id: "</s>", type_id: 0 } }],
      pair: [],
      special_tokens: { "</s>": { id: "</s>", ids: [2], tokens: ["</s>"] } },
    },
  });
  const manifest: ManifestInput = {
    schemaVersion: 1,
    id: "mt-ende",
    version: "1.0.0",
    task: "translation",
    artifact: {
      path: "encoder.onnx",
      sha256: sha256(encoder),
      graphs: { decoder: { path: "decoder.onnx", sha256: sha256(decoder) } },
    },
    preprocess: { source: { kind: "text", tokenizer: "tokenizer.json", maxTokens: 100 } },
    inputs: [{ name: "input_ids", dtype: "int64", shape: ["batch", "length"], from: "source.ids" }],
    generate: { start: 1, end: 2, pad: 0, maxTokens: 49 },
    outputs: [{ name: "sequences", dtype: "int64", shape: ["batch", "length"] }],
    postprocess: [
      {
        name: "german",
        from: "sequences",
        kind: "text",
        tokenizer: { path: "tokenizer.json", sha256: sha256(tokenizer) },
      },
    ],
  };
  return predictorOf(manifest, {}, { "encoder.onnx": encoder, "decoder.onnx": decoder, "tokenizer.json": tokenizer });
}

describe.skipIf(sharedData === null)("the prototype translator (skipped where ../shared/data is not there)", () => {
  it("translates test_2016_flickr as torch's greedy decoding did: BLEU 30.14, chrF2 55.13", async () => {
    const predictor = await translator();
    const rows = lines("en").map((text) => ({ text }));
    const results = await predictor.predict(rows);
    const german = results.map((one) =>
      one.ok && one.heads["german"]?.kind === "text" ? one.heads["german"].text : "",
    );
    const sample = answerSample(texts(lines("de"), german));
    expect(value("bleu", sample, {})).toBeCloseTo(30.14, 2);
    expect(value("chrf", sample, {})).toBeCloseTo(55.13, 2);
    expect(await predictor.batchParity(rows.slice(0, 40))).toMatchObject({ ok: true });
  }, 120_000);
});
