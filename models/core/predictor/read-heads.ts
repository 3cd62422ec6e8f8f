import type { CompiledHead, NumbersHead, RowContext, RowTensor, TensorsHead } from "../postprocess/compiled.ts";
import type { HeadResult } from "../postprocess/result.ts";
import { outputsOf } from "../postprocess/schema.ts";
import { rowSize, type GraphTensor } from "../tensors.ts";

type Outputs = Readonly<Record<string, GraphTensor>>;

/**
 * Compiles a reader that turns rows of one run's outputs into the heads' results. Numbers are read where they are, so
 * that a row costs no copy.
 */
export function headReader(
  heads: readonly CompiledHead[],
): (
  answers: Outputs,
  batch: number,
) => (index: number, rowName: () => string, context: RowContext) => Record<string, HeadResult> {
  // An assignment to `__proto__` would set the prototype and add no property.
  const plain = heads.every(({ head }) => head.name !== "__proto__");
  return (answers, batch) => {
    const read = heads.map((head) => ({
      name: head.head.name,
      one: head.kind === "numbers" ? numbersReader(head, answers, batch) : tensorsReader(head, answers, batch),
    }));
    return (index, rowName, context) => {
      if (!plain) return Object.fromEntries(read.map(({ name, one }) => [name, one(index, rowName, context)]));
      const results: Record<string, HeadResult> = {};
      for (const { name, one } of read) results[name] = one(index, rowName, context);
      return results;
    };
  };
}

type Reader = (index: number, rowName: () => string, context: RowContext) => HeadResult;

function numbersReader(head: NumbersHead, answers: Outputs, batch: number): Reader {
  const tensor = answers[head.head.from];
  const size = tensor === undefined || tensor.dims[0] !== batch ? 0 : rowSize(tensor.dims);
  // If the first dimension of an output is not the batch, the row is empty and the head refuses it.
  if (tensor === undefined || size !== head.width) return (_, rowName) => head.read({ length: size }, rowName());
  const data =
    tensor.data instanceof Float32Array || tensor.data instanceof Float64Array
      ? tensor.data
      : Array.from(tensor.data as ArrayLike<number | bigint>, Number);
  return (index, rowName, { row }) => head.readAt(data, index * size, rowName, row);
}

function tensorsReader(head: TensorsHead, answers: Outputs, batch: number): Reader {
  const own = Object.fromEntries(
    outputsOf(head.head).flatMap((name) => (answers[name] === undefined ? [] : [[name, answers[name]] as const])),
  );
  return (index, rowName, context) => head.readRow(rowTensors(own, index, batch), context, rowName);
}

/** One row of each output. An output whose first dimension is not the batch is left out, and its head refuses that. */
export function rowTensors(answers: Outputs, index: number, batch: number): Record<string, RowTensor> {
  return Object.fromEntries(
    Object.entries(answers).flatMap(([name, { dtype, data, dims }]): [string, RowTensor][] => {
      if (dims[0] !== batch) return [];
      const size = rowSize(dims);
      const [from, to] = [index * size, (index + 1) * size];
      const row = "subarray" in data ? data.subarray(from, to) : data.slice(from, to);
      return [[name, { dtype, data: row, dims: dims.slice(1) }]];
    }),
  );
}
