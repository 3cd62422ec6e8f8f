import { createHash } from "node:crypto";
import type { ArtifactDeps } from "../artifact/artifact.ts";
import { defaultCacheDir } from "../artifact/cache-dir.ts";
import { localFile } from "../artifact/verified-file.ts";
import { audioDecoder } from "../audio/decode.ts";
import type { EvaluationError } from "../errors.ts";
import type { HeadResult } from "../postprocess/result.ts";
import { segmentStep, type SegmentSettings } from "../manifest/segment.ts";
import { soundOf } from "../preprocess/audio.ts";
import type { AudioStep } from "../preprocess/audio-schema.ts";
import { isDecodedSound } from "../preprocess/decoded-sound.ts";
import { fieldOf, RowError, type Row } from "../row.ts";
import { cut } from "../speech/cutter.ts";
import { joinTexts, seconds } from "../speech/join-texts.ts";
import type { Segment } from "../speech/segmenter.ts";
import { openVoiceActivity, type VoiceActivity } from "../speech/voice-activity.ts";
import { placeIn, type LoadedManifest } from "./load.ts";
import type { BatchParity } from "./batch-parity.ts";
import type { Observe } from "./observe.ts";

/** The graph of a voice-activity model has 2 MB. */
const maxGraphBytes = 64 * 1024 * 1024;
/** Sound whose segments are answered together: enough for full batches, without holding a whole file of rows. */
const groupSeconds = 120;

/** Opens the voice-activity graph that a manifest's `segment` names, verified. */
export async function openSegmentGraph(loaded: LoadedManifest, deps: ArtifactDeps): Promise<VoiceActivity> {
  const { graph } = loaded.manifest.segment!;
  const cacheDir = deps.cacheDir ?? defaultCacheDir(deps.env);
  const file = await localFile(loaded.dir, graph.path, graph.sha256, maxGraphBytes, cacheDir);
  return openVoiceActivity(
    { ...file, externalData: [], totalBytes: file.bytes.length },
    placeIn(loaded, ["segment", "graph", "path"]),
  );
}

type Result = { ok: true; heads: Record<string, HeadResult> } | { ok: false; error: RowError | EvaluationError };
type Options = {
  rowName?: (index: number) => string;
  signal?: AbortSignal;
  observe?: Observe;
  onPiece?: (index: number, piece: string) => void;
  badOutput?: "throw" | "row";
};

/** What of a predictor is wrapped; see `Predictor`, which imports this file. */
type Inner = {
  predict(rows: readonly Row[], options?: Options): Promise<Result[]>;
  predictOne(row: Row, options?: Options): Promise<Record<string, HeadResult>>;
  batchParity(rows: readonly Row[], tolerance?: number): Promise<BatchParity>;
  features(rows: readonly Row[]): Promise<(Float64Array | null)[]>;
  describe(): { filesDigest: string };
  close(): Promise<void>;
};

/**
 * A predictor of sounds as long as one likes: each row is cut into segments of speech, each is answered alone, and their
 * texts are joined, with the places of the segments. A row that is decoded already is one segment and answered as it is.
 */
