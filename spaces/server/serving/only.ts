import type { RowsTicket } from "../scheduling/scheduler.ts";
import type { Prediction } from "./served-model.ts";

/** The one row of a submission. */
export const only = ({ answers, queueMs, inferenceMs, firstTokenMs }: RowsTicket): Prediction => ({
  outcome: answers[0]!,
  timing: { queueMs, inferenceMs, ...(firstTokenMs === undefined ? {} : { firstTokenMs }) },
});
