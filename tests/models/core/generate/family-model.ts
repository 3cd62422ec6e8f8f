import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ManifestInput } from "../../../../models/core/manifest/manifest.ts";
import { sha256, wordTokenizer } from "../build.ts";
import { files, folder, reference } from "./families.ts";

const words = JSON.stringify(Array.from({ length: 40 }, (_, id) => `t${id}`));

/** A family's graphs as a model: words "t3" … "t39" in, words out. */
export function familyModel(
  family: "marian" | "t5" | "step" | "gpt" | "llama",
  changes: Partial<ManifestInput> = {},
  generate: object = {},
): { manifest: ManifestInput; files: Record<string, string | Uint8Array> } {
  const { main, decoder, decoderWithPast } = files[family]!;
  const bytes = (name: string) => new Uint8Array(readFileSync(join(folder, name)));
  const file = (path: string) => ({ path, sha256: sha256(bytes(path)) });
  const graphs = {
    ...(decoder === undefined ? {} : { decoder: file(decoder) }),
    ...(decoderWithPast === undefined ? {} : { decoder_with_past: file(decoderWithPast) }),
  };
  const { start } = reference.families[family]!;
  const tokenizer = JSON.stringify(wordTokenizer(false));
  return {
    files: {
      ...Object.fromEntries(
        [main, decoder, decoderWithPast].flatMap((name) => (name === undefined ? [] : [[name, bytes(name)]])),
      ),
      "words.json": words,
      "tokenizer.json": tokenizer,
    },
    manifest: {
      schemaVersion: 1,
      id: family,
      version: "1.0.0",
      task: decoder === undefined ? "text-generation" : "translation",
      artifact: { ...file(main), ...(decoder === undefined ? {} : { graphs }) },
      preprocess: { tokens: { kind: "text", tokenizer: "tokenizer.json", maxTokens: 32 } },
      inputs: [
        { name: "input_ids", dtype: "int64", shape: ["batch", "sequence"], from: "tokens.ids" },
        { name: "attention_mask", dtype: "int64", shape: ["batch", "sequence"], from: "tokens.attention_mask" },
      ],
      generate: { ...reference.base, ...(start === undefined ? {} : { start }), ...generate },
      outputs: [{ name: "sequences", dtype: "int64", shape: ["batch", "length"] }],
      postprocess: [
        {
          name: "text",
          from: "sequences",
          kind: "text",
          vocabulary: { path: "words.json", sha256: sha256(words), separator: " " },
        },
      ],
      serving: { examples: [{ text: textOf(reference.families[family]!.sources[1] as number[]) }] },
      ...changes,
    },
  };
}

export const textOf = (ids: readonly number[]) => ids.map((id) => `t${id}`).join(" ");
export const rowsOf = (family: string) =>
  (reference.families[family]!.sources as number[][]).map((ids) => ({ text: textOf(ids) }));

/** What torch makes of the rows, as answers: without the end. */
export const expectedOf = (family: string, way = 0) =>
  reference.families[family]!.answers[way]!.made.map((ids) => {
    const ended = ids.at(-1) === reference.base.end;
    return {
      kind: "text",
      text: textOf(ended ? ids.slice(0, -1) : ids),
      finishReason: ended ? "stop" : "length",
      usage: null,
    };
  });
