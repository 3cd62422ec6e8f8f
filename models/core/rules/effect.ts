import { classificationAnswer, positiveLabel } from "../postprocess/classification.ts";
import type { HeadResult } from "../postprocess/result.ts";
import type { Head } from "../postprocess/schema.ts";
import { RowError } from "../row.ts";
import { isChangeable } from "./issues.ts";
import type { Rule } from "./schema.ts";

/**
 * What a rule does to the answer of its head; null for a rule that only gives reasons. A label is set by its
 * probability, so that label and score never contradict each other, and a declared threshold holds after it too.
 */
export function compileEffect(
  { id, override, add }: Rule,
  head: Head | null,
): ((result: HeadResult) => HeadResult) | null {
  if (head === null || !isChangeable(head) || (override === undefined && add === undefined)) return null;
  if (head.kind === "regression")
    return (result) => {
      const { value } = result as Extract<HeadResult, { value: number }>;
      const moved = override?.value ?? value + add!.value!;
      if (!Number.isFinite(moved))
        throw new RowError(`rules.${id}`, "the rule leaves no finite number", "a finite number", moved);
      return { kind: "regression", value: moved };
    };
  const answer = classificationAnswer(head);
  if (override?.label !== undefined) {
    const certain = answer(head.labels.map((label) => (label === override.label ? 1 : 0)));
    return () => certain;
  }
  const positive = head.labels.indexOf(positiveLabel(head));
  return (result) => {
    const { score } = result as Extract<HeadResult, { score: number }>;
    const moved =
      override?.score ?? (add!.atLeast === undefined ? within(score + add!.score!) : Math.max(score, add!.atLeast));
    return answer(positive === 0 ? [moved, 1 - moved] : [1 - moved, moved]);
  };
}

const within = (probability: number) => Math.min(1, Math.max(0, probability));
