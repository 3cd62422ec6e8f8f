import { didYouMean } from "../did-you-mean.ts";
import { ConfigurationError, EvaluationError, type Diagnostic } from "../errors.ts";
import type { Manifest } from "../manifest/manifest.ts";
import { outputsOf } from "../postprocess/schema.ts";
import type { TensorMetadata } from "../tensors.ts";

type Declared = { name: string; dtype: string; shape: readonly (number | string)[] };
type Place = (path: (string | number)[]) => string;

/** What `TensorMetadata.dtype` says of an output that is a sequence or a map. */
export const notTensor = "not a tensor";

/**
 * Checks names, types and shapes of the graph against those that the manifest declares. A size that the manifest fixes
 * may vary in the graph, but not the other way round. Of outputs that no head reads, only a declared name is checked.
 *
 * @param fixedBy the node that fixes the number of rows, for a hint; called only for an error.
 * @throws ConfigurationError with every difference.
 */
export function checkContract(
  manifest: Manifest,
  inputs: readonly TensorMetadata[],
  outputs: readonly TensorMetadata[],
  place: Place,
  fixedBy: () => string | null = () => null,
): void {
  const read = new Set(manifest.postprocess.flatMap(outputsOf));
  const problems = [
    ...compare(
      "input",
      manifest.inputs,
      inputs,
      (path) => place(["inputs", ...path]),
      () => true,
      fixedBy,
    ),
    ...compare(
      "output",
      manifest.outputs,
      outputs,
      (path) => place(["outputs", ...path]),
      (name) => read.has(name),
      fixedBy,
    ),
    ...inputs
      .filter((input) => !manifest.inputs.some(({ name }) => name === input.name))
      .map((input) => ({
        code: "contract-input-missing",
        place: place(["inputs"]),
        problem: `the graph needs an input that the manifest does not feed`,
        expected: describe(input),
        received: `inputs ${names(manifest.inputs)}`,
        example: `- {name: ${input.name}, dtype: ${input.dtype}, shape: ${shapeText(input.shape)}, from: ${manifest.inputs[0]?.from ?? "row.features"}}`,
      })),
  ];
  const [first, ...others] = problems;
  if (first !== undefined) throw new ConfigurationError(others.length === 0 ? first : { ...first, others });
}

function compare(
  role: "input" | "output",
  declared: readonly Declared[],
  actual: readonly TensorMetadata[],
  place: Place,
  isRead: (name: string) => boolean,
  fixedBy: () => string | null,
): Diagnostic[] {
  return declared.flatMap((one, i): Diagnostic[] => {
    const found = actual.find(({ name }) => name === one.name);
    if (found === undefined)
      return [
        {
          code: `contract-${role}-name`,
          place: place([i, "name"]),
          problem: `the graph has no ${role} named ${one.name}`,
          expected: `one of ${names(actual)}`,
          received: one.name,
          example: `name: ${
            didYouMean(
              one.name,
              actual.map(({ name }) => name),
            ) ??
            actual[0]?.name ??
            one.name
          }`,
        },
      ];
    if (!isRead(one.name)) return [];
    if (found.dtype === notTensor)
      return [
        {
          code: `contract-${role}-no-tensor`,
          place: place([i, "name"]),
          problem: `${role} ${one.name} of the graph is a list of maps (ZipMap), not a tensor`,
          expected: `a tensor${tensorsOf(actual) === "" ? "" : `; the graph has ${tensorsOf(actual)}`}`,
          received: one.name,
          hint: 'export the model without ZipMap; for skl2onnx: convert_sklearn(model, …, options={"zipmap": False})',
        },
      ];
    if (found.dtype !== one.dtype)
      return [
        {
          code: `contract-${role}-dtype`,
          place: place([i, "dtype"]),
          problem: `${role} ${one.name} has another type in the graph`,
          expected: `${found.dtype} (the graph)`,
          received: `${one.dtype} (the manifest)`,
          example: `dtype: ${found.dtype}`,
        },
      ];
    if (!fits(one.shape, found.shape))
      return [
        {
          code: `contract-${role}-shape`,
          place: place([i, "shape"]),
          problem: `${role} ${one.name} has another shape in the graph`,
          expected: `${shapeText(found.shape)} (the graph)`,
          received: `${shapeText(one.shape)} (the manifest)`,
          ...(fixesRows(one.shape, found.shape)
            ? { example: `shape: ${shapeText(one.shape)}`, hint: fixedRows(one.name, found, fixedBy()) }
            : { example: `shape: ${shapeText(found.shape)}` }),
        },
      ];
    return [];
  });
}

