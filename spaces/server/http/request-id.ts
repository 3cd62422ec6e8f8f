import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";

const REQUEST_ID = /^[\w.:/+=-]{1,128}$/;

/**
 * The client's `x-request-id` if it is a plain token; otherwise a new id, with a random prefix per process and a
 * counter.
 */
export function requestIds(): (raw: Pick<IncomingMessage, "headers">) => string {
  const prefix = randomBytes(6).toString("hex");
  let sequence = 0;
  return (raw) => {
    const given = raw.headers["x-request-id"];
    return typeof given === "string" && REQUEST_ID.test(given) ? given : `${prefix}-${sequence++}`;
  };
}
