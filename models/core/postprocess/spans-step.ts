import type { PreprocessStep } from "../preprocess/schema.ts";
import type { Head } from "./schema.ts";

/** The text step whose tokens a spans head labels: the one it names, or the only one. The manifest has checked it. */
export function spansStep(
  head: Head & { kind: "spans" },
  preprocess: Readonly<Record<string, PreprocessStep>>,
): string {
  return head.text ?? Object.keys(preprocess).find((name) => preprocess[name]!.kind === "text")!;
}