/** Whether all that is wrong is a graph that takes a fixed number of rows where the manifest wants any number. */
function fixesRows(declared: readonly (number | string)[], graph: readonly (number | string)[]): boolean {
  return typeof graph[0] === "number" && typeof declared[0] === "string" && fits(declared.slice(1), graph.slice(1));
}

function fixedRows(name: string, { shape }: TensorMetadata, node: string | null): string {
  const rows = shape[0] === 1 ? "1 row" : `${shape[0]} rows`;
  return `dimension 0 of ${name} is fixed at ${rows}${node === null ? "" : ` by ${node}`}; ${dynamicExport(name)}${shape[0] === 1 ? `, or declare ${shapeText(shape)} and have every row run alone` : ""}`;
}

/** How the usual exporters are told that the number of rows varies. */
export function dynamicExport(name: string): string {
  return `export it with a batch that varies: torch.onnx.export(…, dynamic_axes={"${name}": {0: "batch"}}), or dynamic_shapes with dynamo=True; skl2onnx: FloatTensorType([None, …])`;
}

const tensorsOf = (all: readonly TensorMetadata[]) =>
  all
    .filter(({ dtype }) => dtype !== notTensor)
    .map(describe)
    .join("; ");

/** A shape as model.yaml declares it. A size that the graph gives no name gets one. */
function shapeText(shape: readonly (number | string)[]): string {
  return `[${shape.map((size, i) => (size === "" ? (i === 0 ? "batch" : `size${i}`) : size)).join(", ")}]`;
}

/** An empty shape means that the graph's rank is unknown; the shape is then checked at each run. */
function fits(declared: readonly (number | string)[], graph: readonly (number | string)[]): boolean {
  if (graph.length === 0) return true;
  return declared.length === graph.length && graph.every((size, i) => typeof size === "string" || size === declared[i]);
}

/**
 * Checks the feeds of one run. The runtime itself silently accepts extra feeds and is unclear about missing ones.
 *
 * @throws EvaluationError
 */
export function checkFeeds(
  feeds: Readonly<Record<string, { dtype: string; dims: readonly number[]; data: { length: number } }>>,
  inputs: readonly TensorMetadata[],
): void {
  const given = Object.keys(feeds);
  // A decode loop runs graphs with dozens of inputs thousands of times: names are looked for only where one is wrong.
  if (given.length !== inputs.length || inputs.some(({ name }) => feeds[name] === undefined))
    for (const name of given)
      if (!inputs.some((input) => input.name === name))
        throw wrong(`the graph has no input ${name}`, `inputs ${names(inputs)}`, name);
  for (const input of inputs) {
    const feed = feeds[input.name];
    if (feed === undefined)
      throw wrong(
        `nothing feeds the input ${input.name}`,
        describe(input),
        Object.keys(feeds).join(", ") || "no feeds",
      );
    if (feed.dtype !== input.dtype) throw wrong(`the input ${input.name} is fed another type`, input.dtype, feed.dtype);
    const shapeFits =
      feed.dims.length === input.shape.length &&
      input.shape.every((size, i) => typeof size === "string" || size === feed.dims[i]);
    if (!shapeFits)
      throw wrong(`the input ${input.name} is fed another shape`, shapeText(input.shape), `[${feed.dims.join(", ")}]`);
    const size = feed.dims.reduce((product, dim) => product * dim, 1);
    if (size !== feed.data.length)
      throw wrong(
        `the feed of ${input.name} has the wrong number of values`,
        `${size} for [${feed.dims.join(", ")}]`,
        String(feed.data.length),
      );
  }
}

const wrong = (problem: string, expected: string, received: string) =>
  new EvaluationError({ code: "feeds", problem, expected, received });
const names = (all: readonly { name: string }[]) => all.map(({ name }) => name).join(", ");
const describe = (facts: Declared) => `${facts.name}: ${facts.dtype} ${shapeText(facts.shape)}`;
