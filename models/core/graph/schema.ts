import { z } from "zod";
import { dataset, modelId, modelVersion, runtime, localServing, task } from "../manifest/manifest.ts";
import { gates } from "../manifest/gates.ts";
import { watchSettings } from "../manifest/watch.ts";
import { expression, tabularColumn } from "../preprocess/schema.ts";
import { structureIssues } from "./structure.ts";

const name = z
  .string()
  .regex(/^[A-Za-z]\w{0,63}$/, "letters, digits and '_', beginning with a letter")
  .describe("Names the step in expressions, errors and reports; default: its model or node.");

/** What every entry of a node is: another model, another node of this file, or what an earlier step answered. */
const target = {
  name: name.optional(),
  model: modelId.optional().describe("Id of the model that answers."),
  node: z.string().min(1).optional().describe("The node that answers, in the place of a model."),
  step: z.string().min(1).optional().describe("An earlier step whose answer is kept, in the place of a model."),
  inputs: z
    .record(z.string().min(1), expression)
    .default({})
    .describe(
      "Field of the model → filtrex expression over the row's fields and the answers of earlier steps (STEP.HEAD.label …). A field that is not named here is taken from the row.",
    ),
};

const weight = z.number().positive();

const step = z.strictObject(target);
const branch = z.strictObject({
  ...target,
  condition: expression.optional().describe("Takes the rows for which it is exactly true; without it, all others."),
  label: z.string().optional().describe("Takes the rows for which `on` gives this label."),
});
const member = z.strictObject({ ...target, weight: weight.optional().describe("For `combine: weighted`.") });
const arm = z.strictObject({ ...target, weight: weight.describe("Share of the keys, over the sum of all.") });

/** How the members' answers become one. */
const combine = z
  .union([
    z.enum(["mean", "weighted", "vote", "max"]),
    z.strictObject({
      expression: expression.describe(
        "Over the members' answers: a value, or of two labels the positive one's probability.",
      ),
    }),
  ])
  .describe(
    "mean, the default: of probabilities or values. weighted: the same with the members' weights. vote: the label that most members give. max: the member that is surest, or the largest value.",
  );

/** A node of the graph, in the words of KServe's InferenceGraph. Exactly one of its four kinds. */
const node = z.strictObject({
  sequence: z.array(step).min(1).optional().describe("One after the other; the last one's answer is the node's."),
  switch: z.array(branch).min(2).optional().describe("The first branch that takes the row answers."),
  on: expression.optional().describe("Of a switch: the label that chooses, e.g. mood.mood.label."),
  ensemble: z.array(member).min(2).optional().describe("All answer, and `combine` makes one answer of theirs."),
  combine: combine.optional(),
  splitter: z.array(arm).min(2).optional().describe("Each key is answered by one arm, always the same."),
  key: z.string().min(1).optional().describe("Of a splitter: the row field that decides, a user's id for example."),
});

/** The model.yaml of a composition: a model that is made of other models. */
export const graphManifest = z
  .strictObject({
    $schema: z.string().optional(),
    schemaVersion: z.literal(1),
    id: modelId,
    formerly: modelId.optional(),
    version: modelVersion,
    task,
    description: z.string().default(""),
    license: z.string().optional(),
    backend: z.literal("graph").describe("Other models answer, as `nodes` says."),
    models: z
      .record(modelId, z.string().min(1))
      .default({})
      .describe("Model → its folder, relative to this one, where that is not `steps/ID` in it or `../ID` beside it."),
    columns: z
      .record(z.string().min(1), tabularColumn)
      .default({})
      .describe("Row fields that only expressions and keys read, declared like the columns of a tabular step."),
    nodes: z
      .record(name, node)
      .describe("The graph's nodes. A row enters at `root`; each other node is named by one step."),
    answer: z
      .record(z.string().min(1), z.string().regex(/^\w+\..+$/, "STEP.HEAD"))
      .optional()
      .describe(
        "Head of this model → STEP.HEAD of a step of `root`, a sequence. Default: the heads that root answers.",
      ),
    runtime: runtime.prefault({}),
    dataset: dataset.optional().describe("Needed to gate the composition."),
    gates: gates.optional(),
    watch: watchSettings.optional(),
    serving: localServing.prefault({}),
  })
  .superRefine((manifest, context) => {
    for (const { path, message, right } of structureIssues(manifest.nodes))
      context.addIssue({ code: "custom", path: [...path], message, ...(right === undefined ? {} : { params: right }) });
  });

export type GraphManifest = z.infer<typeof graphManifest>;
export type GraphManifestInput = z.input<typeof graphManifest>;
export type GraphNode = z.infer<typeof node>;
export type GraphStep = z.infer<typeof branch> & { weight?: number | undefined };
