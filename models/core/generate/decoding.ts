import { EvaluationError } from "../errors.ts";
import { emptyCache, gatherRows, integers } from "./cache.ts";
import type { DecoderGraph, DecoderPlan, Role } from "./plan.ts";
import type { GraphTensor, TensorMetadata } from "../tensors.ts";

/** Scores of the next token, for one row of the decoder after the other. Theirs to change. */
type Logits = (row: number) => Float32Array;

/** A decoder in the middle of its rows. */
export type Decoding = {
  /** Adds tokens to every row, after the first step as many to each, and gives the logits after them. */
  step(ids: readonly (readonly number[])[]): Promise<Logits>;
  /** Goes on with these rows. `sources`: whether the encoder's side changes its order too. */
  gather(rows: readonly number[], sources: boolean): void;
  /** All tokens of a row, without padding. */
  tokens(row: number): readonly number[];
};

/** A prompt of a model without an encoder: ids without padding. */
type Prompt = readonly number[];

type Source = { hidden: GraphTensor | null; cross: Map<string, GraphTensor>; feeds: Record<string, GraphTensor> };

/** Runs the encoder, if there is one, and stands before the decoder's first step. */
export async function startDecoding(
  plan: DecoderPlan,
  feeds: Readonly<Record<string, GraphTensor>>,
  rows: number,
): Promise<Decoding> {
  const source = await encode(plan, feeds);
  /** Without padding; a row that is shorter than another is padded on its left. */
  let tokens: number[][] = Array.from({ length: rows }, () => []);
  let past = new Map<string, GraphTensor>();
  let pastLength = 0;
  /** Places of every row, padding counted. */
  let total = 0;

  // The encoder's side never changes, so only the first run is asked for it.
  const fetchesOf = ({ presents }: DecoderGraph, all: boolean) => [
    "logits",
    ...[...presents].flatMap(([key, output]) => (all || !key.includes(".encoder.") ? [output] : [])),
  ];
  const fetches = {
    first: plan.next === null ? ["logits"] : fetchesOf(plan.first, true),
    again: plan.next === null ? [] : fetchesOf(plan.next, false),
  };

  const usesCache = () => plan.next !== null && pastLength > 0;

  const feed = (role: Role, input: TensorMetadata, from: number, to: number): GraphTensor => {
    const count = tokens.length;
    const leftOf = (row: number) => to - tokens[row]!.length;
    const grid = (start: number, value: (row: number, at: number) => number) => {
      const values = new Float64Array(count * (to - start));
      for (let row = 0; row < count; row++)
        for (let at = start; at < to; at++) values[row * (to - start) + at - start] = value(row, at);
      return integers(input.dtype, values, [count, to - start]);
    };
    if (typeof role === "object") return past.get(role.past) ?? source.cross.get(role.past) ?? emptyCache(input, count);
    switch (role) {
      case "tokens":
        return grid(from, (row, at) => tokens[row]![at - leftOf(row)] ?? 0);
      case "mask":
        return grid(0, (row, at) => (at < leftOf(row) ? 0 : 1));
      case "positions":
        // The sum of the mask up to here, less one; what stands at padding is not read.
        return grid(from, (row, at) => (at < leftOf(row) ? 1 : at - leftOf(row)));
      case "cache-position":
        return integers(
          input.dtype,
          Array.from({ length: to - from }, (_, i) => from + i),
          [to - from],
        );
      case "use-cache":
        return integers(input.dtype, [usesCache() ? 1 : 0], [1]);
      case "logits-to-keep":
        return integers(input.dtype, [1], input.shape.length === 0 ? [] : [1]);
      case "hidden":
        return source.hidden!;
      case "encoder-mask":
        return encoderMask(input, source, count);
      case "source":
        return source.feeds[input.name]!;
    }
  };

  const keep = (graph: DecoderGraph, answers: Readonly<Record<string, GraphTensor>>) => {
    for (const [key, output] of graph.presents) {
      const tensor = answers[output];
      if (tensor === undefined) continue;
      // The encoder's side never changes; a branch with a cache gives it back empty.
      if (key.includes(".encoder.")) source.cross.set(key, tensor);
      else past.set(key, tensor);
    }
  };

  return {
    async step(ids) {
      ids.forEach((more, row) => tokens[row]!.push(...more));
      total += ids.reduce((most, more) => Math.max(most, more.length), 0);
      const again = usesCache();
      const graph = again ? plan.next! : plan.first;
      const [from, to] = [again ? pastLength : 0, total];
      const made: Record<string, GraphTensor> = {};
      for (const { input, role } of graph.inputs) made[input.name] = feed(role, input, from, to);
      const answers = await graph.graph.run(made, again ? fetches.again : fetches.first);
      if (plan.next !== null) {
        keep(graph, answers);
        pastLength = to;
      }
      return lastLogits(answers["logits"]!, tokens.length);
    },
    gather(rows, sources) {
      tokens = rows.map((row) => [...tokens[row]!]);
      past = new Map([...past].map(([key, tensor]) => [key, gatherRows(tensor, rows)]));
      if (!sources) return;
      if (source.hidden !== null) source.hidden = gatherRows(source.hidden, rows);
      for (const [key, tensor] of source.cross) source.cross.set(key, gatherRows(tensor, rows));
      for (const [name, tensor] of Object.entries(source.feeds)) source.feeds[name] = gatherRows(tensor, rows);
    },
    tokens: (row) => tokens[row]!,
  };
}

