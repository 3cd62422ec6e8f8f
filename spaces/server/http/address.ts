import { isIP } from "node:net";
import type { FastifyRequest } from "fastify";

/** The client's address. What a header says in place of an address is not one. */
export const addressOf = (request: FastifyRequest): string =>
  isIP(request.ip) === 0 ? (request.socket.remoteAddress ?? "unknown") : request.ip;
