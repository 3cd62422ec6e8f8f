import { ConfigurationError, EvaluationError } from "../errors.ts";
import type { Manifest } from "../manifest/manifest.ts";
import type { TensorMetadata } from "../tensors.ts";

type Declared = { name: string; dtype: string; shape: readonly (number | string)[] };
type Place = (path: (string | number)[]) => string;

/**
 * Checks names, types and shapes of the graph against those that the manifest declares. A size that the manifest fixes
 * may vary in the graph, but not the other way round. Graph outputs that no head reads are allowed.
 *
 * @throws ConfigurationError with every difference.
 */
export function checkContract(
  manifest: Manifest,
  inputs: readonly TensorMetadata[],
  outputs: readonly TensorMetadata[],
  place: Place,
): void {
  const problems = [
    ...compare("input", manifest.inputs, inputs, (path) => place(["inputs", ...path])),
    ...compare("output", manifest.outputs, outputs, (path) => place(["outputs", ...path])),
    ...inputs
      .filter((input) => !manifest.inputs.some(({ name }) => name === input.name))
      .map((input) => ({
        code: "contract-input-missing",
        place: place(["inputs"]),
        problem: `the graph needs an input that the manifest does not feed`,
        expected: describe(input),
        received: `inputs ${names(manifest.inputs)}`,
        example: `- {name: ${input.name}, dtype: ${input.dtype}, shape: [${input.shape.join(", ")}], from: STEP.OUTPUT}`,
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
) {
  return declared.flatMap((one, i) => {
    const found = actual.find(({ name }) => name === one.name);
    if (found === undefined)
      return [
        {
          code: `contract-${role}-name`,
          place: place([i, "name"]),
          problem: `the graph has no ${role} named ${one.name}`,
          expected: `one of ${names(actual)}`,
          received: one.name,
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
        },
      ];
    if (!fits(one.shape, found.shape))
      return [
        {
          code: `contract-${role}-shape`,
          place: place([i, "shape"]),
          problem: `${role} ${one.name} has another shape in the graph`,
          expected: `[${found.shape.join(", ")}] (the graph)`,
          received: `[${one.shape.join(", ")}] (the manifest)`,
        },
      ];
    return [];
  });
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
  for (const name of Object.keys(feeds))
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
      throw wrong(
        `the input ${input.name} is fed another shape`,
        `[${input.shape.join(", ")}]`,
        `[${feed.dims.join(", ")}]`,
      );
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
const describe = (facts: Declared) => `${facts.name}: ${facts.dtype} [${facts.shape.join(", ")}]`;
