import { z } from "zod";
import { jobFormats, jobRequest, jobView, uploadView } from "../jobs/job.ts";

type Responses = Readonly<Record<"401" | "413" | "415" | "422" | "429" | "503", object>>;

const refer = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const json = (name: string, description: string) => ({
  description,
  content: { "application/json": { schema: refer(name) } },
});
const failure = (description: string) => ({
  description,
  content: { "application/problem+json": { schema: refer("Problem") } },
});
const parameter = (place: string, name: string, schema: object, description: string, required = false) => ({
  name,
  in: place,
  required,
  schema,
  description,
});
const id = parameter("path", "id", { type: "string" }, "From Location.", true);
const header = (name: string, description: string, required = true) =>
  parameter("header", name, { type: "string" }, description, required);
const schemaOf = (schema: z.ZodType, io: "input" | "output" = "output"): object => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io });
  return rest;
};

/** The schemas of jobs and uploads. */
export const jobSchemas = (): Record<string, object> => ({
  JobRequest: schemaOf(jobRequest, "input"),
  Job: schemaOf(jobView),
  Jobs: schemaOf(z.object({ jobs: z.array(jobView), uploads: z.array(uploadView) })),
});

/** How a model is asked for a job. */
export const newJobPaths = (model: string, failures: Responses): Record<string, object> => ({
  [`/models/${model}/jobs`]: {
    post: {
      tags: [model],
      summary: `A whole file, answered by ${model} in the background`,
      description: "The file is the body, or was uploaded to /uploads, or the JSON holds the rows themselves.",
      parameters: [
        parameter(
          "query",
          "format",
          { enum: jobFormats },
          "How a file as the body is read; default: its Content-Type.",
        ),
        parameter(
          "query",
          "idField",
          { type: "string", default: "id" },
          "Column whose value names a row in the result.",
        ),
        parameter("query", "field", { type: "string" }, "media: the field that the file is the value of."),
        parameter("query", "name", { type: "string" }, "A name for the file."),
      ],
      requestBody: {
        required: true,
        content: {
          "application/json": { schema: refer("JobRequest") },
          ...Object.fromEntries(
            ["text/csv", "application/x-ndjson", "application/vnd.apache.parquet", "image/*", "audio/*", "video/*"].map(
              (type) => [type, {}],
            ),
          ),
        },
      },
      responses: {
        "202": {
          ...json("Job", "Accepted"),
          headers: { Location: { schema: { type: "string" }, description: "Where the job is." } },
        },
        "401": failures["401"],
        "409": failure("The upload is not complete, or is another job's"),
        "413": failures["413"],
        "415": failures["415"],
        "422": failures["422"],
        "429": failure("As many jobs of this owner wait as may; Retry-After"),
        "503": failures["503"],
        "507": failure("No space left; Retry-After"),
      },
    },
  },
});

const TUS = header("Tus-Resumable", "1.0.0");

/** Jobs and uploads, whichever model answers. */
export const jobPaths = (failures: Responses): Record<string, object> => {
  const unknown = failure("No such job or upload of this owner");
  const operation = (tag: string, summary: string, parameters: object[], responses: Record<string, object>) => ({
    tags: [tag],
    summary,
    parameters,
    responses: { ...responses, "401": failures["401"] },
  });
  return {
    "/jobs": {
      get: operation("jobs", "The owner's jobs, the newest first, and uploads that no job has yet", [], {
        "200": json("Jobs", "At most 200 jobs"),
        "403": failure("Without API keys nobody owns a list"),
      }),
    },
    "/jobs/{id}": {
      get: operation("jobs", "State and progress of a job", [id], { "200": json("Job", "The job"), "404": unknown }),
      delete: operation("jobs", "Cancels a job that has not ended; deletes one that has, with all of it", [id], {
        "200": json("Job", "Cancelled; its input and result are deleted"),
        "204": { description: "Deleted" },
        "404": unknown,
      }),
    },
    "/jobs/{id}/events": {
      get: operation(
        "jobs",
        "Changes of a job as server-sent events",
        [id, header("Last-Event-ID", "The last event that was seen: only what changed since then is told.", false)],
        {
          "200": {
            description: "`state` and `progress` events with the whole job, `deleted`; ends with the job",
            content: { "text/event-stream": { schema: { type: "string" } } },
          },
          "204": { description: "The job has ended, and its last event was seen" },
          "404": unknown,
          "429": failures["429"],
        },
      ),
    },
    "/jobs/{id}/result": {
      get: operation(
        "jobs",
        "The answers in the order of the rows; a row without one has its error",
        [
          id,
          parameter("query", "format", { enum: ["jsonl", "csv"] }, "Default: what Accept asks for, else jsonl."),
          parameter("query", "partial", { type: "boolean" }, "Also of a job that failed half-way."),
        ],
        {
          "200": { description: "Answers", content: { "application/x-ndjson": {}, "text/csv": {} } },
          "404": unknown,
          "409": failure("Not finished, or failed"),
          "410": failure("Cancelled, or kept with a key that is not here any more"),
        },
      ),
    },
    "/uploads": {
      post: operation(
        "jobs",
        "Begins a resumable upload (tus 1.0.0)",
        [TUS, header("Upload-Length", "Bytes of the file."), header("Upload-Metadata", "filename, filetype", false)],
        {
          "201": { description: "Location says where the bytes go" },
          "412": failure("Another version of tus"),
          "413": failures["413"],
          "507": failure("No space left; Retry-After"),
        },
      ),
    },
    "/uploads/{id}": {
      head: operation("jobs", "How many bytes are there", [id, TUS], {
        "200": { description: "Upload-Offset, Upload-Length, Upload-Expires" },
        "404": unknown,
      }),
      patch: {
        ...operation("jobs", "Further bytes", [id, TUS, header("Upload-Offset", "Where they belong.")], {
          "204": { description: "Upload-Offset" },
          "404": unknown,
          "409": failure("They belong elsewhere"),
          "415": failures["415"],
        }),
        requestBody: { required: true, content: { "application/offset+octet-stream": {} } },
      },
      delete: operation("jobs", "Ends an upload and deletes its bytes", [id, TUS], {
        "204": { description: "Deleted" },
        "404": unknown,
      }),
    },
  };
};
