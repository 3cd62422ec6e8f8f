/**
 * The events of one key: those with index from ≤ i < to, ascending in time. `values` holds as many float32 numbers for
 * each as the store has columns; NaN is a value that is not there.
 */
export type KeyEvents = {
  /** Milliseconds since 1970; -Infinity in a store without times. */
  times: Float64Array;
  values: Float32Array;
  from: number;
  to: number;
};

/**
 * Of a column that holds whole numbers only: sums and counts of the values before each event, over the whole store. They
 * are exact, so the difference of two is the very sum that adding up gives.
 */
export type ColumnTotals = { sums: Float64Array; counts: Uint32Array };

/** Where features come from. A store in memory answers at once, one over a network later. */
export type FeatureStore = {
  /** What the store is, in messages: a path, or the variable with an address. */
  name: string;
  /** SHA-256 of the file; null for a store that changes while it is used. */
  sha256: string | null;
  /** What the numbers of an event mean, in their order. */
  columns: readonly string[];
  /** Whether its events have times. */
  timed: boolean;
  close(): Promise<void>;
} & (
  | {
      kind: "memory";
      find(key: string): KeyEvents | null;
      keys(): Iterable<string>;
      newestMs: number;
      /** For the windows of a column of whole numbers; null for any other. Made when they are first asked for. */
      totals(column: number): ColumnTotals | null;
    }
  | {
      kind: "remote";
      /** @throws EvaluationError `feature-store` when there is no answer in time: nothing stands in for it. */
      findMany(keys: readonly string[]): Promise<(KeyEvents | null)[]>;
    }
);
