import type { Manifest } from "../../../models/core/manifest/manifest.ts";
import type { Row } from "../../../models/core/row.ts";

/**
 * Rows to measure with, made from the manifest's serving examples. Texts are made of the examples' words, at lengths
 * from 4 to 4 (maxTokens / 4)^0.8 words, because the cost of a text depends on its length. Other fields stay as they
 * are.
 *
 * @param count number of rows to make; none are made when the manifest has no examples.
 */
export function probeRows(manifest: Pick<Manifest, "preprocess" | "serving">, count: number): Row[] {
  const examples = manifest.serving.examples;
  if (examples.length === 0) return [];
  const texts = Object.values(manifest.preprocess).flatMap((step) => (step.kind === "text" ? [step] : []));
  return Array.from({ length: count }, (_, i) => {
    const example = examples[i % examples.length]!;
    // Most lengths are short, like those of most real texts.
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

/** The slowest row to expect: the first example, with texts and lists as long as the model reads; null without examples. */
export function largestRow(manifest: Pick<Manifest, "preprocess" | "serving">): Row | null {
  const [example] = manifest.serving.examples;
  if (example === undefined) return null;
  return Object.values(manifest.preprocess).reduce<Row>(
    (row, step) =>
      step.kind === "text"
        ? { ...row, [step.field]: textOf(String(example[step.field] ?? "a"), step.maxTokens, step.maxCharacters) }
        : step.kind === "items"
          ? { ...row, [step.field]: listOf(example[step.field], step.maxItems) }
          : row,
    example,
  );
}

/** The example's items over and over. */
function listOf(given: unknown, length: number): unknown[] {
  const own = Array.isArray(given) ? (given as unknown[]) : [];
  return own.length === 0 ? [] : Array.from({ length }, (_, i) => own[i % own.length]);
}

function textOf(text: string, words: number, maxCharacters: number): string {
  const own = text.split(/\s+/).filter((word) => word !== "");
  if (own.length === 0) own.push("a");
  return Array.from({ length: words }, (_, i) => own[i % own.length])
    .join(" ")
    .slice(0, maxCharacters);
}
