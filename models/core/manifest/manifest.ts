import { z } from "zod";
import { didYouMean } from "../did-you-mean.ts";
import { augmentation, augmentationColumn, augmentationIssues } from "./augmentations.ts";
import type { RightValue } from "./config-issues.ts";
import { datasetFile } from "./dataset-file.ts";
import { generate, generateIssues } from "../generate/schema.ts";
import { classColumn, gates, metricName } from "./gates.ts";
import { jobSettings } from "./jobs.ts";
import { labelProblems } from "./label-keys.ts";
import { responseProblem } from "../postprocess/response.ts";
import { head, outputsOf, type Head } from "../postprocess/schema.ts";
import { preprocessStep, stepOutputs } from "../preprocess/schema.ts";
import { reasonsIssues } from "../reasons/issues.ts";
import { modelReasons } from "../reasons/schema.ts";
import { ruleIssues } from "../rules/issues.ts";
import { rules } from "../rules/schema.ts";
import { segmentIssues, segmentSettings } from "./segment.ts";
import { trainSettings } from "./train.ts";
import { watchSettings } from "./watch.ts";
import { dtypes } from "../tensors.ts";

export const tasks = [
  "binary-classification",
  "multiclass-classification",
  "token-classification",
  "regression",
  "forecasting",
  "ranking",
  "speech-to-text",
  "translation",
  "text-generation",
] as const;
export const task = z.enum(tasks);
export type Task = z.infer<typeof task>;

const sha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/, "64 lower-case hexadecimal digits")
  .describe("SHA-256 of the file's bytes.");
export const modelId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, "lower-case letters, digits, '.', '_' and '-', at most 64");
export const modelVersion = z.string().regex(/^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/, "semantic version, e.g. 1.4.0");
const dimension = z
  .union([z.int().positive(), z.string().min(1)])
  .describe("A fixed size, or a name for a size that varies.");
const dtype = z.enum(dtypes);

/** Kinds of head that answer a task. A model may have heads of other kinds beside them. */
const headKinds: Readonly<Record<Task, readonly Head["kind"][]>> = {
  "binary-classification": ["classification"],
  "multiclass-classification": ["classification"],
  "token-classification": ["spans"],
  regression: ["regression"],
  forecasting: ["series", "regression"],
  ranking: ["ranking"],
  "speech-to-text": ["text"],
  translation: ["text"],
  "text-generation": ["text"],
};

const tasksOf = (one: Head) => tasks.filter((name) => headKinds[name].includes(one.kind));

/** Columns that every prediction file has. No slice may have one of these names. */
const predictionColumns = new Set(["id", "label", "group", "weight", augmentationColumn]);

const pathOrHub = "exactly one of `path` and `hub`";

/** A graph is either a path beside model.yaml or a file on the Hub, pinned by revision. */
const artifactFile = z
  .strictObject({
    path: z.string().min(1).optional().describe("Path relative to model.yaml."),
    hub: z
      .string()
      .regex(/^[\w.-]+\/[\w.-]+@[\w./-]+?\/.+$/, "ORG/REPO@REVISION/FILE")
      .optional()
      .describe("Hub file, org/repo@revision/path/in/repo.onnx."),
    sha256,
    externalData: z
      .array(z.strictObject({ path: z.string().min(1), sha256 }))
      .default([])
      .describe("External-data files of the ONNX model, by the location that the model names, relative to it."),
  })
  .refine(isPathOrHub, { error: pathOrHub });

const graphRoles = ["decoder", "decoder_with_past"] as const;
export type GraphRole = (typeof graphRoles)[number];

/** One graph, or the first of several: the encoder where there is a decoder. */
const artifact = z
  .strictObject({
    ...artifactFile.shape,
    graphs: z
      .strictObject({ decoder: artifactFile.optional(), decoder_with_past: artifactFile.optional() })
      .optional()
      .describe("Further graphs of a model that generates: its decoder (merged, or without past), and that with past."),
  })
  .refine(isPathOrHub, { error: pathOrHub });

function isPathOrHub(file: { path?: string | undefined; hub?: string | undefined }): boolean {
  return (file.path === undefined) !== (file.hub === undefined);
}

const graphInput = z.strictObject({
  name: z.string().min(1).describe("Input of the ONNX graph."),
  dtype,
  shape: z.array(dimension).min(1).describe("First dimension is the batch."),
  from: z
    .string()
    .regex(/^[\w-]+\.[a-z_]+$/, "STEP.OUTPUT")
    .describe("Which preprocessing output feeds it, e.g. tokens.ids."),
});

