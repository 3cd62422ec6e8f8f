import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll } from "vitest";

export type WireKind = "openai" | "ollama" | "oip";

/** What a stand-in does with a call. */
type Behaviour =
  | { kind: "ok"; pieces?: readonly string[] }
  | { kind: "status"; status: number; retryAfter?: string }
  /** An error object inside a stream that began with status 200. */
  | { kind: "error-inside"; pieces: readonly string[] }
  /** The connection is destroyed after these pieces. */
  | { kind: "cut"; pieces: readonly string[] }
  /** Accepted, and nothing more after these pieces. */
  | { kind: "hang"; pieces?: readonly string[] };

export type Backend = {
  url: string;
  calls: { path: string; authorization: string | undefined; body: Record<string, unknown> }[];
  plan(...behaviours: Behaviour[]): void;
};

export const pieces = ["Good ", "to ", "hear."];

const stops: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const stop of stops) await stop();
});

/** The published forms of each wire: its path, its pieces, its end, its error. */
const wires = {
  openai: {
    path: "/v1/chat/completions",
    base: "/v1",
    type: "text/event-stream",
    piece: (text: string) =>
      sse({ object: "chat.completion.chunk", choices: [{ index: 0, delta: { content: text } }] }),
    end: () =>
      sse({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] }) +
      sse({ choices: [], usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 } }) +
      "data: [DONE]\n\n",
    error: sse({ error: { message: "boom", type: "server_error", param: null, code: 500 } }),
  },
  ollama: {
    path: "/api/chat",
    base: "",
    type: "application/x-ndjson",
    piece: (text: string) => line({ model: "m", message: { role: "assistant", content: text }, done: false }),
    end: () =>
      line({
        model: "m",
        message: { role: "assistant", content: "" },
        done: true,
        done_reason: "stop",
        prompt_eval_count: 7,
        eval_count: 3,
      }),
    error: line({ error: "boom" }),
  },
  oip: {
    path: "/v2/models/m/generate_stream",
    base: "",
    type: "text/event-stream; charset=utf-8",
    piece: (text: string) => sse({ model_name: "m", model_version: "1", text_output: text }),
    end: () => "",
    error: sse({ error: "boom" }),
  },
} as const;

function sse(value: object): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}
function line(value: object): string {
  return `${JSON.stringify(value)}\n`;
}

/** A stand-in that speaks one of the wires on the loopback. The last planned behaviour stays in force. */
export async function startBackend(kind: WireKind): Promise<Backend> {
  const wire = wires[kind];
  let planned: Behaviour[] = [{ kind: "ok" }];
  const calls: Backend["calls"] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => {
      body += String(chunk);
    });
    request.on("end", () => {
      if (request.method !== "POST" || request.url !== wire.path) {
        response.writeHead(404).end("{}");
        return;
      }
      calls.push({
        path: request.url,
        authorization: request.headers.authorization,
        body: JSON.parse(body) as Record<string, unknown>,
      });
      void answer(planned.length > 1 ? planned.shift()! : planned[0]!, response);
    });
  });
  const answer = async (behaviour: Behaviour, response: ServerResponse) => {
    if (behaviour.kind === "status") {
      const { status, retryAfter } = behaviour;
      response
        .writeHead(status, retryAfter === undefined ? {} : { "retry-after": retryAfter })
        .end(JSON.stringify({ error: { message: "no", type: "x", param: null, code: status } }));
      return;
    }
    const write = (text: string) =>
      new Promise<void>((resolve) => {
        response.write(text, () => resolve());
      });
    response.writeHead(200, { "content-type": wire.type });
    response.flushHeaders();
    for (const text of behaviour.pieces ?? (behaviour.kind === "ok" ? pieces : [])) await write(wire.piece(text));
    if (behaviour.kind === "hang") return;
    if (behaviour.kind === "cut") {
      // Lets the pieces arrive before the connection is gone.
      setTimeout(() => response.destroy(), 30);
      return;
    }
    if (behaviour.kind === "error-inside") await write(wire.error);
    response.end(behaviour.kind === "ok" ? wire.end() : "");
  };
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  stops.push(async () => {
    const closed = new Promise((resolve) => {
      server.close(resolve);
    });
    server.closeAllConnections();
    await closed;
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${wire.base}`,
    calls,
    plan(...behaviours) {
      planned = behaviours;
    },
  };
}
