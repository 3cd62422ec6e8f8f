/** True values that are no single label or number. */
export type RelevantItems = {
  kind: "relevant";
  items: string[];
  /** One per item, finite and not negative; null where every relevant item counts 1. */
  gains: number[] | null;
};
/** Each is [start, end) in UTF-16 code units of the text. */
export type TrueSpans = { kind: "spans"; spans: { start: number; end: number; type: string }[] };
export type References = {
  kind: "references";
  /** At least one. */
  texts: string[];
  audioSeconds: number | null;
};
export type Actuals = {
  kind: "actuals";
  /** Whether the row is one step, and not an origin with all of its steps. */
  single: boolean;
  series: string;
  /** Step (1 is the first after the origin) and value, both finite; at least one. */
  steps: number[];
  values: number[];
  /** What Naive2 forecasts for each of them, finite; null where the dataset does not say. */
  naive2: number[] | null;
};

/** What is true of a row for one head: the label's name (classification), a finite number (regression), or one of these. */
export type TrueValue = string | number | RelevantItems | TrueSpans | References | Actuals;
