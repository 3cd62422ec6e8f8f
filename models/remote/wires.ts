import { CallError } from "./call-error.ts";
import type { CallEnd, Client, TokenUsage } from "./client.ts";
import { checkedFetch } from "./checked-fetch.ts";
import { eventsOf, linesOf } from "./lines.ts";
import type { FallbackManifest } from "./manifest.ts";
import type { ChatMessage } from "./prompt.ts";

type Parameters = FallbackManifest["parameters"];
/** Where a backend is, and the key that it wants. */
export type Address = { url: string; key: string | null };

/** How one kind of backend is asked, and how it answers. */
type Wire = {
  path: string;
  body: (messages: readonly ChatMessage[]) => object;
  pieces: (body: ReadableStream<Uint8Array>) => AsyncGenerator<string>;
  /** What one piece says. `end`: it is the last one that matters. */
  read: (piece: Record<string, unknown>) => { text?: string; finishReason?: string; usage?: TokenUsage };
  /** A piece that ends the stream and is no JSON. */
  done?: string;
  /** Whether a stream that just ends is a whole answer: nothing in the protocol marks the end. */
  endsSilently: boolean;
};

/**
 * OpenAI's chat completions, as vLLM and others speak them: server-sent chunks, `[DONE]` at the end, the usage in a chunk
 * without choices.
 */
export function openaiWire(model: string, { maxTokens, temperature, topP, seed }: Parameters): Wire {
  return {
    path: "/chat/completions",
    body: (messages) => ({
      model,
      messages,
      stream: true,
      stream_options: { include_usage: true },
      max_tokens: maxTokens,
      temperature,
      ...(topP === undefined ? {} : { top_p: topP }),
      ...(seed === undefined ? {} : { seed }),
    }),
    pieces: eventsOf,
    done: "[DONE]",
    endsSilently: false,
    read({ choices, usage }) {
      const [choice] = (Array.isArray(choices) ? choices : []) as {
        delta?: { content?: unknown };
        finish_reason?: unknown;
      }[];
      const counted = usage as { prompt_tokens?: unknown; completion_tokens?: unknown } | null | undefined;
      return {
        ...said(choice?.delta?.content),
        ...ended(choice?.finish_reason),
        ...used(counted?.prompt_tokens, counted?.completion_tokens),
      };
    },
  };
}

/** Ollama's /api/chat: a line of JSON per piece, until one has `done: true`. */
export function ollamaWire(model: string, { maxTokens, temperature, topP, seed }: Parameters): Wire {
  return {
    path: "/api/chat",
    body: (messages) => ({
      model,
      messages,
      stream: true,
      options: {
        num_predict: maxTokens,
        temperature,
        ...(topP === undefined ? {} : { top_p: topP }),
        ...(seed === undefined ? {} : { seed }),
      },
    }),
    pieces: linesOf,
    endsSilently: false,
    read({ message, done, done_reason, prompt_eval_count, eval_count }) {
      return {
        ...said((message as { content?: unknown } | undefined)?.content),
        ...(done === true ? ended(done_reason ?? "stop") : {}),
        ...used(prompt_eval_count, eval_count),
      };
    },
  };
}

/**
 * Triton's generate extension: server-sent `text_output`s and no mark of the end, so an answer whose connection is closed
 * in order counts as whole. It takes one text, so the system message stands before the question.
 */
export function oipWire(
  model: string,
  version: string | undefined,
  { maxTokens, temperature, topP, seed }: Parameters,
): Wire {
  const at = version === undefined ? "" : `/versions/${encodeURIComponent(version)}`;
  return {
    path: `/v2/models/${encodeURIComponent(model)}${at}/generate_stream`,
    body: (messages) => ({
      text_input: messages.map(({ content }) => content).join("\n\n"),
      parameters: {
        stream: true,
        exclude_input_in_output: true,
        max_tokens: maxTokens,
        temperature,
        ...(topP === undefined ? {} : { top_p: topP }),
        ...(seed === undefined ? {} : { seed }),
      },
    }),
    pieces: eventsOf,
    endsSilently: true,
    read: ({ text_output, finish_reason }) => ({ ...said(text_output), ...ended(finish_reason) }),
  };
}

const said = (text: unknown) => (typeof text === "string" && text !== "" ? { text } : {});
const ended = (reason: unknown) => (typeof reason === "string" && reason !== "" ? { finishReason: reason } : {});
const used = (input: unknown, output: unknown) =>
  typeof input === "number" && typeof output === "number"
    ? { usage: { inputTokens: input, outputTokens: output } }
    : {};

/** The client of a backend that speaks one of these. An error inside a stream that began well is an error too. */
export function wireClient(wire: Wire, { url, key }: Address, deps: { fetch: typeof fetch }): Client {
  const ask = checkedFetch(deps);
  return async function* call(messages, signal) {
    const reading = new AbortController();
    let begun = false;
    let finishReason: string | null = null;
    let usage: TokenUsage | null = null;
    let done = false;
    try {
      const response = await ask(`${url.replace(/\/+$/, "")}${wire.path}`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          accept: "text/event-stream, application/x-ndjson",
          ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        },
        body: JSON.stringify(wire.body(messages)),
        signal: AbortSignal.any([signal, reading.signal]),
      });
      begun = true;
      if (response.body === null) throw new CallError("the backend's answer is empty", { transient: true });
      for await (const data of wire.pieces(response.body)) {
        if (data.trim() === "") continue;
        if (data.trim() === wire.done) {
          done = true;
          break;
        }
        const piece = parsed(data);
        if (piece["error"] !== undefined && piece["error"] !== null)
          throw new CallError("the backend reports an error in its stream", { transient: true });
        const found = wire.read(piece);
        if (found.text !== undefined) yield found.text;
        if (found.usage !== undefined) usage = found.usage;
        if (found.finishReason !== undefined) finishReason = found.finishReason;
        if (finishReason !== null && wire.done === undefined && !wire.endsSilently) break;
      }
    } catch (error) {
      signal.throwIfAborted();
      throw error instanceof CallError ? error : broken(error, begun);
    } finally {
      reading.abort();
    }
    if (finishReason === null && !done && !wire.endsSilently)
      throw new CallError("the backend's stream ended in the middle of the answer", { transient: true });
    return { finishReason: finishReason ?? "stop", usage } satisfies CallEnd;
  };
}

function parsed(data: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(data);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // What it is instead may quote the prompt, so it is not told.
  }
  throw new CallError("the backend's stream is not JSON", { transient: true });
}

function broken(error: unknown, begun: boolean): CallError {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause)
    if (cause instanceof CallError) return cause;
  const code = (error as { cause?: { code?: string } }).cause?.code;
  return new CallError(
    `${begun ? "the connection to the backend broke" : "the backend cannot be reached"}${typeof code === "string" ? ` (${code})` : ""}`,
    { transient: true, cause: error },
  );
}
