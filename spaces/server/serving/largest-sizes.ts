import type { Manifest } from "../../../models/core/manifest/manifest.ts";
import type { PreprocessStep } from "../../../models/core/preprocess/schema.ts";
import type { TensorMetadata } from "../../../models/core/tensors.ts";

/**
 * Limit of a dimension that nothing else bounds. The body limit alone is not enough: a model whose cost grows with the
 * square of a size can be overloaded by a request of allowed length.
 */
const UNBOUNDED = 65_536;

/**
 * The largest size that raw tensors may have in each dimension of each graph input. A fixed size stays as it is. A size
 * that varies may be no larger than preprocessing itself would make it (a text's tokens, a list's items). The batch is limited
 * elsewhere.
 */
export function largestSizes(
  manifest: Pick<Manifest, "preprocess" | "inputs">,
  inputs: readonly TensorMetadata[],
): Record<string, number[]> {
  return Object.fromEntries(
    inputs.map((input) => {
      const step =
        manifest.preprocess[manifest.inputs.find(({ name }) => name === input.name)?.from.split(".")[0] ?? ""];
      const varying = varyingSize(step);
      return [input.name, input.shape.map((size) => (typeof size === "number" ? size : varying))];
    }),
  );
}

function varyingSize(step: PreprocessStep | undefined): number {
  if (step?.kind === "items") return step.maxItems;
  if (step?.kind !== "text") return UNBOUNDED;
  return typeof step.padTo === "number" ? step.padTo : step.maxTokens;
}
