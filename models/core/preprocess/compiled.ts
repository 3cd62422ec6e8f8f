import type { AudioDecoder } from "../audio/decode.ts";
import type { CatalogueItem } from "../catalogue/catalogue.ts";
import type { FeatureStore } from "../lookup/store.ts";
import type { Missing } from "../lookup/features.ts";
import type { NumberTensor, TextTensor } from "../tensors.ts";
import type { Row } from "../row.ts";

/** One row after one step. */
export type Prepared =
  | {
      kind: "tokens";
      ids: readonly number[];
      typeIds: readonly number[];
      /** How many tokens the text has, where that is more than the step takes. */
      cut?: number;
      /** The text that was read and its words, where a head needs them. */
      words?: { text: string; list: readonly Word[] };
    }
  | {
      kind: "numbers";
      values: Float32Array | Float64Array;
      /** Set when the field could not be used and the manifest's placeholder replaced it. */
      replaced?: Note;
    }
  | {
      kind: "audio";
      /** One channel at the step's rate, as it was recorded. */
      sound: Float32Array;
      /** What the graph gets of it, but for the padding to the batch. */
      samples: Float32Array;
      /** [mels, frames], row-major; null for a step without `logMel`. */
      features: { values: Float32Array; frames: number } | null;
    }
  | { kind: "strings"; values: readonly string[] };

/** [start, end) of a word in UTF-16 code units, and the position of its first token among `ids`, if not truncated. */
export type Word = { start: number; end: number; token: number };

/** A note beside an answer's heads: a field that was not used as it came, why, and what was used instead. */
export type Note = {
  field: string;
  problem: string;
  used: string;
  /** Set where only the beginning of a text was used, as the manifest says. */
  cut?: true;
  /** Set where `field` is a lookup step: why it had no value. */
  lookup?: Missing;
};

/** Lookup step → where the features of this row begin. */
export type LookedUp = Readonly<Record<string, { values: Float64Array; at: number }>>;

/** A step compiled once: rows in, tensors of a batch out. */
export type CompiledStep = {
  /**
   * Shape of each output without the batch dimension; a string is a size that varies with the batch. The outputs are
   * those that `stepOutputs` names for this kind of step.
   */
  shapes: Readonly<Record<string, readonly (number | string)[]>>;
  /**
   * @param lookedUp what the lookup steps found for the row; absent in models without any
   * @throws RowError when the row cannot be used.
   */
  prepare(row: Row, lookedUp?: LookedUp): Prepared | Promise<Prepared>;
  /** Tokens of the row, for batching rows of similar length; 1 where rows have no length. */
  length(prepared: Prepared): number;
  /** Rows → one tensor per output, the batch dimension first. */
  collate(rows: readonly Prepared[]): Record<string, NumberTensor>;
  /** In the place of `collate` where the outputs are texts. */
  texts?(rows: readonly Prepared[]): Record<string, TextTensor>;
  /**
   * Writes what `prepare` would return over all of `into`, the outputs in the order of `shapes` one behind the other.
   * Only synchronous steps with a fixed number of float64 values have it.
   *
   * @throws RowError
   */
  fill?(row: Row, into: Float64Array, lookedUp?: LookedUp): void;
  /** Text steps: the id of a token that the vocabulary lacks, if it has one. */
  unknownId?: number;
  /** Which of the values may be NaN, because a lookup says so of a missing feature. Absent: none. */
  nan?: readonly boolean[];
};

/** Files that a step reads, already parsed, the open store of a lookup, what decodes sound: preprocessing does no I/O. */
export type StepFiles = {
  tokenizer?: object;
  tokenizerConfig?: object;
  catalogue?: readonly CatalogueItem[];
  store?: FeatureStore;
  decodeAudio?: AudioDecoder;
};
/** Names a place below the step for a ConfigurationError, e.g. "model.yaml:12:3 preprocess.tokens.tokenizer". */
export type StepPlace = (path: readonly (string | number)[]) => string;