export async function segmentedPredictor<P extends Inner>(
  loaded: LoadedManifest,
  inner: P,
  deps: ArtifactDeps,
): Promise<P> {
  const { manifest } = loaded;
  const settings = manifest.segment!;
  const step = manifest.preprocess[segmentStep(settings, manifest.preprocess)!] as AudioStep;
  const activity = await openSegmentGraph(loaded, deps).catch(async (error: unknown) => {
    await inner.close();
    throw error;
  });
  const decode = audioDecoder(deps.env);
  const heads = manifest.postprocess.map(({ name }) => name);

  /** @throws RowError */
  const read = async (row: Row): Promise<Heard> => {
    const samples = await soundOf(row, step, decode);
    return { samples, segments: await cut(samples, activity, settings, step.rate) };
  };

  const predict: Inner["predict"] = async (rows, options = {}) => {
    const results = new Array<Result>(rows.length);
    let group: { index: number; heard: Heard | null }[] = [];
    let samples = 0;
    const answer = async () => {
      const parts = group.flatMap(({ index, heard }) =>
        heard === null
          ? [{ index, row: rows[index]! }]
          : heard.segments.map((one) => ({ index, row: partOf(rows[index]!, step, heard, one) })),
      );
      // Pieces of one segment are no pieces of the row's text: such a text comes whole.
      const { observe: _observe, onPiece: _onPiece, ...passed } = options;
      const answers =
        parts.length === 0
          ? []
          : await inner.predict(
              parts.map(({ row }) => row),
              { ...passed, rowName: (i) => options.rowName?.(parts[i]!.index) ?? `row ${parts[i]!.index}` },
            );
      for (const { index, heard } of group) {
        const own = answers.filter((_, i) => parts[i]!.index === index);
        results[index] = heard === null ? own[0]! : joined(own, heard.segments, heads, settings, step.rate);
      }
      group = [];
      samples = 0;
    };
    for (const [index, row] of rows.entries()) {
      options.signal?.throwIfAborted();
      try {
        const heard = isDecodedSound(fieldOf(row, step.field)) ? null : await read(row);
        group.push({ index, heard });
        samples += heard?.samples.length ?? 0;
        if (options.observe?.wants(index) === true) {
          const whole = heard === null ? row : withSound(row, step.field, heard.samples);
          const [features] = await inner.features([whole]);
          if (features !== null && features !== undefined) options.observe.take(index, features);
        }
      } catch (error) {
        if (!(error instanceof RowError)) throw error;
        results[index] = { ok: false, error };
      }
      if (samples > groupSeconds * step.rate) await answer();
    }
    await answer();
    return results;
  };

  const wrapped: Inner = {
    predict,
    features: inner.features.bind(inner),
    async predictOne(row, options) {
      const [result] = await predict([row], { ...options, badOutput: "throw" });
      if (!result!.ok) throw result!.error;
      return result!.heads;
    },
    async batchParity(rows, tolerance) {
      const parts: { index: number; row: Row }[] = [];
      for (const [index, row] of rows.entries()) {
        if (parts.length >= parityParts) break;
        const heard = await read(row).catch((error: unknown) => {
          if (error instanceof RowError) return null;
          throw error;
        });
        for (const one of heard?.segments ?? []) parts.push({ index, row: partOf(row, step, heard!, one) });
      }
      const parity = await inner.batchParity(
        parts.map(({ row }) => row),
        tolerance,
      );
      return { ...parity, worstRow: parity.worstRow === null ? null : parts[parity.worstRow]!.index };
    },
    describe() {
      const described = inner.describe();
      const digest = createHash("sha256")
        .update(described.filesDigest)
        .update(`\0segment\0${JSON.stringify(settings)}`);
      return { ...described, filesDigest: digest.digest("hex") };
    },
    async close() {
      await inner.close();
      await activity.close();
    },
  };
  return { ...inner, ...wrapped };
}

/** As many segments as the check compares at most. */
const parityParts = 128;

type Heard = { samples: Float32Array; segments: readonly Segment[] };

/** A row with a sound in the place of what its field held. Other fields are read where they are, when they are. */
function withSound(row: Row, field: string, pcm: Float32Array): Row {
  const copy = Object.defineProperties({}, Object.getOwnPropertyDescriptors(row)) as Record<string, unknown>;
  return Object.defineProperty(copy, field, { value: { pcm }, enumerable: true, configurable: true });
}

const partOf = (row: Row, { field }: AudioStep, { samples }: Heard, { start, end }: Segment): Row =>
  withSound(row, field, samples.subarray(start, end));

/** A row fails with its first segment that does. */
function joined(
  answers: readonly Result[],
  segments: readonly Segment[],
  heads: readonly string[],
  { separator }: SegmentSettings,
  rate: number,
): Result {
  const failed = answers.find((one): one is { ok: false; error: RowError | EvaluationError } => !one.ok);
  if (failed !== undefined) return failed;
  const parts = answers.map((one, i) => ({
    start: seconds(segments[i]!.start, rate),
    end: seconds(segments[i]!.end, rate),
    heads: (one as Extract<Result, { ok: true }>).heads,
  }));
  return { ok: true, heads: joinTexts(heads, parts, separator) };
}
