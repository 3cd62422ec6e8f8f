import type { Predictor, RowResult } from "../../../models/core/predictor/predictor.ts";
import { RowError, type Row } from "../../../models/core/row.ts";
import { featureSampler } from "./feature-sampler.ts";
import type { LiveRows, RowAnswer, RowsResult, RunPlan } from "./engine.ts";

/** One per thread: its models share the time that counting may take. */
const sample = featureSampler(() => performance.now());

/** Runs a group of rows on a predictor. The main thread, workers and processes all use this code. */
export async function runRows(
  predictor: Pick<Predictor, "predict">,
  rows: readonly Row[],
  plan: RunPlan,
  live?: LiveRows,
): Promise<RowsResult> {
  const cost: RowsResult["cost"] = { inferenceMs: 0, totalMs: 0, runs: 0, tokens: 0 };
  const seen = new Map<number, Float64Array>();
  const start = performance.now();
  const results = await predictor.predict(rows, {
    batch: plan.maxBatch,
    badOutput: "row",
    served: true,
    ...(plan.tokenBudget === null ? {} : { tokenBudget: plan.tokenBudget }),
    ...(plan.observe !== undefined && plan.observe > 0
      ? { observe: sample(rows.length, plan.observe, (index, features) => seen.set(index, features)) }
      : {}),
    ...(live === undefined ? {} : { signal: live.signal }),
    ...(live?.onPiece === undefined ? {} : { onPiece: live.onPiece }),
    onStep: (step) => void (cost.steps ??= []).push(step),
    onRun(run) {
      cost.inferenceMs += run.ms;
      cost.runs += 1;
      cost.tokens += run.tokens;
      if (run.generated !== undefined)
        cost.generated = {
          tokens: (cost.generated?.tokens ?? 0) + run.generated.tokens,
          firstTokenMs: Math.max(cost.generated?.firstTokenMs ?? 0, run.generated.firstTokenMs),
        };
    },
  });
  cost.totalMs = performance.now() - start;
  const answers = results.map(answer);
  for (const [index, features] of seen) {
    const one = answers[index]!;
    if (one.ok) answers[index] = { ...one, seen: features };
  }
  return { answers, cost };
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
