import { retryAfterMs } from "../core/retry-after.ts";
import { CallError } from "./call-error.ts";

/** No answer within its token limit comes near this size. */
const MAX_BYTES = 8 * 1024 * 1024;

/**
 * A fetch that follows no redirect, turns every status but a success into a CallError, and ends an answer that is too
 * large. Only 408, 425, 429 and those from 500 may succeed when they are asked again.
 */
export function checkedFetch(deps: { fetch: typeof fetch }): typeof fetch {
  return async (url, init) => {
    const response = await deps.fetch(url, { ...init, redirect: "error" });
    if (response.ok) return bounded(response);
    await response.body?.cancel().catch(() => {});
    throw new CallError(`the provider answers ${response.status}`, {
      status: response.status,
      retryAfterMs: retryAfterMs(response.headers.get("retry-after"), Date.now()),
      transient: [408, 425, 429].includes(response.status) || response.status >= 500,
    });
  };
}

function bounded(response: Response): Response {
  let left = MAX_BYTES;
  const limit = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      left -= chunk.length;
      if (left < 0)
        controller.error(new CallError(`the provider's answer has more than ${MAX_BYTES} bytes`, { transient: false }));
      else controller.enqueue(chunk);
    },
  });
  return new Response(response.body?.pipeThrough(limit) ?? null, {
    status: response.status,
    headers: response.headers,
  });
}
