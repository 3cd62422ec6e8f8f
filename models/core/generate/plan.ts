import { ConfigurationError } from "../errors.ts";
import { cacheKey, loopInputs, pastName, presentName } from "./names.ts";
import type { Graph, Graphs } from "./graph.ts";
import type { GenerateSettings } from "./schema.ts";
import type { TensorMetadata } from "../tensors.ts";

/** What the loop puts into an input of a decoder. `source`: the encoder's feed of the same name. */
export type Role =
  | "tokens"
  | "mask"
  | "hidden"
  | "encoder-mask"
  | "positions"
  | "cache-position"
  | "use-cache"
  | "logits-to-keep"
  | "source"
  | { past: string };

export type DecoderGraph = {
  graph: Graph;
  inputs: readonly { input: TensorMetadata; role: Role }[];
  /** Key of a cached tensor → the output that holds it after a run. */
  presents: ReadonlyMap<string, string>;
};

export type DecoderPlan = {
  /** Null for a model without an encoder. */
  encoder: {
    graph: Graph;
    /** Output that the decoder attends to; null where it takes only keys and values. */
    hidden: string | null;
    /** Keys and values of the encoder's side that the encoder graph itself gives: key → output. */
    cross: ReadonlyMap<string, string>;
  } | null;
  /** Runs without a cache, or with an empty one. */
  first: DecoderGraph;
  /** Runs with a cache; null where all is computed again in every step. */
  next: DecoderGraph | null;
  /** Whether rows of different lengths can run together. */
  masked: boolean;
};

/**
 * Finds out how the graphs of a model have to be run, from the names of their inputs and outputs (Optimum's).
 *
 * @param place of `generate`, or of a part of the artifact, in model.yaml
 * @throws ConfigurationError `generate-state` for a state that is not supported, `generate-graphs` where something is
 *   missing
 */
export function planDecoder(
  { main, decoder, decoderWithPast }: Graphs,
  settings: GenerateSettings,
  place: (path: (string | number)[]) => string,
): DecoderPlan {
  const encoder = decoder === undefined ? null : main;
  const whole = decoder ?? main;
  const sources = encoder?.inputs.map(({ name }) => name) ?? [];
  const firstAt = () => place(["artifact", ...(encoder === null ? [] : ["graphs", "decoder"])]);
  const first = bind(whole, sources, firstAt);
  const ownPast = pastOf(first);
  const merged = first.inputs.some(({ role }) => role === "use-cache");
  const withPast = () => place(["artifact", "graphs", "decoder_with_past"]);
  if (decoderWithPast !== undefined && ownPast.length > 0)
    throw new ConfigurationError({
      code: "generate-graphs",
      place: withPast(),
      problem: "the decoder takes a cache already, and there is a second graph for that",
      expected: "a merged decoder alone, or `decoder` without past_key_values and `decoder_with_past`",
      received: `${ownPast.length} past_key_values inputs of the first`,
    });
  const second = decoderWithPast === undefined ? null : bind(decoderWithPast, sources, withPast);
  const next = settings.cache ? (second ?? (ownPast.length > 0 ? first : null)) : null;
  const cross = new Map(
    (encoder?.outputs ?? []).flatMap(({ name }) => {
      const one = presentName(name) ?? pastName(name);
      return one === null ? [] : [[cacheKey({ ...one, side: one.side ?? "encoder" }), name] as const];
    }),
  );
  // A graph without the two branches needs keys and values of the encoder's side from its first run on.
  const needed = merged ? [] : ownPast.filter((key) => key.includes(".encoder."));
  const made = (key: string) => first.presents.has(key) || cross.has(key);
  const missing = [
    ...needed.filter((key) => !cross.has(key)),
    ...(next === null ? [] : pastOf(next).filter((key) => !made(key))),
    ...(next === null ? [] : pastOf(next).filter((key) => key.includes(".decoder.") && !next.presents.has(key))),
  ];
  if (missing.length > 0)
    throw new ConfigurationError({
      code: "generate-graphs",
      place: place(["generate"]),
      problem: "no output gives what the cache of the decoder takes",
      expected: `an output present.${missing[0]}`,
      received: `outputs ${[...new Set([whole, next?.graph].flatMap((one) => one?.outputs ?? []))].map(({ name }) => name).join(", ")}`,
      hint: "export the decoder without and with past, or merged; `generate.cache: false` runs without one",
    });
  const hidden = encoder === null ? null : hiddenOf(encoder, cross);
  if (encoder !== null && hidden === null && usesHidden(first, next))
    throw new ConfigurationError({
      code: "generate-graphs",
      place: place(["artifact"]),
      problem: "the encoder has no output that the decoder could attend to",
      expected: "an output last_hidden_state",
      received: encoder.outputs.map(({ name }) => name).join(", "),
    });
  return {
    encoder: encoder === null ? null : { graph: encoder, hidden, cross },
    first,
    next,
    masked: isMasked(encoder, [first, ...(next === null ? [] : [next])]),
  };
}

