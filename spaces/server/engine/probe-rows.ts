import type { Manifest } from "../../../models/core/manifest/manifest.ts";
import type { Row } from "../../../models/core/row.ts";

/**
 * Rows to measure with, made of the manifest's serving examples: as they are where rows are alike, and for texts the
 * examples' words at lengths from a few words to the longest that the model reads, because a text's cost is its length.
 *
 * @param count rows to make; none when the manifest has no examples.
 */
export function probeRows(manifest: Pick<Manifest, "preprocess" | "serving">, count: number): Row[] {
  const examples = manifest.serving.examples;
  if (examples.length === 0) return [];
  const texts = Object.values(manifest.preprocess).flatMap((step) => (step.kind === "text" ? [step] : []));
  return Array.from({ length: count }, (_, i) => {
    const example = examples[i % examples.length]!;
    // Lengths spread evenly on a logarithmic scale: short texts are the usual ones.
    return texts.reduce<Row>(
      (row, step) => ({
        ...row,
        [step.field]: textOf(
          String(example[step.field] ?? "a"),
          Math.round(4 * (step.maxTokens / 4) ** ((i / Math.max(1, count - 1)) ** 2 * 0.8)),
          step.maxCharacters,
        ),
      }),
      example,
    );
  });
}

/** One row per example with texts as long as the model reads: the slowest that can come. */
export function largestRow(manifest: Pick<Manifest, "preprocess" | "serving">): Row | null {
  const [example] = manifest.serving.examples;
  if (example === undefined) return null;
  return Object.values(manifest.preprocess).reduce<Row>(
    (row, step) =>
      step.kind === "text"
        ? { ...row, [step.field]: textOf(String(example[step.field] ?? "a"), step.maxTokens, step.maxCharacters) }
        : row,
    example,
  );
}

function textOf(text: string, words: number, maxCharacters: number): string {
  const own = text.split(/\s+/).filter((word) => word !== "");
  if (own.length === 0) own.push("a");
  return Array.from({ length: words }, (_, i) => own[i % own.length])
    .join(" ")
    .slice(0, maxCharacters);
}
