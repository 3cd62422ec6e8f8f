import { ConfigurationError } from "../errors.ts";
import { placeIn, type LoadedManifest } from "./load.ts";
import { directPipeline, headReader, type DirectPipeline } from "./direct.ts";
import { compileHead, type CompiledHead, type HeadResult } from "../postprocess/head.ts";
import type { CompiledStep, Note, Prepared, StepFiles } from "../preprocess/compiled.ts";
import { RowError, type Row } from "../row.ts";
import { compileStep } from "../preprocess/compile-step.ts";
import { compileRules, type CompiledRules } from "../rules/compile.ts";
import { castTo, firstMisfit, misfit, rowSize, type GraphTensor } from "../tensors.ts";

/** A row after all steps of the manifest, by step. */
export type PreparedRow = {
  steps: Readonly<Record<string, Prepared>>;
  /** Tokens of its longest text; 1 without texts. */
  length: number;
  /** Fields that a placeholder replaced. */
  notes: readonly Note[];
};

/** A model without its graph: rows → feeds, outputs of the graph → results. Pure. */
export type Pipeline = {
  /** Rows per run, if the graph fixes the number; otherwise null. */
  fixedBatch: number | null;
  /** Graph outputs that the heads read. */
  fetches: string[];
  /** @throws RowError */
  prepare(row: Row): Promise<PreparedRow>;
  feeds(rows: readonly PreparedRow[]): Record<string, GraphTensor>;
  /** Raw numbers of row `index` of a batch, per graph output. */
  raw(answers: Readonly<Record<string, GraphTensor>>, index: number, batch: number): Record<string, number[]>;
  /** @throws EvaluationError naming head and row. */
  results(raw: Readonly<Record<string, readonly number[]>>, rowName: string): Record<string, HeadResult>;
  /** `raw` and `results` for a whole run: the outputs and the number of rows → a reader of single rows. */
  read: ReturnType<typeof headReader>;
  /** Replaces `prepare` and `feeds` for rows of plain numbers; null for other rows. */
  direct: DirectPipeline | null;
  /** Applied to every answer; null for a model without rules. */
  rules: CompiledRules | null;
};

/**
 * Compiles a manifest's preprocessing and heads and checks them against its declared inputs and outputs.
 *
 * @throws ConfigurationError with the place in model.yaml.
 */
export function compilePipeline(loaded: LoadedManifest, files: Readonly<Record<string, StepFiles>>): Pipeline {
  const { manifest } = loaded;
  const steps: Record<string, CompiledStep> = {};
  for (const [name, step] of Object.entries(manifest.preprocess)) {
    steps[name] = compileStep(step, files[name] ?? {}, (path) => placeIn(loaded, ["preprocess", name, ...path]));
  }
  const inputs = manifest.inputs.map((input, i) => {
    const [stepName, output] = input.from.split(".") as [string, string];
    checkShape(input.shape, steps[stepName]!.shapes[output]!, input.name, () =>
      placeIn(loaded, ["inputs", i, "shape"]),
    );
    if (input.dtype === "string")
      throw new ConfigurationError({
        code: "input-dtype",
        place: placeIn(loaded, ["inputs", i, "dtype"]),
        problem: "no preprocessing step makes texts for a graph",
        expected: "a numeric type",
        received: "string",
      });
    return { ...input, stepName, output };
  });
  const heads = manifest.postprocess.map((head, i) => {
    const shape = manifest.outputs.find((output) => output.name === head.from)!.shape.slice(1);
    const width = shape.every((size) => typeof size === "number")
      ? shape.reduce<number>((product, size) => product * (size as number), 1)
      : null;
    return compileHead(head, () => placeIn(loaded, ["postprocess", i]), width);
  });
  const used = new Set(inputs.map((input) => input.stepName));
  const active = Object.entries(steps).filter(([name]) => used.has(name));
  // Images first: when a placeholder replaces one, the other steps that read its field must see that it is gone.
  const order = active.toSorted(
    ([a], [b]) => Number(manifest.preprocess[b]!.kind === "image") - Number(manifest.preprocess[a]!.kind === "image"),
  );

  return {
    fixedBatch: fixedBatch(loaded),
    fetches: [...new Set(manifest.postprocess.map((head) => head.from))],
    async prepare(given) {
      let row = given;
      const notes: Note[] = [];
      const prepared: Record<string, Prepared> = {};
      let length = 1;
      for (const [name, step] of order) {
        const value = step.prepare(row);
        // Only images are asynchronous. Awaiting every row of a table would cost more than the work itself.
        prepared[name] = value instanceof Promise ? await value : value;
        length = Math.max(length, step.length(prepared[name]));
        if (prepared[name].kind === "numbers" && prepared[name].replaced !== undefined) {
          notes.push(prepared[name].replaced);
          row = { ...row, [prepared[name].replaced.field]: null };
        }
      }
      for (const input of inputs) checkRange(prepared[input.stepName]!, input);
      return { steps: prepared, length, notes };
    },
    feeds(rows) {
      const collated = Object.fromEntries(
        active.map(([name, step]) => [name, step.collate(rows.map((row) => row.steps[name]!))]),
      );
      return Object.fromEntries(
        inputs.map((input) => [input.name, castTo(input.dtype, collated[input.stepName]![input.output]!)]),
      );
    },
    raw(answers, index, batch) {
      return Object.fromEntries(Object.entries(answers).map(([name, tensor]) => [name, rowOf(tensor, index, batch)]));
    },
    results: (raw, rowName) =>
      Object.fromEntries(
        heads.map((head: CompiledHead) => [head.head.name, head.read(raw[head.head.from] ?? [], rowName)]),
      ),
    read: headReader(heads),
    direct: directPipeline(active, inputs),
    rules:
      manifest.rules === undefined
        ? null
        : compileRules(manifest.rules, manifest.preprocess, manifest.postprocess, (path) =>
            placeIn(loaded, ["rules", ...path]),
          ),
  };
}

