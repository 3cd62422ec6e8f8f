import type { z } from "zod";
import type { Diagnostic } from "../../../models/core/errors.ts";
import type { HeadResult } from "../../../models/core/postprocess/result.ts";
import type { JobSettings } from "../../../models/core/manifest/jobs.ts";
import type { ResponseTiming } from "../../../models/core/postprocess/response.ts";
import type { Note } from "../../../models/core/preprocess/compiled.ts";
import type { Row } from "../../../models/core/row.ts";
import type { FeatureReason, FiredRule } from "../../../models/core/rules/reasons.ts";
import type { SegmentSettings } from "../../../models/core/manifest/segment.ts";
import type { VoiceActivity } from "../../../models/core/speech/voice-activity.ts";
import type { GraphTensor, TensorMetadata } from "../../../models/core/tensors.ts";
import type { Recorder } from "../watch/recorder.ts";
import type { Refused } from "../scheduling/refused.ts";
import type { RequestDeadline, TensorsTicket } from "../scheduling/scheduler.ts";

/** `firstTokenMs` is set for a text that is streamed: the time until its first piece. */
export type Timing = { queueMs: number; inferenceMs: number; firstTokenMs?: number };
/** The outcome of one row, the same for every backend. */
export type RowOutcome =
  | {
      ok: true;
      heads: Record<string, HeadResult>;
      notes?: readonly Note[];
      /** The rules that fired; absent when none did. */
      rules?: { fired: readonly FiredRule[] };
      /** What features add, where the model gives such reasons. */
      features?: readonly FeatureReason[];
      /** Its features, where the row was among those that are counted. */
      seen?: Float64Array;
    }
  | {
      ok: false;
      refused: boolean;
      field: string | null;
      diagnostic: Diagnostic;
      /** Set when the server or a provider failed, and not the row. */
      failure?: Refused;
    };
export type Prediction = { outcome: RowOutcome; timing: Timing };
export type Predictions = { outcomes: RowOutcome[]; timing: Timing };

/** The graph's own inputs and outputs, for the Open Inference Protocol; only models that run here have them. */
export type TensorInterface = {
  inputs: readonly TensorMetadata[];
  outputs: readonly TensorMetadata[];
  /** Largest size of each dimension that varies, per input. */
  largest: Readonly<Record<string, readonly number[]>>;
  run(
    feeds: Record<string, GraphTensor>,
    fetches: readonly string[] | undefined,
    rows: number,
    requestDeadline: RequestDeadline,
  ): Promise<TensorsTicket>;
};

/** What a stream needs to know of a model that cuts its sound. */
export type SpeechModel = {
  field: string;
  /** Samples a second of what it is asked with. */
  rate: number;
  maxSeconds: number;
  /** Text heads; the first one's words are streamed. */
  heads: readonly string[];
  settings: Omit<SegmentSettings, "graph">;
  /** The voice-activity graph, opened when first asked for. */
  activity(): Promise<VoiceActivity>;
};

/** One version of a model that is served, with any backend. */
export type ServedModel = {
  id: string;
  version: string;
  /** Identifies the content; answers are cached under it. */
  digest: string;
  /**
   * Whether the same input always gets the same answer. A generated text may differ, and features that are looked up
   * change.
   */
  cacheable: boolean;
  rowSchema: z.ZodObject;
  /** A row that the model can answer. */
  example: Row | null;
  /** A fast check: true only for rows that `rowSchema` accepts. False says nothing. */
  wellFormed?(row: unknown): boolean;
  /** The JSON text of an answer's heads, the same as `JSON.stringify` gives but faster. */
  headsJson?(heads: Record<string, HeadResult>): string;
  /**
   * Fields that hold an image. `urls`: a URL is allowed whatever the server's settings say. `optional`: the model has a
   * placeholder for a missing image.
   */
  imageFields: readonly { name: string; maxBytes: number; urls: boolean; optional: boolean }[];
  /** Fields that hold a sound; absent for none. */
  audioFields?: readonly { name: string; maxBytes: number }[];
  /** Takes a stream of sound; absent for a model whose sound is not cut into segments. */
  speech?: SpeechModel;
  /** The model's own JSON that replaces the standard answer, if it has one, and its JSON Schema. */
  response?: {
    write(heads: Readonly<Record<string, HeadResult>>, timing: ResponseTiming): Record<string, unknown>;
    schema: object;
  };
  /** Maximum number of rows per request, if the model itself sets one. */
  maxRows: number | null;
  /** Whether it can answer at all. A loaded model may still lack what only an operator can set. */
  condition(): { state: "ready"; diagnostic: null } | { state: "not-configured"; diagnostic: Diagnostic };
  /** Facts for `/models/{id}`. */
  card(): Record<string, unknown>;
  predict(row: Row, requestDeadline: RequestDeadline): Promise<Prediction>;
  /** Keeps the order. An unusable row gets an outcome of its own. */
  predictMany(rows: readonly Row[], requestDeadline: RequestDeadline): Promise<Predictions>;
  /**
   * Yields the answer piece by piece and returns it whole; null for a model that does not stream.
   *
   * @throws as `predict`, perhaps after some pieces.
   */
  stream: ((row: Row, requestDeadline: RequestDeadline) => AsyncGenerator<string, Prediction>) | null;
  tensors: TensorInterface | null;
  /** Counts of what it sees and answers; null for a model that is answered for elsewhere. */
  watch: Recorder | null;
  /** `liveAt`: when somebody who waits for the answer last asked, by performance.now(); absent where nobody counts. */
  load(): { queuedRows: number; runningGroups: number; estimatedWaitMs: number; liveAt?: number };
  /** What the manifest says about jobs; the defaults where it is absent. */
  jobs?: JobSettings;
  /** Answers accepted requests, refuses new ones, then frees the memory. */
  close(): Promise<void>;
};
