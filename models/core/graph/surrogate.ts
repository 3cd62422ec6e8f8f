import { createHash } from "node:crypto";
import type { Manifest } from "../manifest/manifest.ts";
import { fieldsOf } from "../manifest/rows.ts";
import type { Head } from "../postprocess/schema.ts";
import { stepOutputs, type PreprocessStep } from "../preprocess/schema.ts";
import { fieldSteps } from "../rules/fields.ts";
import { columnsStep, type CompiledGraph } from "./compile.ts";
import { stepsOf, type StepPlan } from "./plan.ts";
import type { GraphManifest } from "./schema.ts";

/** Between a step's name and that of its preprocessing, in the composition's own manifest. */
export const featureName = (step: string, name: string) => `${step}-${name}`;

/**
 * The manifest of a composition as that of one model: its heads, and the preprocessing that reads the row's own fields,
 * so that whoever checks rows, counts features, reads datasets or judges answers needs to know nothing of graphs. Paths
 * of files are MODEL/FILE and lead nowhere; the steps' own models read their files.
 *
 * @returns `manifest`, still to go through the schema, for whose sake its preprocessing is not quite `preprocess`
 */
export function surrogateOf(
  declared: GraphManifest,
  { root, answer, fields }: CompiledGraph,
  models: ReadonlyMap<string, Manifest>,
): { manifest: Record<string, unknown>; preprocess: Manifest["preprocess"]; conditional: string[] } {
  const preprocess: Record<string, PreprocessStep> = {};
  const hidden: Record<string, PreprocessStep> = {};
  const steps = stepsOf(root);
  for (const step of steps) {
    const model = models.get(step.model)!;
    for (const [name, one] of Object.entries(fieldSteps(model))) {
      const seen = visible(virtual(one, step.model), step);
      if (seen !== null) preprocess[featureName(step.name, name.replaceAll(" ", "-"))] = seen;
    }
  }
  if (Object.keys(declared.columns).length > 0) preprocess["columns"] = columnsStep(declared);
  const heads: Head[] = [];
  const named =
    answer === null
      ? root.heads.map((head) => ({ name: head.name, head, step: null }))
      : Object.entries(answer).map(([name, { head, step }]) => ({ name, head, step }));
  for (const { name, head, step } of named) {
    const owner =
      steps.find((one) => one.name === step) ?? steps.findLast((one) => one.heads.includes(head)) ?? steps.at(-1)!;
    const made = headOf(name, head, owner);
    if (made.kind === "spans") {
      const text = Object.entries(models.get(owner.model)!.preprocess).find(
        ([one, { kind }]) => kind === "text" && (made.text === undefined || made.text === one),
      )!;
      const key = featureName(owner.name, text[0]);
      if (preprocess[key] === undefined) {
        hidden[key] = virtual(text[1], owner.model);
      }
      made.text = key;
    }
    heads.push(made);
  }
  const { nodes: _nodes, models: _models, columns: _columns, answer: _answer, backend: _backend, ...kept } = declared;
  // The schema takes no table without features, and no model without an input.
  const whole: Record<string, PreprocessStep> = {
    ...Object.fromEntries(
      Object.entries(preprocess).filter(([, step]) => step.kind !== "tabular" || step.features.length > 0),
    ),
    ...hidden,
  };
  if (Object.keys(whole).length === 0) whole["row"] = { kind: "tensor", field: "row", shape: [] };
  const [first, step] = Object.entries(whole)[0]!;
  return {
    manifest: {
      ...kept,
      architecture: steps.map((step) => {
        const { id, version, description } = models.get(step.model)!;
        return { part: step.name, description: `${id} ${version}${description === "" ? "" : `: ${description}`}` };
      }),
      artifact: { path: "model.yaml", sha256: digestOf(declared, models) },
      preprocess: whole,
      inputs: [{ name: "row", dtype: "float32", shape: ["batch", "values"], from: `${first}.${outputOf(step)}` }],
      outputs: heads.map(({ name }) => ({ name, dtype: "float32", shape: ["batch", "values"] })),
      postprocess: heads,
    },
    preprocess,
    conditional: [...fields].flatMap(([name, { certain }]) => (certain ? [] : [name])),
  };
}

