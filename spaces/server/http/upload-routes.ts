import type { Readable } from "node:stream";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { UploadView } from "../jobs/job.ts";
import type { Jobs } from "../jobs/open-jobs.ts";
import type { Asker } from "../jobs/service.ts";
import { askerOf } from "./asker.ts";
import type { Serving } from "./context.ts";
import { Problem } from "./problem.ts";
import { metadataOf, wholeNumber } from "./tus-headers.ts";

type ById = { Params: { id: string } };

const VERSION = "1.0.0";
const BYTES = "application/offset+octet-stream";
/** So much is collected before it is kept. An upload that is cut off loses at most what the network lost. */
const PIECE_BYTES = 512 * 1024;

/**
 * Resumable uploads by the tus protocol 1.0.0 (https://tus.io/protocols/resumable-upload): OPTIONS and POST /uploads,
 * HEAD, PATCH and DELETE /uploads/{id}; with its extensions creation, creation-with-upload, expiration and termination.
 */
export async function uploadRoutes(app: FastifyInstance, serving: Serving, guarded: object): Promise<void> {
  const { jobs, settings } = serving;
  if (jobs === null) return;
  const maxSize = Math.min(settings.jobsOwnerBytes, settings.jobsMaxBytes);
  await app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    // Read piece by piece, never whole.
    scope.addContentTypeParser("*", (_request, payload, done) => done(null, payload));
    scope.addHook("onRequest", (request, reply, done) => {
      void reply.headers({ "tus-resumable": VERSION, "cache-control": "no-store" });
      if (request.method === "OPTIONS" || request.headers["tus-resumable"] === VERSION) return done();
      done(
        new Problem(412, "tus-version", `uploads go by the tus protocol: Tus-Resumable: ${VERSION} is missing`, {
          headers: { "tus-version": VERSION },
        }),
      );
    });

    scope.options("/uploads", (_request, reply) =>
      reply
        .code(204)
        .headers({
          "tus-version": VERSION,
          "tus-extension": "creation,creation-with-upload,expiration,termination",
          "tus-max-size": String(maxSize),
        })
        .send(),
    );

    scope.post("/uploads", guarded, async (request, reply) => {
      const size = wholeNumber(request.headers["upload-length"]);
      if (size === null || size === 0)
        throw new Problem(400, "upload-length", "Upload-Length is not a number of bytes of at least 1", {
          errors: [{ field: "Upload-Length", problem: "not a number of bytes", expected: `1 to ${maxSize}` }],
        });
      if (size > maxSize)
        throw new Problem(413, "upload-too-large", `${size} bytes; an upload may have ${maxSize}`, {
          headers: { "tus-max-size": String(maxSize) },
        });
      const metadata = metadataOf(request.headers["upload-metadata"]);
      if (metadata === null)
        throw new Problem(400, "upload-metadata", "Upload-Metadata is not a list of names with base64 values", {
          errors: [{ field: "Upload-Metadata", problem: "not readable", expected: "filename cm93cy5jc3Y=" }],
        });
      const open = await jobs.get();
      const asker = askerOf(serving, request);
      const upload = await open.createUpload(asker, {
        size,
        name: metadata["filename"] ?? metadata["name"] ?? null,
        contentType: metadata["filetype"] ?? metadata["type"] ?? null,
      });
      void reply.code(201).headers({ location: `/uploads/${upload.id}`, "upload-expires": expiryOf(upload) });
      if (request.headers["content-type"] !== BYTES) return reply.send();
      const offset = await append(open, asker, upload.id, 0, request);
      return reply.header("upload-offset", String(offset)).send();
    });

    scope.head<ById>("/uploads/:id", guarded, async (request, reply) => {
      const upload = await (await jobs.get()).upload(askerOf(serving, request), request.params.id);
      return reply
        .code(200)
        .headers({
          "upload-offset": String(upload.received),
          "upload-length": String(upload.size),
          "upload-expires": expiryOf(upload),
        })
        .send();
    });

    scope.patch<ById>("/uploads/:id", guarded, async (request, reply) => {
      if (request.headers["content-type"] !== BYTES)
        throw new Problem(415, "media-type", `the bytes of an upload come with Content-Type: ${BYTES}`);
      const offset = wholeNumber(request.headers["upload-offset"]);
      if (offset === null)
        throw new Problem(400, "upload-offset", "Upload-Offset is not a number of bytes", {
          errors: [{ field: "Upload-Offset", problem: "not a number of bytes", expected: "what HEAD answers" }],
        });
      const open = await jobs.get();
      const asker = askerOf(serving, request);
      const upload = await open.upload(asker, request.params.id);
      if (upload.received !== offset)
        throw new Problem(409, "upload-offset", `the upload goes on at ${upload.received}, not at ${offset}`);
      const received = await append(open, asker, upload.id, offset, request);
      return reply
        .code(204)
        .headers({ "upload-offset": String(received), "upload-expires": expiryOf(upload) })
        .send();
    });

    scope.delete<ById>("/uploads/:id", guarded, async (request, reply: FastifyReply) => {
      await (await jobs.get()).deleteUpload(askerOf(serving, request), request.params.id);
      return reply.code(204).send();
    });
  });
}

const expiryOf = ({ expires }: UploadView) => new Date(expires).toUTCString();

/**
 * Keeps the bytes of a request, a piece at a time: the next one is read from the network when this one is kept. What
 * came before a connection broke is kept too.
 */
async function append(jobs: Jobs, asker: Asker, id: string, offset: number, request: FastifyRequest): Promise<number> {
  let at = offset;
  let pieces: Buffer[] = [];
  let bytes = 0;
  const keep = async () => {
    if (bytes === 0) return;
    const piece = Buffer.concat(pieces);
    pieces = [];
    bytes = 0;
    at = await jobs.append(asker, id, at, piece);
  };
  try {
    for await (const chunk of request.body as Readable as AsyncIterable<Buffer>) {
      pieces.push(chunk);
      bytes += chunk.length;
      if (bytes >= PIECE_BYTES) await keep();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ECONNRESET" && request.raw.complete) throw error;
    await keep();
    throw new Problem(499, "cancelled", "the connection ended before the bytes did");
  }
  await keep();
  return at;
}
