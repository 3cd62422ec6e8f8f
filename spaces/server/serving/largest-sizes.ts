import type { Manifest } from "../../../models/core/manifest/manifest.ts";
import type { TensorFacts } from "../../../models/core/tensors.ts";

/**
 * The largest size of a dimension that the manifest does not bound. The limit on a request's bytes is not enough: a model
 * may need memory that grows with the square of a dimension.
 */
const UNBOUNDED = 65_536;

/**
 * The largest size of every dimension of every graph input that raw tensors may have: what is fixed, and for sizes that
 * vary no more than the preprocessing itself would make (a text's tokens). The batch is bounded elsewhere.
 */
export function largestSizes(
  manifest: Pick<Manifest, "preprocess" | "inputs">,
  inputs: readonly TensorFacts[],
): Record<string, number[]> {
  return Object.fromEntries(
    inputs.map((input) => {
      const step =
        manifest.preprocess[manifest.inputs.find(({ name }) => name === input.name)?.from.split(".")[0] ?? ""];
      const varying =
        step?.kind === "text" ? (typeof step.padTo === "number" ? step.padTo : step.maxTokens) : UNBOUNDED;
      return [input.name, input.shape.map((size) => (typeof size === "number" ? size : varying))];
    }),
  );
}
