export type ClassificationResult = {
  kind: "classification";
  /**
   * The most probable label; the earlier one on a tie. Of a binary head with a `threshold`: the positive one where the
   * score reaches it.
   */
  label: string;
  /** Binary: probability of the positive label. Otherwise: of `label`. */
  score: number;
  /** Label → probability, in the head's order. */
  probabilities: Record<string, number>;
};
export type RegressionResult = { kind: "regression"; value: number };
/** An item of a ranking, and its name for people where the catalogue has one. */
export type RankedItem = { id: string; score: number; title?: string };
/** Best first: score descending, equal ones in `tieOrder`. */
export type RankingResult = { kind: "ranking"; items: RankedItem[] };
/** An observed value that is no inner point of [low, high]. */
export type FlaggedValue = { step: number; value: number; low: number; high: number };
export type SeriesResult = {
  kind: "series";
  /** The point forecast of each step. */
  values: number[];
  /** By ascending level; each has a value per step. */
  quantiles?: { level: number; values: number[] }[];
  /** Observed values outside the interval of the head's `flag`, by step from 1; absent where none were given. */
  flagged?: FlaggedValue[];
};
/**
 * A piece of the text: [start, end) in UTF-16 code units. `score`: mean probability of its words' labels.
 */
type TypedSpan = { start: number; end: number; type: string; text: string; score: number };
export type SpansResult = {
  kind: "spans";
  /** In the order of the text. */
  spans: TypedSpan[];
  /** Where the model stopped reading, in a text that has more tokens than it takes. */
  readTo?: number;
};
/**
 * `finishReason`: `length` for a text that the graph did not end. `usage`: tokens that a provider counted; null for a
 * model that runs here.
 */
export type TextResult = {
  kind: "text";
  text: string;
  finishReason: string;
  usage: { inputTokens: number; outputTokens: number } | null;
  /** Of a sound that was cut: what was said from `start` to `end`, in seconds. */
  segments?: { start: number; end: number; text: string }[];
  /** Of a model with several backends: the one that answered. */
  backend?: string;
  /** The backend broke off after its first words: the rest is missing. */
  partial?: true;
};
export type HeadResult =
  | ClassificationResult
  | RegressionResult
  | RankingResult
  | SeriesResult
  | SpansResult
  | TextResult;
