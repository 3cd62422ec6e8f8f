import { z } from "zod";

export const jobStates = ["queued", "running", "succeeded", "failed", "cancelled"] as const;
export type JobState = (typeof jobStates)[number];
export const hasEnded = (state: JobState): boolean => state !== "queued" && state !== "running";

/** How the input of a job is read. `media`: the whole file is the value of one field of one row. */
export const jobFormats = ["csv", "jsonl", "json", "parquet", "media"] as const;
export type JobFormat = (typeof jobFormats)[number];

const problemGroup = z.object({
  code: z.string(),
  problem: z.string().describe("What is wrong with these rows, as the first of them says it."),
  rows: z.int().describe("How many rows have this problem."),
  first: z.array(z.int()).describe("Numbers of the first of them."),
});
export type ProblemGroup = z.infer<typeof problemGroup>;

/** A job as its owner sees it. */
export const jobView = z.object({
  id: z.string(),
  model: z.string(),
  version: z.string().nullable().describe("The model's version that answers; null before the first row."),
  name: z.string().nullable().describe("The input's name; null where it has none."),
  state: z.enum(jobStates),
  format: z.enum(jobFormats),
  created: z.iso.datetime(),
  started: z.iso.datetime().nullable(),
  ended: z.iso.datetime().nullable(),
  expires: z.iso.datetime().describe("When input and result are deleted."),
  attempts: z.int().describe("Attempts since the last progress."),
  restarts: z.int().describe("How often it began again because another version of the model answered."),
  progress: z.object({
    rows: z.int().describe("Rows that have an answer or a problem."),
    failed: z.int().describe("Those of them that have a problem."),
    total: z.int().nullable().describe("Rows of the input; null until they are counted."),
  }),
  problems: z.array(problemGroup).describe("Rows without an answer, grouped by what is wrong; the largest groups."),
  error: z.object({ code: z.string(), detail: z.string() }).nullable().describe("Why the job failed."),
  inputBytes: z.int(),
  resultBytes: z.int(),
  revision: z.int().describe("Grows with every change; the id of its event."),
  links: z.object({ self: z.string(), events: z.string(), result: z.string().nullable() }),
});
export type JobView = z.infer<typeof jobView>;

/** An upload that is not yet the input of a job. */
export const uploadView = z.object({
  id: z.string(),
  size: z.int(),
  received: z.int(),
  name: z.string().nullable(),
  contentType: z.string().nullable(),
  expires: z.iso.datetime(),
  complete: z.boolean(),
});
export type UploadView = z.infer<typeof uploadView>;

const common = {
  format: z
    .enum(jobFormats)
    .optional()
    .describe("How the input is read; by default its name or Content-Type tells. media: a file is one field's value."),
  idField: z.string().min(1).max(200).default("id").describe("Column whose value names a row in the result."),
  field: z.string().min(1).max(200).optional().describe("media: the field that the file is the value of."),
};

/** The JSON body that asks for a job. */
export const jobRequest = z.union([
  z.strictObject({ upload: z.string().min(1).max(64), ...common }).describe("A file that was uploaded to /uploads."),
  z.strictObject({ row: z.record(z.string(), z.unknown()), idField: common.idField }).describe("One row."),
  z
    .strictObject({ rows: z.array(z.record(z.string(), z.unknown())).min(1), idField: common.idField })
    .describe("Many rows."),
]);
export type JobRequest = z.infer<typeof jobRequest>;

/** What only the owner may read of a job; it is kept encrypted. */
export type JobNotes = {
  problems: ProblemGroup[];
  error: { code: string; detail: string } | null;
  /** The input's name, for its owner and for the places of its rows. */
  name: string | null;
  idField: string;
  field: string | null;
  /** Columns of the result as a table, by the heads of the version that answers. */
  columns: string[] | null;
};
