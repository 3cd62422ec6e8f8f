import { z } from "zod";
import { STANDARD_ANSWER } from "../../../models/core/media-type.ts";
import { liveCounts } from "../../../models/profile/live.ts";
import { feedbackItem } from "../watch/feedback.ts";
import { pcmFormats } from "../speech/pcm.ts";
import { rolloutPaths, rolloutSchemas } from "./rollout-openapi.ts";
import type { Serving } from "./context.ts";
import { fileContent } from "./file-body.ts";
import { jobPaths, jobSchemas, newJobPaths } from "./openapi-jobs.ts";

const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.string().describe("Stable, for programs."),
    detail: z.string().optional(),
    instance: z.string().optional().describe("The request's id."),
    step: z.string().optional().describe("Of a composition: the step that failed."),
    errors: z
      .array(
        z.object({
          field: z.string().describe("Path in the request, e.g. history[3]."),
          problem: z.string(),
          expected: z.string().optional(),
          received: z.string().optional(),
          example: z.string().optional().describe("What stands there in the model's own example."),
        }),
      )
      .optional(),
  })
  .describe("RFC 9457");
const heads = z
  .record(
    z.string(),
    z.union([
      z.object({
        kind: z.literal("classification"),
        label: z.string(),
        score: z.number(),
        probabilities: z.record(z.string(), z.number()),
      }),
      z.object({
        kind: z.literal("classification"),
        label: z.string(),
        score: z.number(),
        top: z
          .array(z.object({ label: z.string(), score: z.number() }))
          .describe("The most probable labels, highest first, of a head that lists only some."),
      }),
      z.object({ kind: z.literal("regression"), value: z.number() }),
      z.object({
        kind: z.literal("ranking"),
        items: z
          .array(z.object({ id: z.string(), score: z.number(), title: z.string().optional() }))
          .describe("Best first; ids ascend where scores are equal."),
      }),
      z.object({
        kind: z.literal("series"),
        values: z.array(z.number()).describe("The point forecast of each step."),
        quantiles: z
          .array(z.object({ level: z.number(), values: z.array(z.number()) }))
          .optional()
          .describe("By ascending level; each has a value per step."),
        flagged: z
          .array(z.object({ step: z.int(), value: z.number(), low: z.number(), high: z.number() }))
          .optional()
          .describe("Observed values outside the head's interval; absent where the row gives none."),
      }),
      z.object({
        kind: z.literal("spans"),
        spans: z
          .array(z.object({ start: z.int(), end: z.int(), type: z.string(), text: z.string(), score: z.number() }))
          .describe("[start, end) in UTF-16 code units of the text; score: mean probability of its words' labels."),
        readTo: z.int().optional().describe("Where the model stopped reading a text with too many tokens."),
      }),
      z.object({
        kind: z.literal("text"),
        text: z.string(),
        finishReason: z.string().describe("stop, or length for a text that is cut or was not ended"),
        usage: z
          .object({ inputTokens: z.int(), outputTokens: z.int() })
          .nullable()
          .describe("What a provider counted; null for a model that runs here."),
        segments: z
          .array(z.object({ start: z.number(), end: z.number(), text: z.string() }))
          .optional()
          .describe("Of a sound that was cut at its pauses: what was said from `start` to `end`, in seconds."),
      }),
    ]),
  )
  .describe("Head → its answer.");
const timing = z.object({
  queueMs: z.number(),
  inferenceMs: z
    .number()
    .describe("Inside the graph, of the group that ran together; a remote model's calls, with waits between them."),
  firstTokenMs: z.number().optional().describe("Until the first piece of a text."),
  totalMs: z.number(),
});
const notes = z
  .array(
    z.object({
      field: z.string(),
      problem: z.string(),
      used: z.string(),
      lookup: z.enum(["unknown", "stale", "null"]).optional().describe("Set where `field` is a lookup step."),
      cut: z.literal(true).optional().describe("Set where only the beginning of a text was read."),
    }),
  )
  .optional()
  .describe(
    "Fields that a placeholder took the place of, texts that were cut and features that were missing, and why; absent without any.",
  );
