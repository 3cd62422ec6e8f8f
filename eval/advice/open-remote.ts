import { RowError } from "../../models/core/row.ts";
import { RemoteFailure } from "../../models/remote/failure.ts";
import type { RemoteEvents } from "../../models/remote/model.ts";
import { openRemote } from "../../models/remote/open.ts";
import type { AskRemote, OpenRemote } from "./advise.ts";

const silent: RemoteEvents = { answered() {}, retried() {}, circuit() {} };

/** Opens remote models for the gate with the same client, time limit, retries and circuit breaker that serve them. */
export function openRemoteWith(deps: { env: NodeJS.ProcessEnv; fetch: typeof fetch }): OpenRemote {
  return async ({ manifest }) => {
    const model = openRemote(manifest, silent, deps);
    if (model.missing !== null) return { missing: `${model.missing.problem}; set ${model.missing.expected}` };
    const ask: AskRemote = async (row) => {
      const askedAt = performance.now();
      try {
        // The manifest's own time limit bounds the wait.
        const pieces = model.ask(model.prepare(row), { deadlineAt: Infinity, row, unseen: true });
        let step = await pieces.next();
        while (!step.done) step = await pieces.next();
        const { text, finishReason, usage, firstTokenMs } = step.value;
        const answerMs = performance.now() - askedAt;
        return { ok: true, text, cut: finishReason === "length", firstWordsMs: firstTokenMs, answerMs, usage };
      } catch (error) {
        const answerMs = performance.now() - askedAt;
        if (error instanceof RowError) return { ok: false, reason: error.code, answerMs };
        if (error instanceof RemoteFailure) return { ok: false, reason: error.reason, answerMs };
        throw error;
      }
    };
    return { ask, close: async () => {} };
  };
}
