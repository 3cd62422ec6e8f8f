import { z } from "zod";
import { metricName } from "../../models/core/manifest/gates.ts";
import { task } from "../../models/core/manifest/manifest.ts";

export const verdictWord = z.enum(["PASS", "FAIL", "INCONCLUSIVE", "INCOMPARABLE", "ERROR"]);
export type VerdictWord = z.infer<typeof verdictWord>;

/**
 * Two-sided interval. `level` is its coverage: a one-sided decision at alpha uses one end of a 1 - 2·alpha interval.
 */
export const interval = z.strictObject({
  low: z.number(),
  high: z.number(),
  level: z.number().gt(0).lt(1),
  method: z.string(),
});
export type Interval = z.infer<typeof interval>;

const number = z.number().nullable();

/** One decided comparison, which a reader can redo by hand from these fields. */
export const check = z.strictObject({
  id: z.string().describe("Stable name of the check within its model, e.g. auroc[source=imdb]/non-inferiority."),
  metric: metricName,
  signature: z
    .string()
    .optional()
    .describe("Every option that the figure depends on, defaults and versions of rules included, where there are any."),
  head: z.string().nullable(),
  slice: z.string().describe('"all", or COLUMN=VALUE.'),
  kind: z.enum(["limit", "non-inferiority", "superiority", "equivalence"]),
  observed: number.describe("The candidate's value; null when undefined."),
  baseline: number.describe("The baseline's value; null when there is none."),
  difference: number.describe("observed - baseline; observed / baseline - 1 where `scale` is relative."),
  interval: interval.nullable().describe("Of the difference; of the observed value for a limit."),
  margin: number.describe("In the scale of the difference; null for a limit."),
  scale: z
    .enum(["absolute", "relative"])
    .describe("Of difference, interval and margin: the metric's unit, or a fraction of the baseline's value."),
  limit: z
    .strictObject({
      min: z.number().nullable(),
      max: z.number().nullable(),
      confident: z.boolean().describe("Whether the whole interval must keep it, not only the observed value."),
    })
    .nullable(),
  direction: z.enum(["higher", "lower"]).describe("Which way is better."),
  n: z.int().nonnegative().describe("Rows, or timed runs, that the decision rests on."),
  discordant: z
    .strictObject({ candidateOnly: z.int().nonnegative(), baselineOnly: z.int().nonnegative() })
    .optional()
    .describe(
      "Rows that count for one model alone, of a share of independent rows that weigh alike: right answers of an " +
        "accuracy, alarms of a false positive rate.",
    ),
  unit: z.string().describe("Of observed and baseline."),
  verdict: verdictWord,
  reason: z.string(),
  declaredAt: z
    .strictObject({ file: z.string(), line: z.int() })
    .nullable()
    .describe("Where the candidate's model.yaml declares the check, relative to the repository."),
  advisory: z
    .boolean()
    .describe("Shown but not deciding (onInsufficient: warn, a relative check with no baseline, or a waiver)."),
  waiver: z
    .strictObject({ reason: z.string(), expires: z.string() })
    .optional()
    .describe("The entry of waivers.yaml that keeps the check from deciding."),
});
export type Check = z.infer<typeof check>;

export const modelIdentity = z.strictObject({
  id: z.string(),
  version: z.string(),
  task,
  sha256: z.string(),
  rules: z
    .strictObject({ version: z.string(), sha256: z.string().describe("Of the rules as they were read.") })
    .optional()
    .describe("The rules beside the model; absent without any."),
});
export type ModelIdentity = z.infer<typeof modelIdentity>;

/** A gate setting that the candidate's model.yaml changes. The candidate is judged by `base`. */
export const policyChange = z.strictObject({ path: z.string(), base: z.unknown(), candidate: z.unknown() });

