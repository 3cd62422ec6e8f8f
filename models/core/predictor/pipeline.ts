import { ConfigurationError } from "../errors.ts";
import { placeIn, type LoadedManifest } from "./load.ts";
import { directPipeline, type DirectPipeline } from "./direct.ts";
import { headReader, rowTensors } from "./read-heads.ts";
import type { CompiledHead, HeadFiles, RawAnswer } from "../postprocess/compiled.ts";
import { compileHead } from "../postprocess/head.ts";
import { outputsOf, type Head } from "../postprocess/schema.ts";
import { spansStep } from "../postprocess/spans-step.ts";
import { compileLookup, type Lookup, type LookupResult } from "../preprocess/lookup.ts";
import type { CompiledStep, LookedUp, Note, Prepared, StepFiles } from "../preprocess/compiled.ts";
import { RowError, type Row } from "../row.ts";
import { compileStep } from "../preprocess/compile-step.ts";
import { compileFeatures } from "../../profile/features.ts";
import { compileRules, type CompiledRules } from "../rules/compile.ts";
import { castTo, firstMisfit, misfit, type GraphTensor } from "../tensors.ts";

/** A row after all steps of the manifest, by step. */
export type PreparedRow = {
  row: Row;
  steps: Readonly<Record<string, Prepared>>;
  /** Tokens of its longest text; 1 without texts. */
  length: number;
  /** Fields that a placeholder replaced. */
  notes: readonly Note[];
};

/** What the lookup steps found for the rows of one call, by step. */
export type FoundFeatures = {
  /** Where the features of row i are. Valid until the next call. */
  at(i: number): LookedUp;
  error(i: number): RowError | undefined;
  notes(i: number): readonly Note[];
  steps: Readonly<Record<string, LookupResult>>;
};

/**
 * A model without its graph: rows → feeds, outputs of the graph → results. Pure, but for the features that a lookup
 * takes from a store over the network.
 */
