import type { GraphTensor } from "../../../models/core/tensors.ts";
import { Problem } from "../http/problem.ts";
import { datatypeOf } from "./datatypes.ts";

export type Encoded = { json: string; binary: Buffer | null };

/**
 * One output of an answer as JSON text. If binary data was asked for, its bytes are returned separately.
 *
 * @throws Problem 400 for FP16, which has no JSON form; 500 for numbers that are not finite.
 */
export function encodeOutput(name: string, tensor: GraphTensor, asBinary: boolean): Encoded {
  const head = `{"name":${JSON.stringify(name)},"shape":[${tensor.dims.join(",")}],"datatype":"${datatypeOf(tensor.dtype)}"`;
  if (asBinary) {
    const binary = bytesOf(tensor);
    return { json: `${head},"parameters":{"binary_data_size":${binary.length}}}`, binary };
  }
  return { json: `${head},"data":[${elements(name, tensor)}]}`, binary: null };
}

function elements(name: string, { dtype, data }: GraphTensor): string {
  if (dtype === "string") return (data as readonly string[]).map((text) => JSON.stringify(text)).join(",");
  if (dtype === "float16")
    throw new Problem(400, "tensor", `output ${name}: FP16 has no JSON form; ask for binary_data`);
  if (dtype === "bool") return Array.from(data as Uint8Array, (value) => value !== 0).join(",");
  if ((dtype === "float32" || dtype === "float64") && !(data as Float32Array).every(Number.isFinite))
    throw new Problem(
      500,
      "output-not-finite",
      `output ${name}: numbers that are not finite have no JSON form; ask for binary_data`,
    );
  // Each element becomes the shortest decimal text that parses to the same double.
  return (data as Float32Array).join(",");
}

function bytesOf({ dtype, data }: GraphTensor): Buffer {
  if (dtype === "string") {
    return Buffer.concat(
      (data as readonly string[]).flatMap((text) => {
        const bytes = Buffer.from(text, "utf8");
        const length = Buffer.alloc(4);
        length.writeUInt32LE(bytes.length);
        return [length, bytes];
      }),
    );
  }
  const array = data as Exclude<GraphTensor["data"], readonly string[]>;
  return Buffer.from(array.buffer as ArrayBuffer, array.byteOffset, array.byteLength);
}