/** How often a gate like this one is not PASS although nothing is wrong. */
export const falseRed = z.strictObject({
  atMost: z.number().min(0).max(1).describe("Sum over the counted checks: holds whatever their dependence."),
  ifIndependent: z.number().min(0).max(1).describe("1 - product of (1 - rate)."),
  counted: z.int().positive().describe("Checks whose rate could be estimated."),
  left: z
    .int()
    .nonnegative()
    .describe("Deciding checks that could not: timed or counted figures, superiority, a model with itself."),
  worst: z
    .strictObject({ id: z.string(), rate: z.number().min(0).max(1) })
    .describe("The check with the largest rate."),
});
export type FalseRed = z.infer<typeof falseRed>;

const rowsOf = z.strictObject({
  id: z.string(),
  digest: z.string(),
  rows: z.int().nonnegative(),
  badRows: z.int().nonnegative(),
});

/** How one head's true values are spread: the mean of a regression's, or rows per label. */
const labelSpread = z.union([
  z.strictObject({ mean: z.number() }),
  z.strictObject({ rows: z.record(z.string(), z.int().nonnegative()) }),
]);

/** What a candidate changes in the rows that it is measured on. */
const datasetChange = z.strictObject({
  base: rowsOf.describe("The rows of the base branch."),
  candidate: rowsOf.describe("The rows that the candidate brings."),
  judgedOn: z
    .enum(["base", "candidate"])
    .describe("Whose rows decide. The candidate's only when nothing but the data changes."),
  added: z.int().nonnegative().describe("Rows with an id that the base does not have."),
  removed: z.int().nonnegative(),
  changed: z.int().nonnegative().describe("Rows with the same id and another content."),
  relabelled: z.int().nonnegative().describe("Those of `changed` with another true value."),
  examples: z.strictObject({
    added: z.array(z.string()),
    removed: z.array(z.string()),
    changed: z.array(z.string()),
  }),
  labels: z.array(z.strictObject({ head: z.string(), base: labelSpread, candidate: labelSpread })),
  slices: z.array(
    z.strictObject({
      column: z.string(),
      gained: z.array(z.string()).describe("Values that only the candidate's rows have; at most 20."),
      lost: z.array(z.string()).describe("Values that only the base's rows have; at most 20."),
    }),
  ),
  augmentations: z
    .array(
      z.strictObject({
        name: z.string(),
        base: z.string().nullable().describe("What it does to a row; null where only the candidate has it."),
        candidate: z.string().nullable(),
        weaker: z.boolean().describe("Whether it asks less than the base's, or something else."),
      }),
    )
    .optional()
    .describe("Augmentations that differ; absent when none does."),
  figures: z
    .array(
      z.strictObject({
        model: z.enum(["candidate", "baseline"]),
        head: z.string(),
        metric: metricName,
        slice: z.string(),
        unit: z.string(),
        base: number.describe("On the base's rows; null when undefined."),
        candidate: number.describe("On the candidate's rows; null when undefined."),
      }),
    )
    .describe("The same models on both versions of the data."),
});
export type DatasetChange = z.infer<typeof datasetChange>;

const count = z.int().nonnegative();

/** What the rules beside a candidate change on the gate's rows. */
const rulesEffect = z.strictObject({
  version: z.string(),
  sha256: z.string().describe("Of the rules as they were read."),
  rows: count.describe("Rows that were answered."),
  firedRows: count.describe("Those for which any rule fired."),
  gained: count.describe("Answers that the rules turn right, or nearer to the true value; over all heads."),
  lost: count.describe("Answers that they turn wrong, or farther from it."),
  list: z
    .array(
      z.strictObject({
        id: z.string(),
        fired: count,
        gained: count.describe("Of `gained`, those of rows for which this rule fired, alone or with others."),
        lost: count,
      }),
    )
    .describe("In the manifest's order."),
  figures: z
    .array(
      z.strictObject({
        head: z.string(),
        metric: metricName,
        unit: z.string(),
        direction: z.enum(["higher", "lower"]),
        without: number.describe("The model's own answers; null when undefined."),
        withRules: number.describe("The answers as they are served, which the checks judge; null when undefined."),
        interval: interval
          .nullable()
          .describe("Of withRules - without, paired; null when they are equal or it cannot be computed."),
      }),
    )
    .describe("Over all rows."),
});
export type RulesEffect = z.infer<typeof rulesEffect>;