const graphOutput = z.strictObject({ name: z.string().min(1), dtype, shape: z.array(dimension).min(1) });

export const dataset = z.strictObject({
  id: modelId,
  description: z.string().optional(),
  provenance: z
    .enum(["collected", "simulated"])
    .optional()
    .describe(
      "Whether the rows were observed or made by a program; reports and the model's card say so of simulated ones.",
    ),
  license: z.string().optional(),
  files: z.array(datasetFile).min(1),
  tuning: z
    .array(datasetFile)
    .min(1)
    .optional()
    .describe(
      "Files of further rows, of an earlier period for example, on which `sluice plan --threshold` chooses a threshold. The gate does not read them.",
    ),
  idField: z.string().optional().describe("Row field that names the row; default: FILE:INDEX."),
  rename: z.record(z.string(), z.string()).default({}).describe("Row field of the model → field of the dataset."),
  labels: z
    .record(
      z.string(),
      z.strictObject({
        field: z.string().min(1),
        map: z.record(z.string(), z.string()).optional().describe("Value in the dataset → label of the head."),
        gains: z
          .string()
          .min(1)
          .optional()
          .describe("Ranking: field with a gain per relevant item (a list beside `field`'s, or its one number)."),
        rows: z
          .enum(["users", "items"])
          .optional()
          .describe(
            "Ranking: whether a row is a user with a list of relevant items (the default), or one relevant item, and the rows of a user share their `idField`.",
          ),
        series: z
          .string()
          .min(1)
          .optional()
          .describe("Forecasting: field that names the series. Default: the dataset's group, else the row's id."),
        step: z
          .string()
          .min(1)
          .optional()
          .describe(
            "Forecasting: field with the step of a row's one value, 1 after the origin. Without it `field` is the list of all steps' values; null for one that is not known.",
          ),
        audioSeconds: z.string().min(1).optional().describe("Texts: field with the length of the row's audio."),
        naiveScale: z
          .union([z.number().positive(), z.string().min(1)])
          .optional()
          .describe(
            "What mase divides by: mean absolute error of the naive, or seasonal naive, forecast on the training data. A number, or the field that holds it where each series has its own.",
          ),
        naive2: z
          .string()
          .min(1)
          .optional()
          .describe(
            "Forecasting: field with what Naive2 forecasts, which owa compares with: the list of all steps' values, or with `step` the row's one.",
          ),
      }),
    )
    .describe("Head → where its true value stands."),
  slices: z.array(z.string()).default([]).describe("Fields whose values cut the dataset into slices."),
  augmentations: z
    .array(augmentation)
    .default([])
    .describe(
      "Altered copies of rows, each a slice augmentation=NAME for checks with `slices: [augmentation]`. They count in no other figure. They belong to the exam: the base branch's decide.",
    ),
  group: z
    .string()
    .optional()
    .describe("Field that names the cluster a row belongs to; bootstrap resamples whole clusters."),
  entity: z
    .string()
    .min(1)
    .optional()
    .describe(
      "Field that names whom an alert is about, such as a card or a customer; `precision_at_k` counts them with `per: entity`.",
    ),
  weight: z.string().optional().describe("Field with a row's weight."),
  time: z
    .string()
    .min(1)
    .optional()
    .describe(
      "Field with a row's time. Features that are looked up for the gate are those of that time, never later ones.",
    ),
  features: z
    .record(
      z.string().regex(/^[\w-]+$/),
      z.strictObject({
        path: z.string().min(1).describe("Feature table relative to model.yaml, as `sluice features build` writes it."),
      }),
    )
    .default({})
    .describe(
      "Lookup step → the history that candidate and baseline are judged on. It belongs to the exam: the base branch's decides.",
    ),
  maxBadRows: z
    .union([z.int().nonnegative(), z.strictObject({ fraction: z.number().min(0).max(1) })])
    .default(0)
    .describe("Rows that may be unreadable before the evaluation fails."),
  bestPossible: z
    .record(z.string(), z.partialRecord(metricName, z.number()))
    .default({})
    .describe(
      "Head → metric → what no model can surpass on these rows, where that is known (a simulator's own truth); reports show how far the model is from it.",
    ),
  sha256: sha256.optional().describe("Expected digest of the dataset's content, as `sluice measure` prints it."),
});

