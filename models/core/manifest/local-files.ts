import { posix } from "node:path";
import type { Manifest } from "./manifest.ts";

/**
 * The files in a model's folder that answering takes, relative to the folder: weights, their data, tokenizers, feature
 * tables.
 */
export function localFilesOf({ artifact, preprocess }: Pick<Manifest, "artifact" | "preprocess">): string[] {
  const weights =
    artifact.path === undefined
      ? []
      : [artifact.path, ...artifact.externalData.map(({ path }) => posix.join(posix.dirname(artifact.path!), path))];
  const steps = Object.values(preprocess).flatMap((step) => {
    if (step.kind === "text")
      return [step.tokenizer, ...(step.tokenizerConfig === undefined ? [] : [step.tokenizerConfig])];
    return step.kind === "lookup" && "path" in step.store ? [step.store.path] : [];
  });
  return [...new Set([...weights, ...steps])];
}
