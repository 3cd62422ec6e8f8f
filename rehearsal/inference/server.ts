import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * A chat-completion endpoint with the protocol of Hugging Face's inference router: server-sent events of type
 * `chat.completion.chunk`, a chunk with the finish reason, a chunk with the usage if requested, then `[DONE]`.
 */

/** What the endpoint does with a call. */
type Behaviour =
  /** `paceMs`: the pause between two pieces. */
  | { kind: "ok"; text?: string; finishReason?: string; usage?: boolean; paceMs?: number }
  /** The pieces of the text are held back until `release` is called. */
  | { kind: "slow"; text?: string; piecesFirst?: number }
  | { kind: "refuse"; status: number; retryAfter?: string; body?: string }
  /** The call is accepted and never answered. */
  | { kind: "hang" }
  /** The connection breaks, or the stream just ends, after some pieces. */
  | { kind: "cut"; pieces?: number; politely?: boolean; text?: string }
  /** A stream whose data is not JSON, another content type, or a stream that reports an error. */
  | { kind: "garbage"; how?: "not-json" | "html" | "error-event" };

type Call = {
  authorization: string;
  body: { model: string; messages: { role: string; content: string }[]; stream: boolean; max_tokens?: number };
  /** The caller disconnected before the end. */
  aborted: boolean;
  at: number;
};

export type InferenceEndpoint = {
  url: string;
  calls: Call[];
  /** The behaviours of the next calls, one each. The last one stays in force. */
  plan(...behaviours: Behaviour[]): void;
  /** Lets every held call continue. */
  release(): void;
  close(): Promise<void>;
};

export const DEFAULT_TEXT = "That sounds lovely. I hope the rest of your day is just as kind to you.";

export async function startInferenceEndpoint(): Promise<InferenceEndpoint> {
  let planned: Behaviour[] = [{ kind: "ok" }];
  let waiting: (() => void)[] = [];
  const calls: Call[] = [];
  const server = createServer((request, response) => {
    request.on("error", () => {});
    response.on("error", () => {});
    void readBody(request).then(
      (text) => {
        if (request.method !== "POST" || request.url !== "/v1/chat/completions")
          return void response.writeHead(404, { "content-type": "application/json" }).end('{"error":"not found"}');
        const call: Call = {
          authorization: request.headers.authorization ?? "",
          body: JSON.parse(text) as Call["body"],
          aborted: false,
          at: performance.now(),
        };
        calls.push(call);
        response.once("close", () => {
          call.aborted = !response.writableFinished;
        });
        const behaviour = planned.length > 1 ? planned.shift()! : planned[0]!;
        return answer(
          behaviour,
          call,
          response,
          () =>
            new Promise<void>((resolve) => {
              waiting.push(resolve);
            }),
        );
      },
      () => {},
    );
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    plan(...behaviours) {
      planned = behaviours;
    },
    release() {
      for (const go of waiting) go();
      waiting = [];
    },
    async close() {
      for (const go of waiting) go();
      const closed = new Promise((resolve) => {
        server.close(resolve);
      });
      server.closeAllConnections();
      await closed;
    },
  };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

/** Word by word, spaces kept, roughly as tokenizers do. */
const piecesOf = (text: string) => text.match(/\s*\S+/g) ?? [];

async function answer(
  behaviour: Behaviour,
  call: Call,
  response: ServerResponse,
  released: () => Promise<void>,
): Promise<void> {
  const open = () =>
    response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" });
  const data = (value: unknown) =>
    new Promise<void>((resolve) => {
      if (response.destroyed) resolve();
      else response.write(`data: ${typeof value === "string" ? value : JSON.stringify(value)}\n\n`, () => resolve());
    });
  const chunk = (delta: object, finishReason: string | null = null) =>
    data({
      id: "chatcmpl-1",
      object: "chat.completion.chunk",
      created: 1,
      model: call.body.model,
      system_fingerprint: "",
      choices: [{ index: 0, delta, logprobs: null, finish_reason: finishReason }],
    });
  const finish = async (pieces: number, finishReason: string, usage: boolean) => {
    await chunk({ role: "assistant", content: "" }, finishReason);
    if (usage && (call.body as { stream_options?: { include_usage?: boolean } }).stream_options?.include_usage === true)
      await data({
        id: "chatcmpl-1",
        object: "chat.completion.chunk",
        created: 1,
        model: call.body.model,
        choices: [],
        usage: {
          prompt_tokens: call.body.messages.map(({ content }) => piecesOf(content).length).reduce((a, b) => a + b, 0),
          completion_tokens: pieces,
          total_tokens: 0,
        },
      });
    await data("[DONE]");
    response.end();
  };
  switch (behaviour.kind) {
    case "ok": {
      open();
      const pieces = piecesOf(behaviour.text ?? DEFAULT_TEXT);
      for (const content of pieces) {
        if (behaviour.paceMs !== undefined)
          await new Promise((resolve) => {
            setTimeout(resolve, behaviour.paceMs);
          });
        await chunk({ role: "assistant", content });
      }
      return finish(pieces.length, behaviour.finishReason ?? "stop", behaviour.usage ?? true);
    }
    case "slow": {
      const pieces = piecesOf(behaviour.text ?? DEFAULT_TEXT);
      const first = behaviour.piecesFirst ?? 0;
      if (first > 0) open();
      for (const content of pieces.slice(0, first)) await chunk({ role: "assistant", content });
      await released();
      if (first === 0) open();
      for (const content of pieces.slice(first)) await chunk({ role: "assistant", content });
      return finish(pieces.length, "stop", true);
    }
    case "refuse":
      response
        .writeHead(behaviour.status, {
          "content-type": "application/json",
          ...(behaviour.retryAfter === undefined ? {} : { "retry-after": behaviour.retryAfter }),
        })
        .end(behaviour.body ?? JSON.stringify({ error: { message: `status ${behaviour.status}` } }));
      return;
    case "hang":
      return;
    case "cut": {
      open();
      for (const content of piecesOf(behaviour.text ?? DEFAULT_TEXT).slice(0, behaviour.pieces ?? 4))
        await chunk({ role: "assistant", content });
      if (behaviour.politely === true) response.end();
      else response.destroy();
      return;
    }
    case "garbage":
      if (behaviour.how === "html")
        return void response
          .writeHead(200, { "content-type": "text/html" })
          .end("<html>Welcome to the hotel's network</html>");
      open();
      if (behaviour.how === "error-event")
        await data({ error: { message: "CUDA out of memory", http_status_code: 500 } });
      else await data("{not json");
      response.end();
  }
}
