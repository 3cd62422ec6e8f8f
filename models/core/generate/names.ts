import type { TensorMetadata } from "../tensors.ts";

/** Optimum's name of a cached tensor: layer, whose (a model without an encoder has no `side`), and which. */
export type CacheName = { layer: string; side: "decoder" | "encoder" | null; part: "key" | "value" };

const PAST = /^past_key_values\.(\d+)\.(?:(decoder|encoder)\.)?(key|value)$/;
const PRESENT = /^present(?:_key_values)?\.(\d+)\.(?:(decoder|encoder)\.)?(key|value)$/;

/** The parts of `past_key_values.N.{decoder,encoder}.{key,value}` or `past_key_values.N.{key,value}`; else null. */
export const pastName = (name: string) => parse(PAST, name);
/** The parts of `present.N.…`; else null. */
export const presentName = (name: string) => parse(PRESENT, name);

function parse(pattern: RegExp, name: string): CacheName | null {
  const found = pattern.exec(name);
  if (found === null) return null;
  return {
    layer: found[1]!,
    side: (found[2] as "decoder" | "encoder" | undefined) ?? null,
    part: found[3] as "key" | "value",
  };
}

export const cacheKey = ({ layer, side, part }: CacheName) => `${layer}.${side ?? "decoder"}.${part}`;

/** Inputs of a decoder that the loop makes itself, besides the cache. */
export const loopInputs = [
  "input_ids",
  "decoder_input_ids",
  "attention_mask",
  "decoder_attention_mask",
  "encoder_hidden_states",
  "encoder_outputs",
  "encoder_attention_mask",
  "position_ids",
  "cache_position",
  "use_cache_branch",
  "num_logits_to_keep",
] as const;

/** Whether the loop feeds this input of a model without an encoder, so that the manifest need not. */
export const fedByLoop = ({ name }: Pick<TensorMetadata, "name">) =>
  pastName(name) !== null ||
  ["position_ids", "cache_position", "use_cache_branch", "num_logits_to_keep"].includes(name);
