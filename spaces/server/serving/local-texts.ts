import { existsSync } from "node:fs";
import { join } from "node:path";
import type { ArtifactDeps } from "../../../models/core/artifact/artifact.ts";
import { ConfigurationError, EvaluationError } from "../../../models/core/errors.ts";
import { folderBeside, folderInside } from "../../../models/core/graph/nodes.ts";
import { loadManifest, MANIFEST_FILE, placeIn, type LoadedRemote } from "../../../models/core/predictor/load.ts";
import type { LocalText } from "../../../models/remote/model.ts";
import type { Engine } from "../engine/engine.ts";
import { openEngine } from "../engine/open-engine.ts";
import type { Settings } from "../settings/settings.ts";

/**
 * Opens the local models among the backends of a fallback, in `steps/ID` of its folder or in `../ID`. One that is not
 * there is left out: the fallback says so, and answers with the others.
 *
 * @throws ConfigurationError for a model without a text head; ConfigurationError, EvaluationError as `openEngine`
 */
export async function openLocalTexts(
  loaded: LoadedRemote,
  settings: Settings,
  deps: ArtifactDeps,
): Promise<{ models: ReadonlyMap<string, LocalText>; close: () => Promise<void> }> {
  const { manifest, dir } = loaded;
  const engines: Engine[] = [];
  const close = async () => {
    for (const engine of engines) await engine.close();
  };
  const models = new Map<string, LocalText>();
  try {
    for (const [i, leg] of (manifest.backend === "fallback" ? manifest.fallback : []).entries()) {
      if (leg.backend !== "onnx" || models.has(leg.model)) continue;
      const folder = [folderInside(leg.model), folderBeside(null, leg.model)]
        .map((place) => join(dir, place))
        .find((place) => existsSync(join(place, MANIFEST_FILE)));
      if (folder === undefined) continue;
      const model = await loadManifest(folder);
      const head = model.manifest.postprocess.find(({ kind }) => kind === "text");
      if (head === undefined)
        throw new ConfigurationError({
          code: "fallback-model",
          place: placeIn(loaded, ["fallback", i, "model"]),
          problem: `the model ${leg.model} writes no text`,
          expected: "a model with a head of kind text",
          received: model.manifest.postprocess.map(({ kind }) => kind).join(", "),
        });
      const { engine } = await openEngine(model, settings, deps);
      engines.push(engine);
      models.set(leg.model, async (row) => {
        const done = await engine.rows([row], { maxBatch: 1, tokenBudget: null });
        const answer = done!.answers[0]!;
        if (!answer.ok) throw new EvaluationError(answer.diagnostic);
        const { text, finishReason } = answer.heads[head.name] as { text: string; finishReason: string };
        return { text, finishReason };
      });
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { models, close };
}
