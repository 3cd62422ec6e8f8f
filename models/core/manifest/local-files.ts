import { weightFiles } from "./artifact-files.ts";
import type { Head } from "../postprocess/schema.ts";
import type { Manifest } from "./manifest.ts";

/**
 * The files in a model's folder that answering takes, relative to the folder: weights, their data, a voice-activity graph,
 * tokenizers, feature tables, catalogues, vocabularies.
 */
export function localFilesOf({
  artifact,
  preprocess,
  postprocess,
  segment,
}: Pick<Manifest, "artifact" | "preprocess" | "postprocess" | "segment">): string[] {
  const weights = weightFiles(artifact).map(({ path }) => path);
  const steps = Object.values(preprocess).flatMap((step) => {
    if (step.kind === "text")
      return [step.tokenizer, ...(step.tokenizerConfig === undefined ? [] : [step.tokenizerConfig])];
    return [];
  });
  const named = stepFilesOf(preprocess).map(({ path }) => path);
  const heads = postprocess.flatMap((head) => headFilesOf(head).map(({ path }) => path));
  const graph = segment === undefined ? [] : [segment.graph.path];
  return [...new Set([...weights, ...graph, ...steps, ...named, ...heads])];
}

/** The files that preprocessing steps read and the manifest names with their digests. */
export function stepFilesOf(preprocess: Manifest["preprocess"]): { path: string; sha256: string }[] {
  return Object.values(preprocess).flatMap((step) => {
    if (step.kind === "items") return [step.catalogue];
    return step.kind === "lookup" && "path" in step.store ? [step.store] : [];
  });
}

/** The files that a head reads, with the digests that the manifest names. */
export function headFilesOf(head: Head): { path: string; sha256: string }[] {
  const files =
    head.kind === "ranking" ? [head.catalogue] : head.kind === "text" ? [head.tokenizer, head.vocabulary] : [];
  return files.filter((file) => file !== undefined);
}