/**
 * One row of a graph output. If the output's first dimension is not the batch, the row is empty and the head refuses
 * it.
 */
function rowOf(tensor: GraphTensor, index: number, batch: number): number[] {
  if (tensor.dims[0] !== batch) return [];
  const size = rowSize(tensor.dims);
  return Array.from(tensor.data.slice(index * size, (index + 1) * size) as ArrayLike<number | bigint>, Number);
}

function checkShape(
  declared: readonly (number | string)[],
  made: readonly (number | string)[],
  name: string,
  place: () => string,
): void {
  const wanted = declared.slice(1);
  const fits = wanted.length === made.length && wanted.every((size, i) => typeof size === "string" || size === made[i]);
  if (fits) return;
  throw new ConfigurationError({
    code: "input-shape",
    place: place(),
    problem: `the preprocessing does not make what the input ${name} needs`,
    expected: `[${wanted.join(", ")}] per row`,
    received: `[${made.join(", ")}] per row`,
  });
}

function checkRange(prepared: Prepared, input: { name: string; from: string; dtype: GraphTensor["dtype"] }): void {
  if (prepared.kind !== "numbers") return;
  const at = firstMisfit(prepared.values, input.dtype);
  if (at === -1) return;
  const value = prepared.values[at]!;
  throw new RowError(
    `${input.from}[${at}]`,
    `a value that the input ${input.name} cannot hold`,
    misfit(value, input.dtype)!,
    value,
  );
}

function fixedBatch(loaded: LoadedManifest): number | null {
  const sizes = new Set(loaded.manifest.inputs.map((input) => input.shape[0]!));
  const [only] = sizes;
  if (sizes.size > 1)
    throw new ConfigurationError({
      code: "input-batch",
      place: placeIn(loaded, ["inputs"]),
      problem: "the inputs have different batch sizes",
      expected: "the same first dimension in every shape",
      received: [...sizes].join(", "),
    });
  if (typeof only === "number" && only !== 1)
    throw new ConfigurationError({
      code: "input-batch",
      place: placeIn(loaded, ["inputs", 0, "shape"]),
      problem: "a fixed batch of more than one row",
      expected: "a batch dimension that varies, or 1",
      received: String(only),
      example: "shape: [batch, 128]",
      hint: "export the model with a dynamic batch axis",
    });
  return typeof only === "number" ? only : null;
}
