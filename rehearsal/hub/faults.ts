import type { IncomingMessage, ServerResponse } from "node:http";

/** What goes wrong with one request. `effect`: whether the server carries out the request nevertheless. */
export type Fault =
  | { kind: "status"; status: number; headers?: Record<string, string>; body?: unknown; effect: boolean }
  | { kind: "hang"; effect: boolean }
  | { kind: "reset"; effect: boolean }
  | { kind: "slow"; ms: number }
  | { kind: "truncate" }
  /** `run` is called before the request is carried out. `silent`: the request is then not carried out at all. */
  | { kind: "before"; run: () => void; silent?: boolean }
  /** `run` is called after the request was carried out, for example to kill the process that sent it. */
  | { kind: "then"; run: () => void };

export type FaultRule = {
  method?: string;
  path: RegExp;
  /** Number of matching requests to let pass first. */
  skip?: number;
  times: number;
  fault: Fault;
};

/** The fault of the first rule that matches a request. This uses up one of the rule's `times`. */
export function faultFor(rules: FaultRule[], method: string, path: string): Fault | null {
  for (const rule of rules) {
    if (rule.times <= 0 || (rule.method !== undefined && rule.method !== method) || !rule.path.test(path)) continue;
    if ((rule.skip ?? 0) > 0) {
      rule.skip = rule.skip! - 1;
      return null;
    }
    rule.times -= 1;
    return rule.fault;
  }
  return null;
}

export type Answer = { status: number; headers?: Record<string, string>; body: unknown };

/**
 * Handles a request under a fault.
 *
 * @param act carries out the request and returns the answer
 */
export async function answerUnder(
  fault: Fault | null,
  request: IncomingMessage,
  response: ServerResponse,
  act: () => Answer | Promise<Answer>,
): Promise<Answer | null> {
  if (fault?.kind === "slow") await new Promise((done) => setTimeout(done, fault.ms));
  if (fault !== null && "effect" in fault && !fault.effect) {
    if (fault.kind === "reset") request.socket.resetAndDestroy();
    if (fault.kind === "status")
      send(
        response,
        {
          status: fault.status,
          headers: fault.headers ?? {},
          body: fault.body ?? { error: `injected ${fault.status}` },
        },
        false,
      );
    return fault.kind === "status" ? { status: fault.status, body: null } : null;
  }
  if (fault?.kind === "before") {
    fault.run();
    if (fault.silent === true) {
      request.socket.destroy();
      return null;
    }
  }
  const answer = await act();
  switch (fault?.kind) {
    case "reset":
      request.socket.resetAndDestroy();
      return null;
    case "hang":
      return null;
    case "status":
      send(
        response,
        {
          status: fault.status,
          headers: fault.headers ?? {},
          body: fault.body ?? { error: `injected ${fault.status}` },
        },
        false,
      );
      return { status: fault.status, body: null };
    case "truncate":
      send(response, answer, true);
      return answer;
    case "then":
      fault.run();
      request.socket.destroy();
      return null;
    default:
      send(response, answer, false);
      return answer;
  }
}

function send(response: ServerResponse, { status, headers = {}, body }: Answer, truncated: boolean): void {
  const bytes = Buffer.isBuffer(body)
    ? body
    : Buffer.from(body === null || body === undefined ? "" : JSON.stringify(body));
  response.writeHead(status, {
    "content-type": Buffer.isBuffer(body) ? "application/octet-stream" : "application/json; charset=utf-8",
    "content-length": String(bytes.length),
    ...headers,
  });
  if (!truncated) response.end(bytes);
  else
    response.write(bytes.subarray(0, bytes.length >> 1), () => {
      response.destroy();
    });
}
