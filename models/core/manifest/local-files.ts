import { posix } from "node:path";
import type { Manifest } from "./manifest.ts";

/** The files in a model's folder that answering takes, relative to the folder: weights, their data, tokenizers. */
export function localFilesOf({ artifact, preprocess }: Pick<Manifest, "artifact" | "preprocess">): string[] {
  const weights =
    artifact.path === undefined
      ? []
      : [artifact.path, ...artifact.externalData.map(({ path }) => posix.join(posix.dirname(artifact.path!), path))];
  const steps = Object.values(preprocess).flatMap((step) =>
    step.kind === "text" ? [step.tokenizer, ...(step.tokenizerConfig === undefined ? [] : [step.tokenizerConfig])] : [],
  );
  return [...new Set([...weights, ...steps])];
}