export const runtime = z.strictObject({
  provider: z
    .enum(["cpu", "cuda", "webgpu"])
    .default("cpu")
    .describe("Anything but cpu fails closed when it is not really used."),
  threads: z.int().positive().default(1).describe("intra-op threads."),
  batch: z.int().positive().default(32).describe("Rows per run in evaluation."),
  sortByLength: z.boolean().default(true).describe("Batch texts of similar length together; order of answers is kept."),
  batchTolerance: z
    .number()
    .nonnegative()
    .default(1e-4)
    .describe("Largest difference, absolute and relative, between a row's answer alone and in a batch."),
});

export const currency = z
  .string()
  .regex(/^[A-Z]{3}$/, "an ISO 4217 code")
  .default("USD");

export const serving = z.strictObject({
  examples: z
    .array(z.record(z.string(), z.unknown()))
    .default([])
    .describe("Rows that warm the model up and fill the page."),
  jobs: jobSettings.optional().describe("Whole files that the server answers in the background."),
});

export const localServing = serving.extend({
  response: z
    .record(z.string().min(1), z.string().min(1))
    .optional()
    .describe(
      "The JSON that a prediction answers with, in the place of the standard one: field → filtrex expression over HEAD.label and HEAD.score (classification), HEAD.value (regression), HEAD.first and HEAD.score (ranking: the best item), HEAD.values (series, a list), HEAD.count (spans), HEAD.text (text), timing.queue_ms, timing.inference_ms and timing.total_ms.",
    ),
});