const modelVerdict = z.strictObject({
  model: modelIdentity,
  baseline: modelIdentity.nullable(),
  baselineSource: z
    .string()
    .describe('Where the baseline came from, e.g. "production at 1a2b3c4", or why there is none.'),
  dataset: z
    .strictObject({
      id: z.string(),
      digest: z.string(),
      rows: z.int(),
      badRows: z.int(),
      provenance: z.enum(["collected", "simulated"]).optional(),
    })
    .nullable(),
  verdict: verdictWord,
  reason: z.string(),
  checks: z.array(check),
  notes: z.array(z.string()).describe("What a reader should know and no check says."),
  expectedFalseRed: falseRed
    .optional()
    .describe(
      "For a candidate that is truly no worse and answers as differently as this one; absent when no check could be counted.",
    ),
  policySource: z.string().describe("Where the thresholds were read."),
  policyChanges: z.array(policyChange),
  augmentations: z
    .array(
      z.strictObject({
        name: z.string().describe("The slice is augmentation=NAME."),
        what: z.string().describe("What it does to a row."),
        rows: count.describe("Rows that were altered."),
      }),
    )
    .optional()
    .describe("Altered copies of rows, which count in slices of their own only; absent where none are declared."),
  profile: z
    .strictObject({ file: z.string().describe("Relative to this file."), sha256: z.string() })
    .optional()
    .describe("How the features of the gate's rows and the candidate's answers are distributed, for `sluice watch`."),
  wear: z
    .strictObject({
      candidates: count.describe("Different weights that these rows have judged, this candidate included; at least."),
      rows: count,
      optimism: z.number().describe("Largest optimism of a figure in [0, 1] with probability 95 %: √(ln(2k/α)/2n)."),
      adaptiveOptimism: z
        .number()
        .describe("The same where each candidate was chosen by the results before: √((k ln 2 + ln(2/α))/2n)."),
    })
    .optional()
    .describe("Wear of the test set, by the receipts in the clone's tags; absent where no tag tells of another one."),
  rules: rulesEffect.optional().describe("What the candidate's rules change; absent for a model without rules."),
  datasetChange: datasetChange.optional().describe("Absent when the rows are the base's, or when there is no base."),
});
export type ModelVerdict = z.infer<typeof modelVerdict>;

/** Whether what was evaluated is what the commit holds. */
const commitState = z.strictObject({
  commit: z.string(),
  dirty: z.boolean().describe("Whether files were evaluated that the commit holds otherwise or not at all."),
  digest: z
    .string()
    .nullable()
    .describe("SHA-256 over the paths and contents of those files: equal for equal changes. Null when there are none."),
  files: z.array(z.string()).describe("Their paths, the first 20 in order."),
});
export type CommitState = z.infer<typeof commitState>;
/** What `baselineSource` and `policySource` say when an error came before they were looked for. */
export const notReached = "not reached";

/** verdict.json */
export const verdictFile = z.strictObject({
  schemaVersion: z.literal(1),
  verdict: verdictWord,
  reason: z.string(),
  commit: z.string().nullable().describe("The commit that was evaluated."),
  commitState: commitState.optional().describe("Absent outside git, and for prediction files."),
  reproduce: z
    .strictObject({ command: z.enum(["gate", "compare"]), flags: z.array(z.string()) })
    .optional()
    .describe(
      "The command that made this, with the flags that were not left at their defaults; of a gate without models and --baseline, which each model's entry names.",
    ),
  sluiceVersion: z.string(),
  createdAt: z.iso.datetime(),
  models: z.array(modelVerdict),
});
export type VerdictFile = z.infer<typeof verdictFile>;
