import type { FastifyError } from "fastify";
import { EvaluationError } from "../../../models/core/errors.ts";
import { JobRefused } from "../jobs/refusal.ts";
import { Refused } from "../scheduling/refused.ts";
import type { Serving } from "./context.ts";
import { Problem, refusalProblem } from "./problem.ts";
import type { ProblemCode } from "./problem-types.ts";

const FASTIFY_CODES: Record<string, [status: number, code: ProblemCode]> = {
  FST_ERR_CTP_BODY_TOO_LARGE: [413, "body-too-large"],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [415, "media-type"],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [400, "content-length"],
  FST_ERR_CTP_EMPTY_JSON_BODY: [400, "empty-body"],
  FST_ERR_BAD_URL: [400, "bad-url"],
  FST_ERR_MAX_PARAM_LENGTH_EXCEEDED: [414, "url-too-long"],
};

/** Turns anything that was thrown into a problem. An unexpected error is logged in full; the client sees none of it. */
export function toProblem(error: unknown, log: Serving["log"]): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof Refused) return refusalProblem(error);
  if (error instanceof JobRefused) return jobProblem(error);
  const code = (error as FastifyError).code;
  const known = FASTIFY_CODES[code];
  if (known !== undefined) return new Problem(known[0], known[1], (error as Error).message);
  if (error instanceof EvaluationError && (code === "feeds" || code === "run-failed" || code === "static-batch"))
    return new Problem(400, code, error.diagnostic.problem, {
      step: error.diagnostic.step,
      errors: [
        {
          field: "inputs",
          problem: error.diagnostic.problem,
          ...(error.diagnostic.expected === undefined ? {} : { expected: error.diagnostic.expected }),
        },
      ],
    });
  if (error instanceof EvaluationError && error.code.startsWith("feature-store")) {
    log.error({ err: { name: error.name, message: error.message } }, "no answer of the feature store");
    return new Problem(503, "feature-store", "the features of this model cannot be looked up at the moment", {
      headers: { "retry-after": "1" },
    });
  }
  const status = (error as FastifyError).statusCode;
  if (status !== undefined && status >= 400 && status < 500)
    return new Problem(status, "bad-request", (error as Error).message);
  log.error(
    {
      err:
        error instanceof Error
          ? { name: error.name, message: error.message, stack: error.stack }
          : { message: String(error) },
    },
    "unexpected error",
  );
  return new Problem(500, "internal", "the server failed to answer; its log tells why");
}

function jobProblem({ refusal }: JobRefused): Problem {
  const { status, code, detail, retryAfterSeconds } = refusal;
  return new Problem(
    status,
    code,
    detail,
    retryAfterSeconds === undefined ? {} : { headers: { "retry-after": String(retryAfterSeconds) } },
  );
}

/** Status, headers and body of a problem. The Open Inference Protocol has an error object of its own. */
export function problemAnswer(
  problem: Problem,
  id: string,
  url: string,
): { status: number; headers: Record<string, string>; body: string } {
  const v2 = url === "/v2" || url.startsWith("/v2/");
  return {
    status: problem.body.status,
    headers: { ...problem.headers, "content-type": v2 ? "application/json" : "application/problem+json" },
    body: JSON.stringify(v2 ? { error: problem.body.detail ?? problem.body.title } : { ...problem.body, instance: id }),
  };
}

/** Counts a refusal by its reason: limits and overload, deadlines, clients that disconnected. */
export function countRefusal(metrics: Serving["metrics"], model: string | null, problem: Problem): void {
  const { status, code } = problem.body;
  if (status === 429 || status >= 499) metrics.rejected(model ?? "none", code);
}
