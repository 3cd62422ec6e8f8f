import type { ServedModel, TensorInterface } from "../serving/served-model.ts";
import { datatypeOf } from "./datatypes.ts";

/** A model in the words of Triton's model configuration, for clients that ask it. */
export function modelConfiguration(model: ServedModel, { inputs, outputs }: TensorInterface, maxRows: number) {
  // With a batch axis, Triton leaves it out of the dimensions.
  const batched = [...inputs, ...outputs].every(({ shape }) => typeof shape[0] === "string");
  const described = ({ name, dtype, shape }: TensorInterface["inputs"][number]) => ({
    name,
    data_type: typeOf(dtype),
    dims: (batched ? shape.slice(1) : shape).map((size) => (typeof size === "number" ? size : -1)),
  });
  return {
    name: model.id,
    platform: "onnxruntime_onnx",
    backend: "onnxruntime",
    version_policy: { specific: { versions: [model.version] } },
    max_batch_size: batched ? maxRows : 0,
    input: inputs.map(described),
    output: outputs.map(described),
  };
}

/** "float32" → "TYPE_FP32"; texts are TYPE_STRING there. */
const typeOf = (dtype: string) => (dtype === "string" ? "TYPE_STRING" : `TYPE_${datatypeOf(dtype)}`);
