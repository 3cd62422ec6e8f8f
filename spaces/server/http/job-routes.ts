import { Readable } from "node:stream";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { fieldPath } from "../../../models/core/field-path.ts";
import { hasEnded, jobFormats, jobRequest, type JobFormat } from "../jobs/job.ts";

import { askerOf } from "./asker.ts";
import { ClientDisconnect } from "../scheduling/client-disconnect.ts";
import { readyModel, type Serving } from "./context.ts";
import { jobEvents } from "./job-events.ts";
import { parseJson } from "./json-body.ts";
import { Problem } from "./problem.ts";

type ById = { Params: { id: string } };
type Queried = ById & { Querystring: Record<string, string | undefined> };

const MAX_STREAMS = 200;
const MAX_STREAMS_OF_ONE = 20;
const MAX_NAME = 200;

/**
 * POST /models/{id}/jobs, GET /jobs, GET and DELETE /jobs/{id}, GET /jobs/{id}/events and /jobs/{id}/result.
 *
 * The input of a new job is a file as the body, or JSON that holds rows or names an upload.
 */
export async function jobRoutes(app: FastifyInstance, serving: Serving, guarded: object): Promise<void> {
  const { jobs } = serving;
  if (jobs === null) return;
  await app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser<Buffer>(["application/json"], { parseAs: "buffer" }, (_request, body, done) => {
      try {
        done(null, parseJson(body));
      } catch (error) {
        done(error as Error);
      }
    });
    scope.addContentTypeParser<Buffer>("*", { parseAs: "buffer" }, (_request, body, done) =>
      body.length === 0
        ? done(new Problem(400, "empty-body", "the body is empty; a file was announced"))
        : done(null, body),
    );

    scope.post<Queried>("/models/:id/jobs", guarded, async (request, reply) => {
      const model = readyModel(serving.registry.find(request.params.id), request.params.id);
      request.modelId = model.id;
      const asker = askerOf(serving, request);
      const open = await jobs.get();
      const job = Buffer.isBuffer(request.body)
        ? await open.submitFile(asker, { model: model.id, bytes: request.body, ...fileFacts(request) })
        : await open.submit(asker, { model: model.id, request: requestOf(request.body) });
      return reply.code(202).headers({ location: job.links.self, "cache-control": "no-store" }).send(job);
    });

    scope.get("/jobs", guarded, async (request, reply) => {
      void reply.header("cache-control", "no-store");
      return (await jobs.get()).list(askerOf(serving, request));
    });
    scope.get<ById>("/jobs/:id", guarded, async (request, reply) => {
      void reply.header("cache-control", "no-store");
      return (await jobs.get()).job(askerOf(serving, request), request.params.id);
    });
    scope.delete<ById>("/jobs/:id", guarded, async (request, reply) => {
      const cancelled = await (await jobs.get()).remove(askerOf(serving, request), request.params.id);
      return cancelled === null ? reply.code(204).send() : reply.code(200).send(cancelled);
    });

    scope.get<Queried>("/jobs/:id/result", { ...guarded, exposeHeadRoute: false }, async (request, reply) => {
      const format = resultFormat(request);
      const partial = request.query["partial"] === "true";
      const asker = askerOf(serving, request);
      const { id } = request.params;
      const open = await jobs.get();
      const first = await open.result(asker, id, { format, from: 0, partial });
      async function* pieces() {
        for (let piece = first; ;) {
          if (piece.data.length > 0) yield piece.data;
          if (piece.next === null) return;
          piece = await open.result(asker, id, { format, from: piece.next, partial });
        }
      }
      return reply
        .headers({
          "content-type": format === "csv" ? "text/csv; charset=utf-8" : "application/x-ndjson",
          "content-disposition": `attachment; filename="${id.slice(0, 12)}.${format}"`,
          "cache-control": "no-store",
          vary: "Accept",
        })
        .send(Readable.from(pieces(), { objectMode: false }));
    });

    const streams = new Map<string, number>();
    let all = 0;
    scope.get<ById>("/jobs/:id/events", { ...guarded, exposeHeadRoute: false }, async (request, reply) => {
      const asker = askerOf(serving, request);
      const open = await jobs.get();
      const job = await open.job(asker, request.params.id);
      const since = sinceOf(request);
      // To a client that has seen the end this says: do not come back.
      if (hasEnded(job.state) && job.revision <= since) return reply.code(204).send();
      const mine = streams.get(asker.owner) ?? 0;
      if (all >= MAX_STREAMS || mine >= MAX_STREAMS_OF_ONE)
        throw new Problem(429, "too-many-streams", `at most ${MAX_STREAMS_OF_ONE} streams of events at a time`, {
          headers: { "retry-after": "5" },
        });
      const disconnect = ClientDisconnect.of(reply.raw);
      const sleepers = new Set<() => void>();
      disconnect.onAborted(() => {
        for (const end of sleepers) end();
      });
      const events = jobEvents(open, asker, job, since, {
        going: () => !disconnect.aborted && !serving.lifecycle.draining,
        now: () => performance.now(),
        sleep: (ms) => pause(ms, sleepers, () => disconnect.aborted || serving.lifecycle.draining),
      });
      all += 1;
      streams.set(asker.owner, mine + 1);
      async function* counted() {
        try {
          yield* events;
        } finally {
          all -= 1;
          const left = streams.get(asker.owner)! - 1;
          if (left === 0) streams.delete(asker.owner);
          else streams.set(asker.owner, left);
        }
      }
      // `x-accel-buffering: no`: a proxy that buffers would deliver all events at once, at the end.
      return reply
        .headers({ "content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no" })
        .send(Readable.from(counted()));
    });
  });
}