async function encode({ encoder }: DecoderPlan, feeds: Readonly<Record<string, GraphTensor>>): Promise<Source> {
  if (encoder === null) return { hidden: null, cross: new Map(), feeds: {} };
  const { graph, hidden, cross } = encoder;
  const answers = await graph.run(feeds, [...(hidden === null ? [] : [hidden]), ...cross.values()]);
  return {
    hidden: hidden === null ? null : answers[hidden]!,
    cross: new Map([...cross].map(([key, output]) => [key, answers[output]!])),
    feeds: { ...feeds },
  };
}

/** The encoder's own mask where it has one for each place that the decoder attends to; of one row all places count. */
function encoderMask(input: TensorMetadata, { feeds, hidden, cross }: Source, rows: number): GraphTensor {
  const length = hidden?.dims[1] ?? [...cross.values()][0]?.dims[2] ?? 0;
  const given = feeds["attention_mask"];
  if (given !== undefined && given.dims[1] === length)
    return integers(input.dtype, Array.from(given.data as ArrayLike<number | bigint>, Number), given.dims);
  if (rows === 1 || given === undefined)
    return integers(input.dtype, new Uint8Array(rows * length).fill(1), [rows, length]);
  throw new EvaluationError({
    code: "generate-mask",
    problem: "the encoder shortens its input, so its mask does not say which places the decoder may read",
    expected: `a mask of ${length} places, or one row at a time (runtime.batch: 1)`,
    received: `a mask of ${given.dims[1]} places for ${rows} rows`,
  });
}

/** @throws EvaluationError where the logits are not [rows, length, tokens] */
function lastLogits({ data, dims }: GraphTensor, rows: number): Logits {
  const [batch, length, vocabulary] = dims;
  if (dims.length !== 3 || batch !== rows || length === 0)
    throw new EvaluationError({
      code: "generate-logits",
      problem: "the decoder's logits have another shape",
      expected: `[${rows}, length, tokens]`,
      received: `[${dims.join(", ")}]`,
    });
  return (row) => {
    const from = (row * length! + length! - 1) * vocabulary!;
    return data instanceof Float32Array
      ? data.subarray(from, from + vocabulary!)
      : Float32Array.from((data as Float64Array).subarray(from, from + vocabulary!));
  };
}

/**
 * The prompts of a model without an encoder, from the ids and the mask that its input step made. Padding on the right is
 * taken off.
 *
 * @throws EvaluationError for a prompt without a token
 */
export function promptsOf(feeds: Readonly<Record<string, GraphTensor>>): Prompt[] {
  const ids = feeds["input_ids"]!;
  const mask = feeds["attention_mask"];
  const [rows, length] = ids.dims as [number, number];
  return Array.from({ length: rows }, (_, row) => {
    const at = Array.from({ length }, (__, i) => row * length + i).filter(
      (i) => mask === undefined || Number(mask.data[i]) !== 0,
    );
    if (at.length === 0)
      throw new EvaluationError({
        code: "generate-prompt",
        problem: "a prompt without a token",
        expected: "at least one token to begin with",
        received: `row ${row} of input_ids`,
      });
    return at.map((i) => Number(ids.data[i]));
  });
}