const reasons = z
  .array(
    z.union([
      z.object({ rule: z.string(), reason: z.string().optional() }),
      z.object({
        feature: z.string(),
        value: z.union([z.string(), z.number(), z.boolean(), z.null()]).optional(),
        contribution: z.number().describe("What it adds to the result of the trees, in their own unit."),
      }),
    ]),
  )
  .optional()
  .describe(
    "The rules beside the model that fired, with the reasons they give, then the features that add or take most, where the model gives them; absent without either.",
  );
const predictionId = z
  .string()
  .optional()
  .describe(
    "What /feedback takes a true label for; row i of a batch is ID:i. Absent where none is taken, and for an answer from the cache.",
  );
const prediction = z.object({
  model: z.string(),
  version: z.string(),
  predictionId,
  heads,
  reasons,
  notes,
  timing,
});
const predictions = z.object({
  model: z.string(),
  version: z.string(),
  predictionId,
  rows: z.int(),
  failed: z.int(),
  predictions: z.array(z.union([z.object({ heads, reasons, notes }), z.object({ error: problem })])),
  timing,
});

const json = (schema: object, description: string) => ({ description, content: { "application/json": { schema } } });
const refer = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const failure = (description: string) => ({
  description,
  content: { "application/problem+json": { schema: refer("Problem") } },
});
const failures = {
  "400": failure("Not JSON, or a bad header"),
  "401": failure("No valid API key, where keys are asked for"),
  "413": failure("Body or rows beyond the limit"),
  "415": failure("Not application/json, nor a file that the model reads"),
  "422": failure("The row cannot be used; `errors` names the fields"),
  "429": failure("Rate limit; Retry-After"),
  "502": failure("A remote model failed"),
  "503": failure(
    "Queue full, the model is not ready, or a remote model is busy, not configured or given a rest; Retry-After",
  ),
  "504": failure("Deadline passed"),
};
const timeoutHeader = {
  name: "x-request-timeout-ms",
  in: "header",
  required: false,
  schema: { type: "integer", minimum: 1 },
  description: "Deadline of this request; default: the server's maximum.",
};
const get = (summary: string, description: string, type = "application/json", tag = "Server") => ({
  get: { tags: [tag], summary, responses: { "200": { description, content: { [type]: {} } } } },
});

const EVENTS = `event: token\ndata: {"text":"That"}\n\nevent: token\ndata: {"text":" sounds lovely."}\n\nevent: result\ndata: {"model":"reply","version":"1.0.0","heads":{…},"timing":{…}}\n\n`;

