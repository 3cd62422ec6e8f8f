import type { AnswerHead } from "../../../models/core/postprocess/answer-columns.ts";
import { jobSettings } from "../../../models/core/manifest/jobs.ts";
import type { Row } from "../../../models/core/row.ts";
import type { JobModels, RowProblem } from "../jobs/models.ts";
import { createBackground } from "../serving/background.ts";
import { Refused } from "../scheduling/refused.ts";
import type { ServedModel } from "../serving/served-model.ts";
import type { Serving } from "./context.ts";
import { answerRows } from "./predict.ts";
import { Problem } from "./problem.ts";

/** A slice that takes longer is given up; a slow remote model's single answer takes less. */
const SLICE_LIMIT_MS = 600_000;
const BUSY_REASONS = new Set([
  "queue-full",
  "queue-wait",
  "not-ready",
  "not-configured",
  "circuit-open",
  "remote-busy",
]);

/** The server's models as jobs see them: the same path as a request's, behind everybody who waits. */
export function jobModels(serving: Serving): JobModels {
  const ready = (id: string): ServedModel | null => {
    const state = serving.registry.find(id)?.state;
    return state?.kind === "ready" && state.model.condition().state === "ready" ? state.model : null;
  };
  const background = createBackground(
    serving.settings.jobsShare,
    () => serving.registry.slots().flatMap(({ state }) => (state.kind === "ready" ? [state.model.load()] : [])),
    {
      now: () => performance.now(),
      sleep: (ms) =>
        new Promise((resolve) => {
          if (ms === 0) setImmediate(resolve);
          else setTimeout(resolve, ms);
        }),
    },
  );
  return {
    ready: async () =>
      serving.lifecycle.draining ? [] : serving.registry.slots().flatMap(({ id }) => (ready(id) === null ? [] : [id])),
    async facts(id) {
      const model = ready(id);
      if (model === null) return null;
      const card = model.card() as {
        heads?: AnswerHead[];
        input?: { schema?: { properties?: Record<string, unknown> } };
      };
      return {
        version: model.version,
        digest: model.digest,
        fields: structuredClone(card.input?.schema?.properties ?? {}),
        heads: (card.heads ?? []).map(({ name, kind, flag }) => ({
          name,
          kind,
          ...(flag === undefined ? {} : { flag: true }),
        })),
        mediaFields: [...model.imageFields, ...(model.audioFields ?? [])].map(({ name }) => name),
        policy: model.jobs ?? jobSettings.parse({}),
      };
    },
    async predict(id, digest, rows) {
      const answers: string[] = [];
      const problems: RowProblem[] = [];
      try {
        while (answers.length < rows.length) {
          if (serving.lifecycle.draining) return { kind: "busy", code: "draining", retryMs: 0 };
          const model = ready(id);
          if (model === null) return { kind: "busy", code: "not-ready", retryMs: 1000 };
          if (model.digest !== digest) return { kind: "changed" };
          const from = answers.length;
          await background.run(model, async (most) => {
            const slice = rows.slice(from, from + Math.min(most, model.maxRows ?? most));
            const done = await answerRows(
              serving,
              model,
              slice.map((row) => JSON.parse(row) as Row),
              { deadlineAt: performance.now() + SLICE_LIMIT_MS, background: true },
              { placeOf: () => "", write: (answerText) => `{${answerText}}` },
            );
            answers.push(...done.answers);
            for (const [index, { body }] of done.problems)
              problems.push({
                index: from + index,
                status: body.status,
                code: body.code,
                detail: body.detail ?? body.title,
              });
            return slice.length;
          });
        }
        return { kind: "answered", answers, problems };
      } catch (error) {
        if (error instanceof Refused)
          return BUSY_REASONS.has(error.reason)
            ? { kind: "busy", code: error.reason, retryMs: Math.max(100, Math.min(10_000, error.retryAfterMs)) }
            : error.reason === "draining"
              ? { kind: "busy", code: serving.lifecycle.draining ? "draining" : "replaced", retryMs: 100 }
              : { kind: "failed", code: error.reason, detail: error.message };
        if (error instanceof Problem)
          return { kind: "failed", code: error.body.code, detail: error.body.detail ?? error.body.title };
        return { kind: "failed", code: (error as { code?: string }).code ?? "internal", detail: "the model failed" };
      }
    },
  };
}
