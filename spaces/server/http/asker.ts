import { createHash } from "node:crypto";
import type { FastifyRequest } from "fastify";
import type { Asker } from "../jobs/service.ts";
import { addressOf } from "./address.ts";
import type { Serving } from "./context.ts";
import { keyOf } from "./keys.ts";

/**
 * Who asks for jobs and uploads: the API key, as a hash of it. Without keys, whoever has the address of a job may read
 * it, and only the limits are counted by the client's address.
 */
export function askerOf(serving: Pick<Serving, "keys">, request: FastifyRequest): Asker {
  const anyones = serving.keys === null;
  const identity = anyones ? `address ${addressOf(request)}` : `key ${keyOf(request.headers) ?? ""}`;
  return { owner: createHash("sha256").update(`sluice job owner: ${identity}`).digest("base64url"), anyones };
}