const pastOf = ({ inputs }: DecoderGraph) =>
  inputs.flatMap(({ role }) => (typeof role === "object" ? [role.past] : []));

const usesHidden = (...graphs: (DecoderGraph | null)[]) =>
  graphs.some((one) => one?.inputs.some(({ role }) => role === "hidden") === true);

function hiddenOf({ outputs }: Graph, cross: ReadonlyMap<string, string>): string | null {
  const names = outputs.map(({ name }) => name).filter((name) => ![...cross.values()].includes(name));
  const known = ["last_hidden_state", "encoder_hidden_states", "encoder_outputs"].find((name) => names.includes(name));
  return known ?? (names.length === 1 ? names[0]! : null);
}

/** A decoder that is told which places are padding, or an encoder whose inputs all have one length. */
function isMasked(encoder: Graph | null, decoders: readonly DecoderGraph[]): boolean {
  const has = (graph: DecoderGraph, roles: readonly Role[]) => graph.inputs.some(({ role }) => roles.includes(role));
  if (encoder === null) return decoders.every((graph) => has(graph, ["mask"]));
  if (encoder.inputs.every(({ shape }) => shape.length > 0 && shape.slice(1).every((size) => typeof size === "number")))
    return true;
  return decoders.every((graph) => has(graph, ["encoder-mask", "source"]));
}

function bind(graph: Graph, sources: readonly string[], place: () => string): DecoderGraph {
  const encoded = sources.length > 0;
  const names = graph.inputs.map(({ name }) => name);
  const tokens = names.includes("decoder_input_ids") ? "decoder_input_ids" : "input_ids";
  if (!names.includes(tokens))
    throw new ConfigurationError({
      code: "generate-graphs",
      place: place(),
      problem: "the decoder takes no token ids",
      expected: "an input input_ids",
      received: names.join(", "),
    });
  if (!graph.outputs.some(({ name }) => name === "logits"))
    throw new ConfigurationError({
      code: "generate-graphs",
      place: place(),
      problem: "the decoder has no output `logits`",
      expected: "logits [batch, length, tokens]",
      received: graph.outputs.map(({ name }) => name).join(", "),
    });
  const roleOf = (name: string): Role | null => {
    if (name === tokens) return "tokens";
    const past = pastName(name);
    if (past !== null) return { past: cacheKey(past) };
    switch (name) {
      case "decoder_attention_mask":
        return "mask";
      case "attention_mask":
        return encoded && tokens === "decoder_input_ids" && sources.includes(name) ? "source" : "mask";
      case "position_ids":
        return "positions";
      case "cache_position":
        return "cache-position";
      case "use_cache_branch":
        return "use-cache";
      case "num_logits_to_keep":
        return "logits-to-keep";
    }
    if (!encoded) return null;
    if (name === "encoder_hidden_states" || name === "encoder_outputs") return "hidden";
    if (name === "encoder_attention_mask") return "encoder-mask";
    return sources.includes(name) ? "source" : null;
  };
  const inputs = graph.inputs.map((input) => {
    const role = roleOf(input.name);
    if (role === null || (typeof role === "object" && input.shape.length > 0 && input.shape.length !== 4))
      throw new ConfigurationError({
        code: "generate-state",
        place: place(),
        problem: `the decoder needs the input ${input.name} [${input.shape.join(", ")}], and the loop has nothing to feed it`,
        expected: `inputs ${loopInputs.join(", ")}, and past_key_values.N.{decoder,encoder}.{key,value} or past_key_values.N.{key,value} of four dimensions`,
        received: input.name,
        hint: "other states (past_conv, past_ssm, caches that fuse batch and heads) are not supported; export the model without them",
      });
    return { input, role };
  });
  const presents = new Map(
    graph.outputs.flatMap(({ name }) => {
      const one = presentName(name);
      return one === null ? [] : [[cacheKey(one), name] as const];
    }),
  );
  return { graph, inputs, presents };
}
