import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Graphs } from "../../../../models/core/generate/graph.ts";
import { planDecoder, type DecoderPlan } from "../../../../models/core/generate/plan.ts";
import { generate, type GenerateSettings } from "../../../../models/core/generate/schema.ts";
import { fetchArtifact } from "../../../../models/core/artifact/artifact.ts";
import { openSession, type Session } from "../../../../models/core/session/session.ts";
import type { GraphTensor } from "../../../../models/core/tensors.ts";
import { offline, sha256 } from "../build.ts";

export const folder = join(import.meta.dirname, "families");

type Family = {
  start?: number[];
  sources: number[][] | number[][][];
  answers: { way: object; made: number[][] }[];
};

/** What make_families.py's torch loop makes, by family. */
export const reference = JSON.parse(readFileSync(join(folder, "reference.json"), "utf8")) as {
  base: { end: number; maxTokens: number };
  families: Record<string, Family>;
};

/** Files by role. */
export const files: Record<string, { main: string; decoder?: string; decoderWithPast?: string }> = {
  whisper: { main: "whisper-encoder.onnx", decoder: "whisper-merged.onnx" },
  marian: { main: "marian-encoder.onnx", decoder: "marian-decoder.onnx", decoderWithPast: "marian-with-past.onnx" },
  t5: { main: "t5-encoder.onnx", decoder: "t5-merged.onnx" },
  step: { main: "step-encoder.onnx", decoder: "step-step.onnx" },
  gpt: { main: "gpt-model.onnx" },
  llama: { main: "llama-model.onnx" },
};

export const settingsOf = (family: string, changes: object = {}): GenerateSettings =>
  generate.parse({ ...reference.base, start: reference.families[family]!.start, ...changes });

export async function openFamily(family: string): Promise<{ graphs: Graphs; close: () => Promise<void> }> {
  const open: Session[] = [];
  const graphs: Partial<Record<"main" | "decoder" | "decoderWithPast", Session>> = {};
  for (const [role, path] of Object.entries(files[family]!)) {
    const file = { path, sha256: sha256(readFileSync(join(folder, path))), externalData: [] };
    const session = await openSession(await fetchArtifact(file, folder, offline), { provider: "cpu", threads: 1 });
    open.push(session);
    graphs[role as "main"] = session;
  }
  return {
    graphs: graphs as Graphs,
    close: async () => {
      for (const session of open) await session.close();
    },
  };
}

export const planOf = (graphs: Graphs, settings: GenerateSettings): DecoderPlan =>
  planDecoder(graphs, settings, (path) => path.join("."));

/** Rows as feeds: ids are padded on the right and masked, features are what they are. */
export function feedsOf(sources: number[][] | number[][][]): Record<string, GraphTensor> {
  const rows = sources.length;
  if (Array.isArray(sources[0]![0])) {
    const all = sources as number[][][];
    const dims = [rows, all[0]!.length, all[0]![0]!.length];
    return { input_features: { dtype: "float32", data: Float32Array.from(all.flat(2)), dims } };
  }
  const texts = sources as number[][];
  const length = Math.max(...texts.map((text) => text.length));
  const grid = (value: (text: number[], at: number) => number): GraphTensor => ({
    dtype: "int64",
    data: BigInt64Array.from(texts.flatMap((text) => Array.from({ length }, (_, at) => BigInt(value(text, at))))),
    dims: [rows, length],
  });
  return {
    input_ids: grid((text, at) => text[at] ?? 0),
    attention_mask: grid((text, at) => (at < text.length ? 1 : 0)),
  };
}
