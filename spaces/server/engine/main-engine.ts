import type { Predictor } from "../../../models/core/predictor/predictor.ts";
import type { Engine } from "./engine.ts";
import { runRows } from "./run-rows.ts";
import { sweepBatches } from "./sweep.ts";

/**
 * A model on the thread that also handles HTTP. This is fastest for runs well under a millisecond, and only for those.
 */
export function mainEngine(predictor: Predictor): Engine {
  let running = 0;
  let idle: (() => void) | null = null;
  const counted = async <T>(work: () => Promise<T>): Promise<T> => {
    running++;
    try {
      return await work();
    } finally {
      running--;
      if (running === 0) idle?.();
    }
  };
  return {
    kind: "main",
    slots: 1,
    acceptsNextGroup: false,
    describe: () => predictor.describe(),
    rows: (rows, plan, _, live) => counted(() => runRows(predictor, rows, plan, live)),
    tensors: (feeds, fetches) =>
      counted(async () => {
        const start = performance.now();
        const outputs = await predictor.runTensors(feeds, fetches);
        return { outputs, inferenceMs: performance.now() - start };
      }),
    sweep: (rows, request) => counted(() => sweepBatches(predictor, rows, request)),
    async close() {
      if (running > 0)
        await new Promise<void>((resolve) => {
          idle = resolve;
        });
      await predictor.close();
    },
  };
}