export type Pipeline = {
  /** Rows per run, if the graph fixes the number; otherwise null. */
  fixedBatch: number | null;
  /** Graph outputs that the heads read. */
  fetches: string[];
  /**
   * Looks features up for all rows of a call at once; null for a model without lookups.
   * @throws EvaluationError when a store does not answer
   */
  lookUp: ((rows: readonly Row[], nowMs: number) => Promise<FoundFeatures>) | null;
  /**
   * @param lookedUp what `lookUp` found for this row; not needed without lookups
   * @throws RowError
   */
  prepare(row: Row, lookedUp?: LookedUp): Promise<PreparedRow>;
  feeds(rows: readonly PreparedRow[]): Record<string, GraphTensor>;
  /** The features of a prepared row that a profile counts, in the order of `featuresOf`. */
  observe(row: Pick<PreparedRow, "row" | "steps">): Float64Array;
  /** What the answer to row `index` of a batch depends on, per head, before activations. */
  raw(
    answers: Readonly<Record<string, GraphTensor>>,
    index: number,
    batch: number,
    row: PreparedRow,
  ): Record<string, RawAnswer>;
  /** The outputs of a run and its number of rows → a reader of single rows. */
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
export function compilePipeline(
  loaded: LoadedManifest,
  files: Readonly<Record<string, StepFiles>>,
  headFiles: Readonly<Record<string, HeadFiles>> = {},
): Pipeline {
  const { manifest } = loaded;
  const textStepOf = (head: Head) => (head.kind === "spans" ? spansStep(head, manifest.preprocess) : null);
  const withWords = new Set(manifest.postprocess.map(textStepOf));
  const steps: Record<string, CompiledStep> = {};
  const placeOf = (name: string) => (path: readonly (string | number)[]) =>
    placeIn(loaded, ["preprocess", name, ...path]);
  const lookups: Record<string, Lookup> = {};
  for (const [name, step] of Object.entries(manifest.preprocess))
    if (step.kind === "lookup") lookups[name] = compileLookup(name, step, files[name]!.store!, placeOf(name));
  for (const [name, step] of Object.entries(manifest.preprocess))
    steps[name] = compileStep(step, files[name] ?? {}, placeOf(name), { lookups, name, words: withWords.has(name) });
  const inputs = manifest.inputs.map((input, i) => {
    const [stepName, output] = input.from.split(".") as [string, string];
    checkShape(input.shape, steps[stepName]!.shapes[output]!, input.name, () =>
      placeIn(loaded, ["inputs", i, "shape"]),
    );
    const texts = manifest.preprocess[stepName]!.kind === "strings";
    if ((input.dtype === "string") !== texts)
      throw new ConfigurationError({
        code: "input-dtype",
        place: placeIn(loaded, ["inputs", i, "dtype"]),
        problem: texts ? "a strings step makes texts" : "only a strings step makes texts for a graph",
        expected: texts ? "string" : "a numeric type, or a step of kind strings",
        received: input.dtype,
        ...(texts ? {} : { example: `${stepName}: {kind: strings, fields: [colour]}` }),
      });
    return { ...input, stepName, output };
  });
  const heads = manifest.postprocess.map((head, i) => {
    const output = manifest.outputs.find(({ name }) => name === outputsOf(head)[0])!;
    const shape = output.shape.slice(1);
    const width = shape.every((size) => typeof size === "number")
      ? shape.reduce<number>((product, size) => product * (size as number), 1)
      : null;
    return compileHead(head, () => placeIn(loaded, ["postprocess", i]), width, {
      files: headFiles[head.name] ?? {},
      dtype: output.dtype,
      textStep: textStepOf(head),
      generatedEnd: manifest.generate?.end[0] ?? null,
    });
  });
  const used = new Set([...inputs.map((input) => input.stepName), ...withWords]);
  const active = Object.entries(steps).filter(([name]) => used.has(name));
  // Images first: when a placeholder replaces one, the other steps that read its field must see that it is gone.
  const order = active.toSorted(
    ([a], [b]) => Number(manifest.preprocess[b]!.kind === "image") - Number(manifest.preprocess[a]!.kind === "image"),
  );

  const asked = Object.entries(lookups).filter(
    ([name]) =>
      used.has(name) ||
      active.some(([other]) => {
        const step = manifest.preprocess[other]!;
        return (
          step.kind === "tabular" &&
          Object.values(step.columns).some((column) => column.type === "lookup" && column.from.startsWith(`${name}.`))
        );
      }),
  );

  const observed = once(() => compileFeatures(manifest.preprocess, steps));

  return {
    fixedBatch: fixedBatch(loaded),
    lookUp: asked.length === 0 ? null : (rows, nowMs) => findAll(asked, rows, nowMs),
    fetches: [...new Set(manifest.postprocess.flatMap(outputsOf))],
    async prepare(given, lookedUp) {
      let row = given;
      const notes: Note[] = [];
      const prepared: Record<string, Prepared> = {};
      let length = 1;
      for (const [name, step] of order) {
        const value = step.prepare(row, lookedUp);
        // Only images are asynchronous. Awaiting every row of a table would cost more than the work itself.
        prepared[name] = value instanceof Promise ? await value : value;
        length = Math.max(length, step.length(prepared[name]));
        if (prepared[name].kind === "numbers" && prepared[name].replaced !== undefined) {
          notes.push(prepared[name].replaced);
          row = { ...row, [prepared[name].replaced.field]: null };
        }
        const declared = manifest.preprocess[name]!;
        if (declared.kind === "text" && prepared[name].kind === "tokens" && prepared[name].cut !== undefined)
          notes.push({
            field: declared.field,
            problem: `the text has ${prepared[name].cut} tokens, and the model reads ${declared.maxTokens}`,
            used: "its beginning",
            cut: true,
          });
      }
      for (const input of inputs) checkRange(prepared[input.stepName]!, input, steps[input.stepName]!.nan);
      return { row: given, steps: prepared, length, notes };
    },
    feeds(rows) {
      const collated = Object.fromEntries(
        active.map(([name, step]) => {
          const prepared = rows.map((row) => row.steps[name]!);
          return [name, step.texts?.(prepared) ?? step.collate(prepared)];
        }),
      );
      return Object.fromEntries(
        inputs.map((input) => [input.name, castTo(input.dtype, collated[input.stepName]![input.output]!)]),
      );
    },
    observe: (row) => observed()(row.row, row.steps),
    raw(answers, index, batch, row) {
      const outputs = rowTensors(answers, index, batch);
      return Object.fromEntries(heads.map((head) => [head.head.name, rawOf(head, outputs, row)]));
    },
    read: headReader(heads),
    direct: manifest.generate === undefined ? directPipeline(active, inputs) : null,
    rules:
      manifest.rules === undefined
        ? null
        : compileRules(
            manifest.rules,
            manifest.preprocess,
            manifest.postprocess,
            (path) => placeIn(loaded, ["rules", ...path]),
            lookups,
          ),
  };
}

/** Most pipelines are never observed. */
function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

function rawOf(head: CompiledHead, outputs: ReturnType<typeof rowTensors>, row: PreparedRow): RawAnswer {
  if (head.kind === "tensors") return head.raw(outputs, row);
  const data = outputs[head.head.from]?.data ?? [];
  return { numbers: Array.from(data, Number), exact: [], ranked: [] };
}

async function findAll(
  lookups: readonly (readonly [name: string, lookup: Lookup])[],
  rows: readonly Row[],
  nowMs: number,
): Promise<FoundFeatures> {
  const found = await Promise.all(lookups.map(async ([, lookup]) => lookup.find(rows, nowMs)));
  const steps = Object.fromEntries(lookups.map(([name], k) => [name, found[k]!]));
  const cursor = Object.fromEntries(lookups.map(([name], k) => [name, { values: found[k]!.values, at: 0 }]));
  const cursors = lookups.map(([name, { width }]) => ({ cursor: cursor[name]!, width }));
  return {
    steps,
    at(i) {
      for (const one of cursors) one.cursor.at = i * one.width;
      return cursor;
    },
    error(i) {
      for (const one of found) if (one.errors[i] !== undefined) return one.errors[i];
      return undefined;
    },
    notes(i) {
      let notes: Note[] | undefined;
      for (const one of found) if (one.notes[i] !== undefined) (notes ??= []).push(one.notes[i]);
      return notes ?? [];
    },
  };
}

function checkShape(
  declared: readonly (number | string)[],
  made: readonly (number | string)[] | undefined,
  name: string,
  place: () => string,
): void {
  const wanted = declared.slice(1);
  const fits =
    made !== undefined &&
    wanted.length === made.length &&
    wanted.every((size, i) => typeof size === "string" || size === made[i]);
  if (fits) return;
  throw new ConfigurationError({
    code: "input-shape",
    place: place(),
    problem: `the preprocessing does not make what the input ${name} needs`,
    expected: `[${wanted.join(", ")}] per row`,
    received: made === undefined ? "no such output: the step is declared without it" : `[${made.join(", ")}] per row`,
  });
}

function checkRange(
  prepared: Prepared,
  input: { name: string; from: string; dtype: GraphTensor["dtype"] },
  nan: readonly boolean[] | undefined,
): void {
  if (prepared.kind !== "numbers") return;
  const at = firstMisfit(prepared.values, input.dtype, nan);
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
