/** A row for which rules fired, and what the model itself answered. `Row`: its id, or its position in a dataset. */
export type RuledRow<Row extends string | number = string> = {
  row: Row;
  /** Ids of the rules, in the order of the manifest. */
  fired: string[];
  /** Head → the numbers that stand in `Predictions.scores` without the rules. */
  own: Record<string, number[]>;
};
