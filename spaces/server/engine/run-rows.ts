import type { Predictor, RowResult } from "../../../models/core/predictor/predictor.ts";
import { RowError, type Row } from "../../../models/core/row.ts";
import type { RowAnswer, RowsResult, RunPlan } from "./engine.ts";

/** Runs a group of rows on a predictor. The main thread, workers and processes all use this code. */
export async function runRows(
  predictor: Pick<Predictor, "predict">,
  rows: readonly Row[],
  plan: RunPlan,
): Promise<RowsResult> {
  const cost = { inferenceMs: 0, totalMs: 0, runs: 0, tokens: 0 };
  const start = performance.now();
  const results = await predictor.predict(rows, {
    batch: plan.maxBatch,
    badOutput: "row",
    served: true,
    ...(plan.tokenBudget === null ? {} : { tokenBudget: plan.tokenBudget }),
    onRun(run) {
      cost.inferenceMs += run.ms;
      cost.runs += 1;
      cost.tokens += run.tokens;
    },
  });
  cost.totalMs = performance.now() - start;
  return { answers: results.map(answer), cost };
}

/** Errors become plain values, because they may cross to another thread. */
function answer(result: RowResult): RowAnswer {
  if (result.ok) {
    // The model's own answer is for evaluations.
    const { rules, ...answered } = result;
    return rules === undefined ? answered : { ...answered, rules: { fired: rules.fired } };
  }
  const { error } = result;
  return error instanceof RowError
    ? { ok: false, refused: true, field: error.field, diagnostic: error.diagnostic }
    : { ok: false, refused: false, field: null, diagnostic: error.diagnostic };
}
