import type { HttpDeps } from "./http.ts";
import type { Space } from "./space.ts";

/** A log that is read while it grows. `stop` stops reading and returns the lines so far. */
export type LogStream = { stop: () => Promise<string[]> };

const maxLines = 2000;
/** The log is given up after this many broken connections. A deployment never depends on a log. */
const maxConnections = 3;

/**
 * Follows one of the Space's logs: server-sent events, `data: {"data", "timestamp"}`. A log that may not be read (401,
 * 403) or that breaks is noted once and left alone.
 *
 * @param onLine called with every line as it arrives
 */
export function followLog(
  space: Space,
  kind: "build" | "run",
  deps: HttpDeps,
  onLine: (line: string) => void,
): LogStream {
  const ended = new AbortController();
  const lines: string[] = [];
  const signal = AbortSignal.any([deps.signal, ended.signal]);
  const running = (async () => {
    for (let attempt = 1; attempt <= maxConnections && !signal.aborted; attempt += 1) {
      try {
        const token = await space.token();
        const response = await deps.fetch(space.logUrl(kind), {
          headers: {
            accept: "text/event-stream",
            "user-agent": "sluice-deploy",
            ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          },
          signal,
        });
        if (!response.ok || response.body === null) {
          await response.body?.cancel();
          if (response.status !== 429 && response.status < 500) {
            deps.note(`the ${kind} log cannot be read (${response.status})`);
            return;
          }
        } else {
          await read(
            response.body,
            (line) => {
              if (lines.length < maxLines) lines.push(line);
              onLine(line);
            },
            lines.length,
          );
          return;
        }
      } catch {
        if (signal.aborted) return;
      }
      await deps.sleep(500, signal).catch(() => {});
    }
  })();
  return {
    async stop() {
      ended.abort();
      await running;
      return lines;
    },
  };
}

/**
 * @param skip number of events that earlier connections already delivered, because every connection starts at the log's
 * beginning
 */
async function read(body: ReadableStream<Uint8Array>, onLine: (line: string) => void, skip: number): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  let seen = 0;
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true });
    for (let end = rest.indexOf("\n\n"); end >= 0; end = rest.indexOf("\n\n")) {
      const event = rest.slice(0, end);
      rest = rest.slice(end + 2);
      const data = /^data: ?(.*)$/m.exec(event)?.[1];
      if (data === undefined || seen++ < skip) continue;
      try {
        onLine(String((JSON.parse(data) as { data?: unknown }).data ?? "").trimEnd());
      } catch {
        onLine(data);
      }
    }
  }
}
