import type { BatchParity } from "./batch-parity.ts";
import type { EvaluationError } from "../errors.ts";
import type { Observe } from "./observe.ts";
import type { HeadResult } from "../postprocess/result.ts";
import type { FeatureStore } from "../lookup/store.ts";
import type { Note } from "../preprocess/compiled.ts";
import type { RowError, Row } from "../row.ts";
import type { RulesIdentity } from "../rules/identity.ts";
import type { FeatureReason, FiredRule } from "../rules/reasons.ts";
import type { Provider } from "../session/session.ts";
import type { GraphTensor, TensorMetadata } from "../tensors.ts";

export type RowResult =
  | {
      ok: true;
      heads: Record<string, HeadResult>;
      /** Fields that a placeholder replaced, and lookups without a value; absent when there are none. */
      notes?: readonly Note[];
      /** The rules that fired, and the model's own answer; absent when none did. */
      rules?: { fired: readonly FiredRule[]; own: Record<string, HeadResult> };
      /** What the model's features add, where `reasons` asks for it; absent for other rows. */
      features?: readonly FeatureReason[];
    }
  /**
   * RowError: the row cannot be used. Any other error (only with `badOutput: "row"`): the model gave no usable answer.
   */
  | { ok: false; error: RowError | EvaluationError };

export type PredictOptions = {
  /** Rows per run; default: the manifest's runtime.batch. */
  batch?: number;
  /** Batch rows of similar length together; default: the manifest's runtime.sortByLength. */
  sort?: boolean;
  /** Checked between runs; a run that has started cannot be stopped. */
  signal?: AbortSignal;
  /** What a result that is not finite does: reject the whole call (evaluation), or only that row (serving). */
  badOutput?: "throw" | "row";
  /** Names row i in errors; default: "row i" of the call. */
  rowName?: (index: number) => string;
  /** Maximum number of tokens in one run, padding included. A single row always runs. Default: no limit. */
  tokenBudget?: number;
  /** Whether somebody asked for these rows: only then look-ups are recorded. */
  served?: boolean;
  observe?: Observe;
  /** Called after every run of the graph. */
  onRun?: (run: GraphRun) => void;
  /** Called with the text of row `index` piece by piece, while a model that generates makes it. */
  onPiece?: (index: number, piece: string) => void;
  /** Of a composition: called after every step. */
  onStep?: (step: StepRun) => void;
};

/** One run of the graph: its rows, the tokens it held with padding, and how long it took. */
type GraphRun = {
  rows: number;
  tokens: number;
  ms: number;
  /** Of a decode loop: the tokens that it made, and the time until the first. */
  generated?: { tokens: number; firstTokenMs: number };
};

/** One call of a step's model: its rows, those of them without an answer, and how long it took. */
export type StepRun = { step: string; model: string; rows: number; failed: number; ms: number };

/** A head whose activation follows one that the graph has made. `rows`: how many rows show it. */
export type ActivatedTwice = { head: string; output: string; rows: number; place: string };

export type ModelDescription = {
  id: string;
  version: string;
  task: string;
  sha256: string;
  source: string;
  /** Size of the model with its external data. */
  modelBytes: number;
  /** Digest of the files that preprocessing and heads read. */
  filesDigest: string;
  /** The rules beside the model; absent without any. */
  rules?: RulesIdentity;
  /** Ranking head → number of items in its catalogue. */
  catalogueSizes: Readonly<Record<string, number>>;
  /** SHA-256 of the optimised graph if it is open instead of the artifact, otherwise null. */
  optimised: string | null;
  /** Execution provider that is actually in use. */
  provider: Provider;
  providerNodes: Readonly<Record<string, number>> | null;
  onnxruntime: string;
  threads: number;
  inputs: readonly TensorMetadata[];
  outputs: readonly TensorMetadata[];
  /** Of a composition: the models of its steps. */
  steps?: readonly StepDescription[];
};

type StepDescription = { step: string; model: string; version: string; sha256: string; modelBytes: number };

export type Predictor = {
  /**
   * @returns one result per row, in the order of `rows`. A bad row gets an error as its result and does not affect the
   *   others.
   * @throws EvaluationError when the model fails or answers with a number that is not finite; the signal's reason when
   *   aborted.
   */
  predict(rows: readonly Row[], options?: PredictOptions): Promise<RowResult[]>;
  /** @throws RowError when the row cannot be used. */
  predictOne(row: Row, options?: PredictOptions): Promise<Record<string, HeadResult>>;
  /** Whether rows get the same answers alone and in batches with rows of other lengths. */
  batchParity(rows: readonly Row[], tolerance?: number): Promise<BatchParity>;
  /**
   * Features of rows without running the graph, as a profile counts them; null for a row that cannot be used.
   */
  features(rows: readonly Row[]): Promise<(Float64Array | null)[]>;
  /**
   * The softmax heads whose output is already a distribution on all of some rows, so that softmax is applied twice (see
   * `alreadyProbabilities`). Empty too where there are too few rows to tell.
   */
  activatedTwice(rows: readonly Row[]): Promise<ActivatedTwice[]>;
  /**
   * The graph alone: tensors in, tensors out, without preprocessing and heads.
   *
   * @throws EvaluationError `feeds` when they do not fit the graph, `run-failed` when the runtime refuses them.
   */
  runTensors(
    feeds: Readonly<Record<string, GraphTensor>>,
    fetches?: readonly string[],
  ): Promise<Record<string, GraphTensor>>;
  /** Runs the manifest's serving examples once (zeros if there are none), so that the first real row is not slow. */
  warmUp(): Promise<void>;
  describe(): ModelDescription;
  /** Frees the native memory. */
  close(): Promise<void>;
};

export type OpenOptions = {
  provider?: Provider;
  threads?: number;
  batch?: number;
  /** Lookup step → the store that answers in the place of its own: the gate's history. They are not closed. */
  stores?: Readonly<Record<string, FeatureStore>>;
  /** Keep a record of what look-ups serve, where the environment asks for one. */
  served?: boolean;
  /**
   * Open the optimised form beside the model, if there is one of this very artifact. Serving sets this; measurements
   * use the artifact itself.
   */
  optimised?: boolean;
};