/** OpenAPI 3.1 of this server in its present state, with the row schemas of its models. */
export function openApi(serving: Serving): Record<string, unknown> {
  const paths: Record<string, object> = {
    "/": get("Health line, or the web page for a browser", "The default model's name and version"),
    "/livez": get("Whether the process lives", "It does"),
    "/readyz": {
      get: {
        tags: ["Server"],
        summary: "Whether models answer",
        responses: { "200": { description: "They do" }, "503": { description: "Starting or draining" } },
      },
    },
    "/metrics": get("Prometheus metrics", "Text format", "text/plain"),
    "/models": get("Every model and its state", "Models", "application/json", "Models"),
    "/v2": get("Open Inference Protocol: the server", "Name, version, extensions", "application/json", "v2"),
    "/v2/health/live": get("Open Inference Protocol: liveness", "It lives", "application/json", "v2"),
    "/v2/health/ready": get(
      "Open Inference Protocol: whether all models are ready",
      "They are",
      "application/json",
      "v2",
    ),
    "/model/info": get("The default model", "Its card", "application/json", "Models"),
  };
  const schemas: Record<string, object> = {
    Problem: schemaOf(problem),
    Prediction: schemaOf(prediction),
    Predictions: schemaOf(predictions),
    LiveCounts: schemaOf(liveCounts),
    Feedback: schemaOf(feedbackItem),
    FeedbackResult: schemaOf(feedbackAnswer),
    ...(serving.jobs === null ? {} : jobSchemas()),
    ...(serving.rollout === null ? {} : rolloutSchemas(schemaOf)),
  };
  if (serving.jobs !== null) Object.assign(paths, jobPaths(failures));
  const fallback = serving.registry.defaultSlot();
  for (const slot of serving.registry.slots()) {
    paths[`/models/${slot.id}`] = get(
      `Card of ${slot.id}`,
      "Inputs, outputs, sha256, engine, batching, cost, gate",
      "application/json",
      slot.id,
    );
    if (slot.state.kind !== "ready") continue;
    const card = slot.state.model.card() as {
      input?: { schema: Record<string, unknown>; examples: object[] };
      description?: string;
    };
    const name = `Row.${slot.id}`;
    const { $schema: _, ...row } = card.input?.schema ?? {};
    schemas[name] = row;
    const { response } = slot.state.model;
    // A model's own JSON is the default answer; the standard one is sent when asked for.
    if (response !== undefined) {
      const own = {
        ...response.schema,
        properties: {
          ...(response.schema as { properties: object }).properties,
          reasons: schemaOf(reasons.unwrap()),
          notes: schemaOf(notes.unwrap()),
        },
      };
      schemas[`Answer.${slot.id}`] = own;
      schemas[`Answers.${slot.id}`] = {
        ...schemas["Predictions"],
        properties: {
          ...(schemas["Predictions"] as { properties: object }).properties,
          predictions: {
            type: "array",
            items: {
              anyOf: [
                refer(`Answer.${slot.id}`),
                { type: "object", required: ["error"], properties: { error: refer("Problem") } },
              ],
            },
          },
        },
      };
    }
    const operation = (summary: string, body: object, example: unknown, answer: string) => ({
      post: {
        tags: [slot.id],
        summary,
        parameters: [timeoutHeader],
        requestBody: {
          required: true,
          content: { "application/json": { schema: body, ...(example === undefined ? {} : { example }) } },
        },
        responses: {
          "200":
            response === undefined
              ? json(refer(answer), "Answer")
              : {
                  description: "Answer",
                  content: {
                    "application/json": {
                      schema: refer(answer === "Prediction" ? `Answer.${slot.id}` : `Answers.${slot.id}`),
                    },
                    [STANDARD_ANSWER]: { schema: refer(answer) },
                  },
                },
          ...failures,
        },
      },
    });
    const examples = card.input?.examples ?? [];
    const one = operation(`Predict with ${slot.id}`, refer(name), examples[0], "Prediction");
    Object.assign(one.post.responses["200"].content, {
      "text/event-stream": { schema: { type: "string" }, example: EVENTS },
    });
    Object.assign(one.post.requestBody.content, fileContent(slot.state.model));
    paths[`/models/${slot.id}/predict`] = one;
    paths[`/models/${slot.id}/predict/stream`] = {
      post: {
        ...one.post,
        summary: `Predict with ${slot.id}, its text piece by piece`,
        responses: {
          ...one.post.responses,
          "200": {
            description: "Events",
            content: { "text/event-stream": { schema: { type: "string" }, example: EVENTS } },
          },
        },
      },
    };
    paths[`/models/${slot.id}/predict/batch`] = operation(
      `Predict many rows with ${slot.id}; order is kept`,
      {
        type: "object",
        required: ["rows"],
        properties: {
          rows: {
            type: "array",
            minItems: 1,
            maxItems: Math.min(serving.settings.maxRows, slot.state.model.maxRows ?? Infinity),
            items: refer(name),
          },
        },
      },
      examples.length === 0 ? undefined : { rows: examples },
      "Predictions",
    );
    if (slot.state.model.speech !== undefined) paths[`/models/${slot.id}/stream`] = streamPath(slot.id);
    if (slot.state.model.watch !== null) Object.assign(paths, watchPaths(slot.id));
    if (serving.jobs !== null && slot.state.model.jobs?.enabled !== false)
      Object.assign(paths, newJobPaths(slot.id, failures));
    if (serving.rollout?.model === slot.id) Object.assign(paths, rolloutPaths(slot.id));
    if (slot.state.model.tensors !== null) Object.assign(paths, v2Paths(slot.id));
    if (slot === fallback)
      paths["/predict"] = { post: { ...one.post, summary: `Predict with the default model, ${slot.id}` } };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Sluice inference server",
      version: serving.version,
      description: "Serves models exactly as they were measured. Open Inference Protocol v2 is under /v2.",
    },
    servers: [{ url: "/" }],
    ...(serving.keys === null ? {} : { security: [{ bearer: [] }] }),
    paths,
    components: {
      schemas,
      ...(serving.keys === null ? {} : { securitySchemes: { bearer: { type: "http", scheme: "bearer" } } }),
    },
  };
}

