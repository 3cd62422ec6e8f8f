import { z } from "zod";

const path = z
  .string()
  .min(1)
  .regex(/^(?!\/)(?!.*(^|\/)\.\.(\/|$)).*$/, "a path inside the repository, without '..'");
const cell = z.union([z.string(), z.number()]).transform(String);
const cells = z.record(
  z.string(),
  z.union([cell, z.array(cell)]).transform((one) => [one].flat()),
);

const actions = {
  write: z
    .record(path, z.string())
    .describe("Path → the file's new text. {{…}} is replaced: see the page of the corpus."),
  edit: z
    .strictObject({ path, find: z.string().min(1), put: z.string() })
    .describe("Replaces a text that stands in the file exactly once."),
  remove: z.array(path).min(1).describe("Files or folders to delete."),
  move: z.strictObject({ from: path, to: path }).describe("git mv."),
  copy: z.strictObject({ from: path, to: path }).describe("A file or folder, to another place."),
  link: z.strictObject({ path, to: z.string().min(1) }).describe("A symbolic link in the place of whatever is there."),
  weights: z
    .strictObject({
      model: path.describe("Folder of model.yaml."),
      to: z.tuple([z.number(), z.number(), z.number()]).or(z.literal("nan")).describe("Factor of each input."),
      bias: z.number().default(0),
      pin: z.boolean().default(true).describe("Whether model.yaml gets the new file's sha256."),
    })
    .describe("Writes model.onnx: a linear model of three inputs."),
  graph: z
    .strictObject({ model: path, fixture: z.string().regex(/^[\w-]+\.onnx$/) })
    .describe("Writes model.onnx from tests/fixtures and pins it."),
  rows: z
    .strictObject({
      path,
      where: cells.default({}).describe("Column → value or values; only rows that have them. Default: every row."),
      every: z.int().positive().default(1).describe("Only each n-th of these rows."),
      drop: z.boolean().default(false),
      set: z.record(z.string(), cell).default({}).describe("Column → new value; a new column is added."),
      add: z.record(z.string(), z.number()).default({}).describe("Column → what is added to its number."),
      repeat: z.boolean().default(false).describe("Append them once more, under new ids."),
    })
    .describe("Changes rows of a CSV file."),
  jsonLines: z.strictObject({ from: path, to: path }).describe("A CSV file becomes JSON Lines with the same rows."),
  lfs: z
    .strictObject({
      path,
      uploaded: z.boolean().default(true).describe("Whether Git LFS has the object."),
      oid: z.string().optional().describe("Another oid than the file's own."),
      bytes: z.int().optional().describe("Another size than the file's own."),
    })
    .describe("The file becomes a Git LFS pointer."),
  submodule: z.strictObject({ path }).describe("A folder becomes a submodule with the same files."),
  chunks: z
    .strictObject({ cache: path, column: z.string(), data: path })
    .describe("Runs the gate, and commits its cache with the truth in the place of every cached score."),
  commit: z.string().min(1).describe("Ends a commit here."),
};

const step = z
  .strictObject(
    Object.fromEntries(Object.entries(actions).map(([name, schema]) => [name, schema.optional()])) as {
      [Name in keyof typeof actions]: z.ZodOptional<(typeof actions)[Name]>;
    },
  )
  .refine((one) => Object.keys(one).length === 1, `exactly one of ${Object.keys(actions).join(", ")}`);
export type Step = z.infer<typeof step>;

/** start.yaml: what a base repository has besides the files beside it. */
export const startFile = z.strictObject({ title: z.string().min(1), steps: z.array(step).default([]) });

export const kinds = [
  "data",
  "npm",
  "links",
  "lfs",
  "filters",
  "caches",
  "manifest",
  "configuration",
  "waivers",
  "identity",
  "preprocessing",
  "outputs",
  "report",
  "history",
] as const;

/** Commits that a tag may be of. */
const places = ["start", "base", "change"] as const;

/** How a played pull request may end, and the step's exit code for it. */
export const outcomes = {
  PASS: 0,
  FAIL: 1,
  "wrong usage": 2,
  INCONCLUSIVE: 3,
  INCOMPARABLE: 3,
  ERROR: 4,
} as const;
export type Outcome = keyof typeof outcomes;
const outcome = z.enum(Object.keys(outcomes) as [Outcome, ...Outcome[]]);

/** case.yaml: one pull request, and how the gate must answer it. */
export const caseFile = z
  .strictObject({
    title: z.string().min(1).describe("What the pull request does."),
    intent: z.enum(["hostile", "honest"]),
    kind: z.enum(kinds).describe("Input of the verdict that it changes, as docs/threat-model.md lists them."),
    why: z.string().min(1).describe("Why this outcome is right, in one sentence."),
    start: z
      .array(z.string().regex(/^[\w-]+$/))
      .default(["taxi"])
      .describe("Folders of tests/corpus/start, in order."),
    base: z.array(step).default([]).describe("Steps to the base commit."),
    change: z.array(step).default([]).describe("Steps of the pull request."),
    landed: z.array(step).default([]).describe("Steps on the base branch after the pull request left it."),
    tags: z
      .array(
        z.strictObject({
          name: z.string().regex(/^fares[\w.@-]+$/),
          at: z.enum(places).describe("start: before the steps of `base`."),
          kind: z.enum(["annotated", "lightweight"]).default("annotated"),
          version: z.string().default("1.0.0"),
          weights: z.enum(places).optional().describe("Whose weights the receipt names; default: those at `at`."),
          commit: z.enum(places).optional().describe("Which commit the message names; default: the one at `at`."),
          verdict: z.string().default("PASS"),
        }),
      )
      .default([])
      .describe("Tags with a receipt, in the order of their making."),
    event: z.enum(["pull_request", "fork", "merge_group", "push"]).default("pull_request"),
    checkout: z
      .strictObject({
        depth: z.enum(["full", "shallow"]).default("full"),
        lfs: z
          .enum(["files", "pointers", "server"])
          .default("files")
          .describe("files: lfs: true; pointers: only the objects are here; server: only the server has them."),
        submodules: z.boolean().default(false),
      })
      .prefault({}),
    expected: z.strictObject({
      outcome: z.union([outcome, z.array(outcome).min(1)]).transform((one) => [one].flat()),
      models: z.record(z.string(), outcome).default({}).describe("Model → its own verdict."),
      says: z.array(z.string().min(1)).default([]).describe("Words that report.md has."),
      never: z.array(z.string().min(1)).default([]).describe("Words that no output has."),
      neverRendered: z.array(z.string().min(1)).default([]).describe("Markup that no report and no summary has."),
      gated: z
        .boolean()
        .default(true)
        .describe("Whether the workflow that gates only what changed gates anything at all."),
    }),
  })
  .superRefine((one, context) => {
    const { outcome } = one.expected;
    const path = ["expected", "outcome"];
    if (one.intent === "honest" && outcome.length !== 1)
      context.addIssue({ code: "custom", path, message: "an honest pull request has one outcome" });
    if (one.intent === "hostile" && outcome.includes("PASS"))
      context.addIssue({ code: "custom", path, message: "a hostile pull request is never PASS" });
  });
export type CaseFile = z.infer<typeof caseFile>;
