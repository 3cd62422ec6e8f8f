import type { GraphTensor, TensorMetadata } from "../tensors.ts";

/** What a loop needs of an open graph. */
export type Graph = {
  inputs: readonly TensorMetadata[];
  outputs: readonly TensorMetadata[];
  run(feeds: Readonly<Record<string, GraphTensor>>, fetches?: readonly string[]): Promise<Record<string, GraphTensor>>;
};

/** By role. Without a `decoder`, `main` is the whole model; otherwise it is the encoder. */
export type Graphs = { main: Graph; decoder?: Graph; decoderWithPast?: Graph };
