import { fetchArtifact, type ArtifactDeps } from "../artifact/artifact.ts";
import { ConfigurationError } from "../errors.ts";
import { generateSequences, type GenerateOptions, type Sequence } from "../generate/generator.ts";
import { fedByLoop } from "../generate/names.ts";
import { planDecoder, type DecoderPlan } from "../generate/plan.ts";
import { SEQUENCES, type GenerateSettings } from "../generate/schema.ts";
import { artifactFiles } from "../manifest/artifact-files.ts";
import { openSession, type Session, type SessionOptions } from "../session/session.ts";
import type { GraphTensor } from "../tensors.ts";
import { placeIn, type LoadedManifest } from "./load.ts";

/** One pass of the decode loop, as a run of a graph whose output is `sequences`. */
type GeneratedRun = { answers: Record<string, GraphTensor>; tokens: number; firstTokenMs: number };

/** What answers a model's feeds: its one graph, or graphs in a decode loop. */
export type ModelSession = Session & {
  generate: ((feeds: Readonly<Record<string, GraphTensor>>, options?: GenerateOptions) => Promise<GeneratedRun>) | null;
  /** Whether rows may run together that have different lengths. */
  masked: boolean;
  /** Of the graphs besides the first, with their external data. */
  furtherBytes: number;
};

/**
 * Opens the further graphs of a model that generates, and makes one session of all: feeds of the first graph in,
 * `sequences` out, int64 [batch, length]. A row's tokens are followed by an end where it ended, and by -1.
 *
 * @param main the open first graph; closed with the others
 * @throws ConfigurationError when the graphs do not make a loop, EvaluationError when one cannot be opened
 */
export async function withDecodeLoop(
  loaded: LoadedManifest,
  main: Session,
  options: SessionOptions,
  deps: ArtifactDeps,
): Promise<ModelSession> {
  const { artifact, generate: settings, runtime } = loaded.manifest;
  if (settings === undefined) return { ...main, generate: null, masked: true, furtherBytes: 0 };
  const further: Session[] = [];
  const place = (path: (string | number)[]) => placeIn(loaded, path);
  try {
    let furtherBytes = 0;
    const byRole: Partial<Record<"decoder" | "decoder_with_past", Session>> = {};
    for (const { role, file } of artifactFiles(artifact)) {
      if (role === null) continue;
      const model = await fetchArtifact(file, loaded.dir, deps);
      furtherBytes += model.totalBytes;
      byRole[role] = await openSession(model, options);
      further.push(byRole[role]);
    }
    const plan = planDecoder(
      {
        main,
        ...(byRole.decoder === undefined ? {} : { decoder: byRole.decoder }),
        ...(byRole.decoder_with_past === undefined ? {} : { decoderWithPast: byRole.decoder_with_past }),
      },
      settings,
      place,
    );
    if (!plan.masked && runtime.batch !== 1) throw runsSingly(place, plan);
    const close = async () => {
      for (const session of further) await session.close();
      await main.close();
    };
    return looped(main, plan, settings, furtherBytes, close);
  } catch (error) {
    for (const session of further) await session.close();
    throw error;
  }
}

function looped(
  main: Session,
  plan: DecoderPlan,
  settings: GenerateSettings,
  furtherBytes: number,
  close: () => Promise<void>,
): ModelSession {
  const generate: ModelSession["generate"] = async (feeds, options) => {
    const { sequences, tokens, firstTokenMs } = await generateSequences(plan, settings, feeds, options);
    return { answers: { [SEQUENCES]: tensorOf(sequences, settings.end[0]!) }, tokens, firstTokenMs };
  };
  return {
    ...main,
    inputs: plan.encoder === null ? main.inputs.filter((input) => !fedByLoop(input)) : main.inputs,
    outputs: [{ name: SEQUENCES, dtype: "int64", shape: ["batch", "length"] }],
    generate,
    masked: plan.masked,
    furtherBytes,
    run: async (feeds) => (await generate(feeds)).answers,
    // Zeros of a made-up length are no input that an encoder must be able to read.
    warmUp: () => Promise.resolve(),
    close,
  };
}

/** Rows are filled with -1, which no token is: a text that was cut at its limit has no end. */
function tensorOf(sequences: readonly Sequence[], end: number): GraphTensor {
  const rows = sequences.map(({ ids, ended }) => (ended ? [...ids, end] : ids));
  const length = Math.max(1, ...rows.map((row) => row.length));
  const data = new BigInt64Array(rows.length * length).fill(-1n);
  rows.forEach((row, i) => row.forEach((id, at) => (data[i * length + at] = BigInt(id))));
  return { dtype: "int64", data, dims: [rows.length, length] };
}

/** The same tensor with the id that a client expects as padding. */
export function paddedWith(answers: Record<string, GraphTensor>, pad: number): Record<string, GraphTensor> {
  return Object.fromEntries(
    Object.entries(answers).map(([name, tensor]) => [
      name,
      { ...tensor, data: (tensor.data as BigInt64Array).map((id) => (id < 0n ? BigInt(pad) : id)) },
    ]),
  );
}

function runsSingly(place: (path: (string | number)[]) => string, { encoder }: DecoderPlan): ConfigurationError {
  return new ConfigurationError({
    code: "generate-batch",
    place: place(["runtime", "batch"]),
    problem: `the graphs take no mask, so padding would change the answers: ${encoder === null ? "there is no attention_mask" : "the decoder has no encoder_attention_mask"}`,
    expected: "rows that run singly",
    received: "several rows a run (runtime.batch)",
    example: "runtime: {batch: 1}",
  });
}
