import type { IncomingMessage } from "node:http";

const maxBytes = 32 * 1024 * 1024;
const maxMs = 5_000;

/**
 * Reads what a client still sends and forgets it, within bounds. A client that is writing when the connection closes
 * sees a broken pipe, and never the answer that says why.
 */
export async function drainBody(request: IncomingMessage): Promise<void> {
  if (request.complete || request.destroyed) return;
  await new Promise<void>((resolve) => {
    let bytes = 0;
    const timer = setTimeout(end, maxMs);
    const count = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maxBytes) end();
    };
    function end() {
      clearTimeout(timer);
      request.off("data", count).off("end", end).off("close", end);
      resolve();
    }
    request.on("data", count).once("end", end).once("close", end);
    request.resume();
  });
}
