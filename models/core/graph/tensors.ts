import { EvaluationError } from "../errors.ts";
import { fieldsOf, type Field } from "../manifest/rows.ts";
import type { Manifest } from "../manifest/manifest.ts";
import type { HeadResult } from "../postprocess/result.ts";
import type { Head } from "../postprocess/schema.ts";
import type { Row } from "../row.ts";
import type { Dtype, GraphTensor, TensorMetadata } from "../tensors.ts";

/** A composition's rows as tensors, one per field, and its answers as tensors of each head. */
export type RowTensors = {
  inputs: readonly TensorMetadata[];
  outputs: readonly TensorMetadata[];
  /** @throws EvaluationError `feeds` where a tensor is missing, or has another type or number of rows */
  rows(feeds: Readonly<Record<string, GraphTensor>>): Row[];
  answers(results: readonly Readonly<Record<string, HeadResult>>[]): Record<string, GraphTensor>;
};

type Column = { dtype: Dtype; shape: readonly number[] };

/** Null where a field has no tensor: an image, a list whose length varies, a field that a row may lack. */
export function rowTensors(manifest: Manifest): RowTensors | null {
  const fields = [...fieldsOf(manifest)].map(([name, field]) => ({ name, column: columnOf(field) }));
  if (fields.length === 0 || fields.some(({ column }) => column === null)) return null;
  const inputs = fields.map(({ name, column }) => ({
    name,
    dtype: column!.dtype,
    shape: ["batch", ...column!.shape],
  }));
  const outputs = manifest.postprocess.flatMap(outputsOfHead);
  return {
    inputs,
    outputs: outputs.map(({ name, dtype, shape }) => ({ name, dtype, shape: ["batch", ...shape] })),
    rows(feeds) {
      const wrong = (name: string, problem: string, expected: string, received: string) =>
        new EvaluationError({
          code: "feeds",
          place: name,
          problem: `the input ${name} ${problem}`,
          expected,
          received,
        });
      const counts = new Set<number>();
      const columns = inputs.map(({ name, dtype, shape }) => {
        const tensor = feeds[name];
        if (tensor === undefined) throw wrong(name, "is missing", dtype, "nothing");
        if (tensor.dtype !== dtype) throw wrong(name, "has another type", dtype, tensor.dtype);
        const size = shape.slice(1) as number[];
        if (tensor.dims.length !== shape.length || size.some((one, i) => one !== tensor.dims[i + 1]))
          throw wrong(name, "has another shape", `[${shape.join(", ")}]`, `[${tensor.dims.join(", ")}]`);
        counts.add(tensor.dims[0]!);
        return { name, dtype, size, data: tensor.data };
      });
      const [count] = counts;
      if (counts.size > 1)
        throw wrong(
          inputs[0]!.name,
          "has another number of rows than others",
          "the same batch",
          [...counts].join(", "),
        );
      return Array.from({ length: count! }, (_, i) =>
        Object.fromEntries(
          columns.map(({ name, dtype, size, data }) => [name, valueAt(data, i, size, dtype === "bool")]),
        ),
      );
    },
    answers: (results) =>
      Object.fromEntries(
        outputs.map(({ name, head, dtype, shape, read }) => {
          const values = results.flatMap((heads) => read(heads[head]!));
          const dims = [results.length, ...shape];
          return [
            name,
            dtype === "string"
              ? { dtype, data: values as string[], dims }
              : { dtype, data: Float64Array.from(values as number[]), dims },
          ];
        }),
      ),
  };
}

function columnOf(field: Field): Column | null {
  if (field.optional) return null;
  switch (field.type) {
    case "text":
    case "date":
      return { dtype: "string", shape: [] };
    case "number":
      return { dtype: "float64", shape: [] };
    case "boolean":
      return { dtype: "bool", shape: [] };
    case "numbers":
      return { dtype: "float64", shape: field.shape };
    default:
      return null;
  }
}

type Output = {
  name: string;
  head: string;
  dtype: "string" | "float64";
  shape: readonly number[];
  read: (result: HeadResult) => readonly (string | number)[];
};

function outputsOfHead(head: Head): Output[] {
  const { name } = head;
  switch (head.kind) {
    case "classification":
      return [
        {
          name: `${name}.label`,
          head: name,
          dtype: "string",
          shape: [],
          read: (one) => [(one as { label: string }).label],
        },
        {
          name: `${name}.probabilities`,
          head: name,
          dtype: "float64",
          shape: [head.labels.length],
          read: (one) =>
            head.labels.map((label) => (one as { probabilities: Record<string, number> }).probabilities[label]!),
        },
      ];
    case "regression":
      return [{ name, head: name, dtype: "float64", shape: [], read: (one) => [(one as { value: number }).value] }];
    case "series":
      return [
        {
          name,
          head: name,
          dtype: "float64",
          shape: [head.horizon],
          read: (one) => (one as { values: number[] }).values,
        },
      ];
    case "text":
      return [{ name, head: name, dtype: "string", shape: [], read: (one) => [(one as { text: string }).text] }];
    case "ranking":
    case "spans":
      // Lists of any length: their JSON.
      return [{ name, head: name, dtype: "string", shape: [], read: (one) => [JSON.stringify(one)] }];
  }
}

/** Row i of a tensor as JSON would hold it. */
function valueAt(data: GraphTensor["data"], i: number, shape: readonly number[], truth: boolean): unknown {
  if (shape.length === 0) {
    const value = data[i]!;
    return typeof value === "string" ? value : truth ? Number(value) === 1 : Number(value);
  }
  const [size, ...rest] = shape as [number, ...number[]];
  return Array.from({ length: size }, (_, k) => valueAt(data, i * size + k, rest, truth));
}