/** How often a pause looks whether the server is stopping, so that streams do not hold it up. */
const LOOK_MS = 250;

function pause(ms: number, sleepers: Set<() => void>, over: () => boolean): { done: Promise<void>; wake: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const looking = setInterval(() => over() && wake(), LOOK_MS);
  const timer = setTimeout(() => wake(), ms);
  const wake = () => {
    clearTimeout(timer);
    clearInterval(looking);
    sleepers.delete(wake);
    resolve();
  };
  sleepers.add(wake);
  if (over()) wake();
  return { done: promise, wake };
}

/** @throws Problem 422 naming the first wrong place */
function requestOf(body: unknown) {
  const parsed = jobRequest.safeParse(body);
  if (parsed.success) return parsed.data;
  const expected = '{"upload": ID}, {"rows": [ROW, …]} or {"row": ROW}';
  const given = typeof body === "object" && body !== null ? Object.keys(body) : [];
  const way = ["upload", "rows", "row"].find((name) => given.includes(name));
  // Of the three forms, the one that is meant says what is wrong.
  const issue =
    parsed.error.issues[0]?.code === "invalid_union"
      ? parsed.error.issues[0].errors[way === "rows" ? 2 : way === "row" ? 1 : 0]?.[0]
      : parsed.error.issues[0];
  const field = way === undefined ? "" : fieldPath(issue?.path ?? []);
  const problem = way === undefined ? "no input" : (issue?.message ?? "not usable");
  throw new Problem(422, "bad-job", field === "" ? problem : `${field}: ${problem}`, {
    errors: [{ field, problem, expected }],
  });
}

/** @throws Problem 400 */
function fileFacts(request: FastifyRequest<Queried>) {
  const { format, idField = "id", field, name } = request.query;
  const wrong = (parameter: string, expected: string) =>
    new Problem(400, "bad-query", `${parameter} is not usable`, {
      errors: [{ field: parameter, problem: "not usable", expected }],
    });
  if (format !== undefined && !(jobFormats as readonly unknown[]).includes(format))
    throw wrong("format", `one of ${jobFormats.join(", ")}`);
  for (const [parameter, value] of Object.entries({ idField, field, name }))
    if (value !== undefined && (typeof value !== "string" || value === "" || value.length > MAX_NAME))
      throw wrong(parameter, `a name of 1 to ${MAX_NAME} characters`);
  const contentType = request.headers["content-type"] ?? "application/octet-stream";
  if (/^multipart\//i.test(contentType))
    throw new Problem(415, "media-type", "a form is not read here; send the file itself as the body", {
      errors: [{ field: "", problem: "a form", expected: "the file as the body, with its Content-Type" }],
    });
  return {
    contentType: contentType.slice(0, MAX_NAME),
    format: (format as JobFormat | undefined) ?? null,
    idField,
    field: field ?? null,
    name: name ?? null,
  };
}

/** @throws Problem 400, 406 */
function resultFormat(request: FastifyRequest<Queried>): "jsonl" | "csv" {
  const { format } = request.query;
  if (format === "jsonl" || format === "csv") return format;
  if (format !== undefined)
    throw new Problem(400, "bad-query", "format is not usable", {
      errors: [{ field: "format", problem: "not a format of results", expected: "jsonl or csv" }],
    });
  return /\btext\/csv\b/.test(request.headers.accept ?? "") ? "csv" : "jsonl";
}

/** The revision that a client has seen; 0 for none. What is not a number is none. */
function sinceOf(request: FastifyRequest): number {
  const given = request.headers["last-event-id"];
  return typeof given === "string" && /^\d{1,15}$/.test(given) ? Number(given) : 0;
}