const outputOf = ({ kind }: PreprocessStep) => stepOutputs[kind][0];

/** A step of preprocessing whose files are named, but are not where a path says. */
function virtual(step: PreprocessStep, model: string): PreprocessStep {
  switch (step.kind) {
    case "text":
      return {
        ...step,
        tokenizer: `${model}/${step.tokenizer}`,
        ...(step.tokenizerConfig === undefined ? {} : { tokenizerConfig: `${model}/${step.tokenizerConfig}` }),
      };
    case "items":
      return { ...step, catalogue: { ...step.catalogue, path: `${model}/${step.catalogue.path}` } };
    case "lookup":
      return "path" in step.store ? { ...step, store: { ...step.store, path: `${model}/${step.store.path}` } } : step;
    default:
      return step;
  }
}

/** What of a step reads the row's own fields; null where nothing does. */
function visible(step: PreprocessStep, { inputs }: StepPlan): PreprocessStep | null {
  const mapped = new Set(inputs.map(({ field }) => field));
  const read = [...fieldsOf({ preprocess: { step } }).keys()];
  const own = read.filter((field) => !mapped.has(field));
  if (own.length === read.length) return step;
  if (own.length === 0 || step.kind !== "tabular") return null;
  return {
    kind: "tabular",
    columns: Object.fromEntries(Object.entries(step.columns).filter(([name]) => own.includes(name))),
    derive: {},
    features: [],
  };
}

function headOf(name: string, head: Head, { inputs, model }: StepPlan): Head {
  const mapped = (field: string | undefined) => field !== undefined && inputs.some((input) => input.field === field);
  switch (head.kind) {
    case "classification":
      return { ...head, name, from: name, activation: "none" };
    case "regression":
      return { ...head, name, from: name, inverse: [] };
    case "series": {
      const { flag, history, ...rest } = head;
      return {
        ...rest,
        name,
        from: name,
        inverse: [],
        ...(history === undefined || mapped(history) ? {} : { history }),
        ...(flag === undefined || mapped(flag.observed) ? {} : { flag }),
      };
    }
    case "ranking": {
      const { ids: _ids, exclude, catalogue, ...rest } = head;
      return {
        ...rest,
        name,
        scores: name,
        catalogue: { ...catalogue, path: `${model}/${catalogue.path}` },
        ...(exclude === undefined || mapped(exclude) ? {} : { exclude }),
      };
    }
    case "spans":
      return { ...head, name, from: name };
    case "text":
      return { kind: "text", name, from: name };
  }
}

/** Keys that say nothing of how a model answers. */
const descriptive = new Set([
  "$schema",
  "formerly",
  "version",
  "description",
  "license",
  "architecture",
  "dataset",
  "gates",
  "watch",
  "train",
  "prices",
  "serving",
  "models",
]);

/**
 * SHA-256 over everything of the manifests that the answers depend on: the graph, and each model's weights (by digest,
 * wherever they lie), preprocessing, heads, rules and runtime.
 */
function digestOf(declared: GraphManifest, models: ReadonlyMap<string, Manifest>): string {
  const kept = (manifest: object) =>
    Object.fromEntries(Object.entries(manifest).filter(([key]) => !descriptive.has(key)));
  const content = {
    what: "sluice composition 1",
    graph: kept(declared),
    models: Object.fromEntries([...models].map(([id, model]) => [id, kept(model)])),
  };
  return createHash("sha256").update(JSON.stringify(content, sorted)).digest("hex");
}

function sorted(key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).filter(([name]) => key !== "artifact" || (name !== "path" && name !== "hub"));
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
