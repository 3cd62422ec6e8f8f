import type { FastifyReply, FastifyRequest } from "fastify";
import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";
import { Problem } from "./problem.ts";

const windowSeconds = 60;
/** Rows a minute for each request a minute, where no limit of rows is set. */
const rowsPerRequest = 100;

/**
 * How much one key or address may ask for in a minute: requests, and rows, so that a batch counts for what it costs.
 * What is left stands in `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10), counted anew by
 * each server.
 */
export class RequestLimits {
  private readonly requests: RateLimiterMemory;
  private readonly rows: RateLimiterMemory;
  private readonly callerOf: (request: FastifyRequest) => string;

  constructor(
    { requests, rows = requests * rowsPerRequest }: { requests: number; rows?: number | undefined },
    callerOf: (request: FastifyRequest) => string,
  ) {
    this.requests = new RateLimiterMemory({ points: requests, duration: windowSeconds, keyPrefix: "requests" });
    this.rows = new RateLimiterMemory({ points: rows, duration: windowSeconds, keyPrefix: "rows" });
    this.callerOf = callerOf;
  }

  /** Counts a request, before its body is read. @throws Problem 429 */
  readonly countRequest = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    await this.count("requests", this.requests, 1, request, reply);
  };

  /** Counts the rows of a request, before any of them is computed. @throws Problem 429 */
  readonly countRows = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const rows = rowsIn(request);
    if (rows > this.rows.points)
      throw new Problem(429, "rate-limit", `${rows} rows at once are more than the ${this.rows.points} rows a minute`, {
        headers: { "retry-after": String(windowSeconds) },
      });
    await this.count("rows", this.rows, rows, request, reply);
  };

  private async count(
    name: "requests" | "rows",
    limiter: RateLimiterMemory,
    points: number,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<void> {
    const policy = `"${name}";q=${limiter.points};w=${windowSeconds}`;
    const add = (header: string, item: string) =>
      void reply.header(header, [reply.getHeader(header), item].filter((one) => one !== undefined).join(", "));
    const report = ({ remainingPoints, msBeforeNext }: RateLimiterRes) => {
      add("ratelimit-policy", policy);
      add("ratelimit", `"${name}";r=${Math.max(0, remainingPoints)};t=${Math.ceil(msBeforeNext / 1000)}`);
    };
    try {
      report(await limiter.consume(this.callerOf(request), points));
    } catch (left) {
      if (!(left instanceof RateLimiterRes)) throw left;
      report(left);
      throw new Problem(429, "rate-limit", `more than ${limiter.points} ${name} a minute`, {
        headers: { "retry-after": String(Math.max(1, Math.ceil(left.msBeforeNext / 1000))) },
      });
    }
  }
}

/** The rows of a parsed body: of `rows` or a list, or of the first tensor of an inference request; 1 otherwise. */
function rowsIn({ body, headers }: FastifyRequest): number {
  const value = body instanceof Buffer ? beforeTensors(body, headers["inference-header-content-length"]) : body;
  const { rows, inputs } = (value ?? {}) as { rows?: unknown; inputs?: unknown };
  const list = Array.isArray(value) ? value : rows;
  if (Array.isArray(list)) return Math.max(1, list.length);
  const [tensor] = Array.isArray(inputs) ? (inputs as ({ shape?: unknown } | null)[]) : [];
  const size: unknown = Array.isArray(tensor?.shape) ? tensor.shape[0] : 1;
  return typeof size === "number" && Number.isSafeInteger(size) && size > 1 ? size : 1;
}

/** The JSON that stands before binary tensors; null if it is none, which the route itself refuses. */
function beforeTensors(body: Buffer, length: string | string[] | undefined): unknown {
  try {
    return JSON.parse(body.toString("utf8", 0, typeof length === "string" ? Number(length) : undefined)) as unknown;
  } catch {
    return null;
  }
}
