import { cpus } from "node:os";
import { ConfigurationError } from "../../models/core/errors.ts";
import { answerOf } from "../../models/core/postprocess/heads-json.ts";
import type { LoadedManifest } from "../../models/core/predictor/load.ts";
import { reasonsOf } from "../../models/core/rules/reasons.ts";
import type { Golden } from "./deployed.ts";

/**
 * The model's answers to its own examples on this machine. The Space must later give the same answers.
 *
 * @throws ConfigurationError if the manifest has no examples: without them nothing can be proved
 */
export async function goldenAnswers(
  loaded: LoadedManifest,
  deps: { env: NodeJS.ProcessEnv; fetch: typeof fetch },
): Promise<Golden> {
  const rows = loaded.manifest.serving.examples;
  if (rows.length === 0)
    throw new ConfigurationError({
      code: "golden",
      place: loaded.file,
      problem: "the model has no serving.examples, and without them nobody can try the deployed model",
      expected: "at least one row",
      example: 'serving:\n  examples:\n    - {text: "a row"}',
    });
  const { openPredictor } = await import("../../models/core/predictor/predictor.ts");
  const predictor = await openPredictor(loaded, {}, deps);
  try {
    const answers = await predictor.predict(rows, { batch: 1 });
    return {
      schemaVersion: 1,
      machine: { cpu: cpus()[0]?.model.trim() ?? "unknown", onnxruntime: predictor.describe().onnxruntime },
      rows: rows.map((row, i) => {
        const answer = answers[i]!;
        if (!answer.ok) throw answer.error;
        const { heads } = answer;
        const reasons = reasonsOf(answer);
        return {
          row,
          heads: answerOf(loaded.manifest.postprocess, heads),
          ...(reasons === null ? {} : { reasons }),
        };
      }),
    };
  } finally {
    await predictor.close();
  }
}
