import { Transform, type Readable } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import type { FastifyRequest, preParsingAsyncHookHandler } from "fastify";
import { Problem } from "./problem.ts";

const decoders: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  "x-gzip": createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

/**
 * Decodes compressed bodies before they are parsed. The limit counts decoded bytes, so a small body that unpacks to a
 * large one is refused as soon as it exceeds the limit.
 */
export function decodeBody(maxBytes: number): preParsingAsyncHookHandler {
  return async (request: FastifyRequest, _reply, payload) => {
    const encoding = request.headers["content-encoding"]?.trim().toLowerCase();
    if (encoding === undefined || encoding === "" || encoding === "identity") return payload;
    const decoder = decoders[encoding];
    if (decoder === undefined)
      throw new Problem(415, "content-encoding", `Content-Encoding ${encoding.slice(0, 40)} is not decoded here`, {
        headers: { "accept-encoding": Object.keys(decoders).join(", ") },
      });
    return decoded(payload as Readable, decoder(), maxBytes);
  };
}

/** Fastify compares `receivedEncodedLength` with Content-Length. */
type Counted = Transform & { receivedEncodedLength: number };

function decoded(payload: Readable, decoder: Transform, maxBytes: number): Counted {
  let bytes = 0;
  const bounded = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      done(
        bytes > maxBytes ? new Problem(413, "body-too-large", `the decoded body exceeds ${maxBytes} bytes`) : null,
        chunk,
      );
    },
  }) as Counted;
  bounded.receivedEncodedLength = 0;
  payload.on("data", (chunk: Buffer) => {
    bounded.receivedEncodedLength += chunk.length;
  });
  payload.on("error", (error) => bounded.destroy(error));
  decoder.on("error", () => bounded.destroy(new Problem(400, "content-encoding", "the body cannot be decoded")));
  bounded.on("error", () => {
    payload.unpipe(decoder);
    payload.resume();
    decoder.destroy();
  });
  payload.pipe(decoder).pipe(bounded);
  return bounded;
}
