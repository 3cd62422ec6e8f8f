import type { IncomingHttpHeaders } from "node:http";
import type { Serving } from "./context.ts";

/** W3C Trace Context, section 3.2. */
const TRACEPARENT = /^[\da-f]{2}-([\da-f]{32})-[\da-f]{16}-[\da-f]{2}$/;

export type Finished = {
  id: string;
  method: string;
  route: string;
  status: number;
  startedAt: number;
  model: string | null;
  key: string | null;
  headers: IncomingHttpHeaders;
  responseBytes: number;
};

/** Counts a finished request in the metrics and logs it, without any of its content. */
export function logAccess({ metrics, log }: Pick<Serving, "metrics" | "log">, done: Finished): void {
  metrics.ended();
  const ms = performance.now() - done.startedAt;
  metrics.request({
    route: done.route,
    method: done.method,
    status: done.status,
    model: done.model,
    seconds: ms / 1000,
    requestBytes: Number(done.headers["content-length"] ?? 0) || 0,
    responseBytes: done.responseBytes,
  });
  if (!log.isLevelEnabled("info")) return;
  const { traceparent } = done.headers;
  const traceId = typeof traceparent === "string" ? TRACEPARENT.exec(traceparent)?.[1] : undefined;
  log.info(
    {
      requestId: done.id,
      method: done.method,
      route: done.route,
      status: done.status,
      durationMs: Math.round(ms * 1000) / 1000,
      ...(done.model === null ? {} : { model: done.model }),
      ...(done.key === null ? {} : { key: done.key }),
      ...(traceId === undefined ? {} : { traceId, traceparent }),
    },
    "request",
  );
}