const feedbackAnswer = z.object({
  result: z.enum(["recorded", "repeated"]).describe("repeated: the same was there already, and nothing changed."),
});

/** A WebSocket, as far as OpenAPI can say it. */
const streamPath = (id: string): object => ({
  get: {
    tags: [id],
    summary: `Speech to ${id} while it is spoken: a WebSocket`,
    description:
      'Binary frames of samples in, and {"type":"end"}; JSON events out: ready, partial, final, result, error. See docs/audio.md.',
    parameters: [
      {
        name: "rate",
        in: "query",
        required: false,
        schema: { type: "integer", minimum: 8000, maximum: 48_000 },
        description: "Samples a second; default: the model's.",
      },
      { name: "format", in: "query", required: false, schema: { enum: pcmFormats, default: "s16le" } },
    ],
    responses: { "101": { description: "The stream" }, ...failures, "426": failure("Not a WebSocket") },
  },
});

/** What is counted of a model, and the true labels that it takes. */
function watchPaths(id: string): Record<string, object> {
  return {
    [`/models/${id}/watch`]: {
      get: {
        tags: [id],
        summary: `What ${id} saw and answered, as counts by hour; never an input`,
        parameters: [
          {
            name: "hours",
            in: "query",
            required: false,
            schema: { type: "integer", minimum: 1, maximum: 336 },
            description: "Only the last hours; default: all that are kept, two weeks.",
          },
        ],
        responses: { "200": json(refer("LiveCounts"), "Counts since the start"), "401": failures["401"] },
      },
    },
    [`/models/${id}/feedback`]: {
      post: {
        tags: [id],
        summary: `The true label of an answer of ${id}, or a business event about it`,
        requestBody: {
          required: true,
          content: {
            "application/json": {
              schema: {
                anyOf: [
                  refer("Feedback"),
                  {
                    type: "object",
                    required: ["feedback"],
                    properties: {
                      feedback: { type: "array", minItems: 1, maxItems: 1000, items: refer("Feedback") },
                    },
                  },
                ],
              },
            },
          },
        },
        responses: {
          "200": json(refer("FeedbackResult"), "Recorded, or repeated; of many, how many and the result of each"),
          "401": failures["401"],
          "404": failure("No such prediction is remembered: too old, of another instance, or from before a restart"),
          "409": failure("The prediction has another label, or the model takes none"),
          "422": failure("Not a label of the head, or not of this form"),
          "429": failures["429"],
        },
      },
    },
  };
}

/** The Open Inference Protocol's paths of one model; its published specification describes their bodies. */
function v2Paths(id: string): Record<string, object> {
  return {
    [`/v2/models/${id}`]: get(`Tensors of ${id}`, "Names, types and shapes of the graph", "application/json", "v2"),
    [`/v2/models/${id}/ready`]: get(`Whether ${id} is ready`, "It is", "application/json", "v2"),
    [`/v2/models/${id}/infer`]: {
      post: {
        tags: ["v2"],
        summary: `Infer with the tensors of ${id}`,
        parameters: [timeoutHeader],
        requestBody: {
          required: true,
          content: {
            "application/json": { schema: { type: "object", required: ["inputs"] } },
            "application/octet-stream": {},
          },
        },
        responses: {
          "200": { description: "Output tensors", content: { "application/json": {}, "application/octet-stream": {} } },
          "400": { description: 'Refused: {"error": …}' },
        },
      },
    },
  };
}

function schemaOf(schema: z.ZodType): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema);
  return rest;
}
