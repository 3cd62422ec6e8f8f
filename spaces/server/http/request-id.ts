import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";

const REQUEST_ID = /^[\w.:/+=-]{1,128}$/;

/** The client's `x-request-id` when it is a plain token, else one of our own: random per process, counted within it. */
export function requestIds(): (raw: Pick<IncomingMessage, "headers">) => string {
  const prefix = randomBytes(6).toString("hex");
  let sequence = 0;
  return (raw) => {
    const given = raw.headers["x-request-id"];
    return typeof given === "string" && REQUEST_ID.test(given) ? given : `${prefix}-${sequence++}`;
  };
}
