import type { Diagnostic } from "../../../models/core/errors.ts";
import { Refused, type RefusalReason } from "../scheduling/refused.ts";
import { problemPath, type ProblemCode } from "./problem-types.ts";

/** One wrong place in a request; `field` is a path like `history[3]` or `rows[2].text`. */
export type FieldProblem = { field: string; problem: string; expected?: string; received?: string; example?: string };

/** RFC 9457. `type` leads to a page that explains it. `type` and `code` are stable; the text is for people. */
export type ProblemBody = {
  type: string;
  title: string;
  status: number;
  code: ProblemCode;
  detail?: string;
  instance?: string;
  errors?: FieldProblem[];
  /** The step of a composition that failed. */
  step?: string;
};

const TITLES: Record<number, string> = {
  400: "Bad request",
  401: "No valid API key",
  403: "Forbidden",
  404: "Not found",
  405: "Method not allowed",
  406: "Not acceptable",
  408: "Request timeout",
  409: "Not in this state",
  410: "Not here any more",
  412: "Another version of the protocol",
  413: "Request too large",
  414: "URL too long",
  415: "Unsupported media type",
  417: "Expectation failed",
  422: "The input cannot be used",
  426: "An upgrade is needed",
  429: "Too many requests",
  431: "Headers too large",
  500: "Internal error",
  501: "Not implemented",
  502: "The remote model failed",
  503: "Not available now",
  504: "Deadline passed",
  507: "No space left",
};

/** What a handler throws to answer with a problem. */
export class Problem extends Error {
  override name = "Problem";
  readonly body: ProblemBody;
  readonly headers: Record<string, string>;

  constructor(
    status: number,
    code: ProblemCode,
    detail?: string,
    more: { errors?: FieldProblem[]; headers?: Record<string, string>; step?: string | undefined } = {},
  ) {
    super(detail ?? code);
    this.body = {
      type: problemPath(code),
      title: TITLES[status] ?? "Error",
      status,
      code,
      ...(detail === undefined ? {} : { detail }),
      ...(more.errors === undefined ? {} : { errors: more.errors }),
      ...(more.step === undefined ? {} : { step: more.step }),
    };
    this.headers = more.headers ?? {};
  }
}

const STATUS: Record<RefusalReason, number> = {
  "queue-full": 503,
  "queue-wait": 503,
  draining: 503,
  "engine-lost": 503,
  "not-ready": 503,
  "not-configured": 503,
  "circuit-open": 503,
  "remote-busy": 503,
  "remote-failed": 502,
  "remote-refused": 502,
  deadline: 504,
  cancelled: 499,
};

/** A refusal as a problem. Retry-After is in whole seconds, at least one. */
export function refusalProblem(refused: Refused): Problem {
  const status = STATUS[refused.reason];
  return new Problem(
    status,
    refused.reason,
    refused.message,
    status === 503 ? { headers: { "retry-after": String(Math.max(1, Math.ceil(refused.retryAfterMs / 1000))) } } : {},
  );
}

/** A diagnostic about a row, with the place of the row in the request. */
export function fieldProblem(diagnostic: Diagnostic, field: string): FieldProblem {
  return {
    field,
    problem: diagnostic.problem,
    ...(diagnostic.expected === undefined ? {} : { expected: diagnostic.expected }),
    ...(diagnostic.received === undefined ? {} : { received: diagnostic.received }),
  };
}
