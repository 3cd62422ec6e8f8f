import type { Predictions } from "../../predictions/predictions.ts";

/** What the plots of one head are drawn from. */
export type PlotData = {
  modelId: string;
  head: string;
  candidate: Predictions;
  baseline: Predictions | null;
  /** Unit of a regression head's value; empty when it has none. */
  unit: string;
};
