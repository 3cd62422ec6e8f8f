import type { AskRemote, OpenRemote } from "../eval/advice/advise.ts";
import { loadRemoteModel, type RemoteEvents } from "../spaces/server/remote/remote-model.ts";
import { Refused } from "../spaces/server/scheduling/refused.ts";

const silent: RemoteEvents = { waited() {}, answered() {}, retried() {}, circuit() {} };

/** Remote models as the gate asks them: with the very client, deadline, retries and circuit breaker that serve them. */
export function openRemoteWith(deps: { env: NodeJS.ProcessEnv; fetch: typeof fetch }): OpenRemote {
  return async (loaded) => {
    const model = await loadRemoteModel(loaded, silent, deps);
    const { diagnostic } = model.condition();
    if (diagnostic !== null) {
      await model.close();
      return { missing: `${diagnostic.problem}; set ${diagnostic.expected}` };
    }
    const ask: AskRemote = async (row) => {
      const askedAt = performance.now();
      try {
        // The manifest's own time limit comes first: this one is for turns that never come.
        const { outcome, timing } = await model.predict(row, {
          deadlineAt: askedAt + 2 * loaded.manifest.limits.timeoutMs,
        });
        const answerMs = performance.now() - askedAt;
        if (!outcome.ok) return { ok: false, reason: outcome.diagnostic.code, answerMs };
        const head = outcome.heads[loaded.manifest.head];
        if (head?.kind !== "text") return { ok: false, reason: "no-text", answerMs };
        return {
          ok: true,
          text: head.text,
          cut: head.finishReason === "length",
          firstWordsMs: timing.queueMs + (timing.firstTokenMs ?? timing.inferenceMs),
          answerMs,
          usage: head.usage,
        };
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        return { ok: false, reason: error.reason, answerMs: performance.now() - askedAt };
      }
    };
    return { ask, close: () => model.close() };
  };
}