/** The model.yaml of a model with an artifact; `models/remote/manifest.ts` describes a model without one. */
export const manifest = z
  .strictObject({
    $schema: z.string().optional(),
    schemaVersion: z.literal(1),
    id: modelId,
    formerly: modelId
      .optional()
      .describe(
        "Id of the model on the base branch that this one continues under a new name; it is judged by its exam.",
      ),
    version: modelVersion,
    task,
    description: z.string().default(""),
    license: z.string().optional(),
    architecture: z
      .array(
        z.strictObject({
          part: z.string().min(1),
          description: z.string().min(1),
          parameters: z.int().nonnegative().optional().describe("Trained numbers in it."),
        }),
      )
      .default([])
      .describe("The parts of the network, for the model's card."),
    backend: z.literal("onnx").optional().describe("What answers; default: an ONNX artifact."),
    artifact,
    preprocess: z.record(z.string().regex(/^[\w-]+$/), preprocessStep),
    segment: segmentSettings
      .optional()
      .describe("Cuts a sound at its pauses; the model answers each segment of speech, and the texts are joined."),
    inputs: z.array(graphInput).min(1),
    outputs: z.array(graphOutput).min(1),
    generate: generate.optional(),
    postprocess: z.array(head).min(1).describe("The model's heads."),
    rules: rules
      .optional()
      .describe("Versioned expressions beside the model that override its answer, move it, or give reasons for it."),
    reasons: modelReasons
      .optional()
      .describe("Reasons in answers that are computed from the model itself; none without it."),
    runtime: runtime.prefault({}),
    dataset: dataset.optional().describe("Needed to gate the model; a model without one can only be served."),
    gates: gates.optional(),
    watch: watchSettings.optional().describe("What `sluice watch` decides by once the model is live."),
    train: trainSettings.optional().describe("How `sluice retrain` makes the next version of the model."),
    prices: z
      .strictObject({ currency, perHour: z.number().nonnegative() })
      .optional()
      .describe(
        "What the machine that serves the model costs, whether it is asked or not. For comparisons of cost; nobody is billed by it.",
      ),
    serving: localServing.prefault({}),
  })
  .superRefine((m, context) => {
    const addIssue = (path: (string | number)[], message: string, right?: RightValue) =>
      context.addIssue({ code: "custom", path, message, ...(right === undefined ? {} : { params: right }) });
    /** A name that is not among those there are. */
    const unknownName = (path: (string | number)[], what: string, name: string, known: readonly string[]) => {
      const near = didYouMean(name, known) ?? known[0];
      addIssue(
        path,
        `no ${what} "${name}"; there ${known.length === 1 ? "is" : "are"}: ${known.join(", ") || "none"}`,
        near === undefined ? undefined : { expected: `one of ${known.join(", ")}`, example: near },
      );
    };
    m.inputs.forEach((input, i) => {
      const [step, output] = input.from.split(".") as [string, string];
      const sources = Object.entries(m.preprocess).flatMap(([name, { kind }]) =>
        stepOutputs[kind].map((one) => `${name}.${one}`),
      );
      const found = m.preprocess[step];
      const right = {
        expected: `one of ${sources.join(", ")}`,
        example: didYouMean(input.from, sources) ?? sources[0],
      };
      if (found === undefined)
        addIssue(
          ["inputs", i, "from"],
          `no preprocessing step "${step}"; there are: ${Object.keys(m.preprocess).join(", ")}`,
          right,
        );
      else if (!(stepOutputs[found.kind] as readonly string[]).includes(output))
        addIssue(
          ["inputs", i, "from"],
          `a ${found.kind} step has no output "${output}"; it has: ${stepOutputs[found.kind].join(", ")}`,
          { ...right, example: `${step}.${stepOutputs[found.kind][0]}` },
        );
    });
    if (m.generate !== undefined)
      for (const { path, message, right } of generateIssues(m.generate, m)) addIssue(path, message, right);
    else if (m.artifact.graphs !== undefined)
      addIssue(["artifact", "graphs"], "several graphs are run by a decode loop, and there is no `generate`", {
        expected: "`generate`, or one graph",
      });
    const outputs = m.outputs.map((output) => output.name);
    m.postprocess.forEach((one, i) => {
      const [first, second] = outputsOf(one) as [string, string?];
      if (!outputs.includes(first))
        unknownName(["postprocess", i, one.kind === "ranking" ? "scores" : "from"], "output", first, outputs);
      if (second !== undefined && !outputs.includes(second))
        unknownName(["postprocess", i, "ids"], "output", second, outputs);
      if (one.kind === "spans") {
        const steps = Object.keys(m.preprocess).filter((name) => m.preprocess[name]!.kind === "text");
        if (one.text !== undefined && !steps.includes(one.text))
          unknownName(["postprocess", i, "text"], "text step", one.text, steps);
        if (one.text === undefined && steps.length !== 1)
          addIssue(
            ["postprocess", i],
            steps.length === 0
              ? "spans are pieces of a text, and no step reads one"
              : `\`text\` says which of the text steps ${steps.join(", ")} the labels are of`,
            { expected: "a text step", example: { ...one, text: steps[0] ?? "tokens" } },
          );
      }
      if (one.kind === "classification" && one.positive !== undefined && !one.labels.includes(one.positive))
        addIssue(
          ["postprocess", i, "positive"],
          `"${one.positive}" is not one of the labels ${one.labels.join(", ")}`,
          {
            expected: `one of ${one.labels.join(", ")}`,
            example: didYouMean(one.positive, one.labels) ?? one.labels.at(-1),
          },
        );
      if (one.kind === "classification" && one.threshold !== undefined && one.labels.length !== 2)
        addIssue(
          ["postprocess", i, "threshold"],
          `a threshold decides between two labels, and there are ${one.labels.length}`,
        );
    });
    const heads = m.postprocess.map((one) => one.name);
    if (new Set(heads).size !== heads.length) addIssue(["postprocess"], "two heads have the same name");
    const kinds = headKinds[m.task];
    if (!m.postprocess.some(({ kind }) => kinds.includes(kind)))
      addIssue(["task"], `a ${m.task} model answers with a head of kind ${kinds.join(" or ")}, and this one has none`, {
        expected: `a head of kind ${kinds.join(" or ")} in postprocess, or the task of the head ${heads[0]}: ${tasksOf(m.postprocess[0]!).join(", ")}`,
        example: tasksOf(m.postprocess[0]!)[0],
      });
    for (const [name, { naiveScale }] of Object.entries(m.dataset?.labels ?? {})) {
      if (!heads.includes(name))
        addIssue(["dataset", "labels", name], `no head "${name}"; there are: ${heads.join(", ")}`, {
          expected: `the name of a head: ${heads.join(", ")}`,
          example: m.dataset?.labels[name],
          at: ["dataset", "labels", didYouMean(name, heads) ?? heads[0] ?? name],
        });
      const labelled = m.postprocess.find((one) => one.name === name);
      if (labelled === undefined) continue;
      if (naiveScale !== undefined && labelled.kind !== "regression" && labelled.kind !== "series")
        addIssue(
          ["dataset", "labels", name, "naiveScale"],
          `a naive scale belongs to a regression head or a series head, and "${name}" is none`,
        );
      for (const problem of labelProblems(labelled, m.dataset!.labels[name]!, m.dataset!.idField))
        addIssue(["dataset", "labels", name, problem.key], problem.message, problem.right);
    }
    for (const [name, metrics] of Object.entries(m.dataset?.bestPossible ?? {})) {
      if (m.dataset?.labels[name] === undefined)
        addIssue(
          ["dataset", "bestPossible", name],
          `no head "${name}" with labels; there are: ${Object.keys(m.dataset?.labels ?? {}).join(", ")}`,
          { example: metrics, at: ["dataset", "bestPossible", Object.keys(m.dataset?.labels ?? {})[0] ?? name] },
        );
      if (Object.keys(metrics).length === 0) addIssue(["dataset", "bestPossible", name], "names no metric");
    }
    for (const [field, expression] of Object.entries(m.serving.response ?? {})) {
      const problem = responseProblem(expression, m.postprocess);
      if (problem !== null) addIssue(["serving", "response", field], problem);
    }
    if (m.serving.response !== undefined && Object.hasOwn(m.serving.response, "notes"))
      addIssue(["serving", "response", "notes"], "`notes` is what the server itself adds when a placeholder was used");
    for (const { path, message, right } of segmentIssues(m.segment, m)) addIssue(["segment", ...path], message, right);
    const givesReasons = m.rules !== undefined || m.reasons !== undefined;
    if (givesReasons && m.serving.response !== undefined && Object.hasOwn(m.serving.response, "reasons"))
      addIssue(["serving", "response", "reasons"], "`reasons` is what the server itself adds");
    reasonsIssues(m.reasons, m.postprocess).forEach(({ path, message, right }) =>
      addIssue(["reasons", ...path], message, right),
    );
    ruleIssues(m.rules, m.postprocess).forEach(({ path, message, right }) =>
      addIssue(["rules", "list", ...path], message, right),
    );
    m.dataset?.slices.forEach((slice, i) => {
      if (predictionColumns.has(slice))
        addIssue(
          ["dataset", "slices", i],
          `"${slice}" is a column that every prediction file has of its own; give the dataset's field another name`,
          {
            expected: `a field that is not called ${[...predictionColumns].join(", ")}`,
            example: `${slice}_of_row`,
          },
        );
    });
    augmentationIssues(m.dataset?.augmentations ?? [], m.preprocess, m.postprocess).forEach(
      ({ path, message, right }) => addIssue(["dataset", "augmentations", ...path], message, right),
    );
    const slices = [
      ...(m.dataset?.slices ?? []),
      ...((m.dataset?.augmentations.length ?? 0) > 0 ? [augmentationColumn] : []),
      ...(m.postprocess.some(({ kind }) => kind === "classification") ? [classColumn] : []),
    ];
    m.gates?.checks.forEach((check, i) => {
      if (check.head !== undefined && !heads.includes(check.head))
        unknownName(["gates", "checks", i, "head"], "head", check.head, heads);
      for (const [j, slice] of check.slices.entries()) {
        const near = didYouMean(slice, slices);
        if (slice === augmentationColumn && !slices.includes(slice))
          addIssue(["gates", "checks", i, "slices", j], "there are no dataset.augmentations", {
            expected: "dataset.augmentations, of which each is a slice",
          });
        else if (!slices.includes(slice))
          addIssue(["gates", "checks", i, "slices", j], `"${slice}" is not among dataset.slices`, {
            expected:
              slices.length === 0
                ? "a column that dataset.slices declares, and it declares none: add it there"
                : `one of ${slices.join(", ")}, or a further column in dataset.slices`,
            ...(slices.length === 0 ? { example: [slice], at: ["dataset", "slices"] } : { example: near ?? slices[0] }),
          });
      }
      if (check.kind === "limit" && check.min === undefined && check.max === undefined)
        addIssue(["gates", "checks", i], "a limit needs `min` or `max`", {
          expected: "a smallest value, a largest one, or both",
          example: { kind: "limit", metric: check.metric, min: 0.8 },
        });
    });
  });

export type Manifest = z.infer<typeof manifest> & {
  /** Of a composition: the fields that only some of its branches read, so that a row may lack them. */
  conditional?: readonly string[];
};
export type ManifestInput = z.input<typeof manifest>;
export type Dataset = z.infer<typeof dataset>;
export type Artifact = z.infer<typeof artifact>;
export type ArtifactFile = z.infer<typeof artifactFile>;
