import { InferenceClient } from "@huggingface/inference";
import type { ChatMessage } from "../../../models/remote/prompt.ts";
import type { RemoteManifest } from "../../../models/core/manifest/remote-manifest.ts";
import { retryAfterMs } from "./retry.ts";

/** More of an answer's bytes than any answer within its token limit has. */
const MOST_BYTES = 8 * 1024 * 1024;

export type Usage = { inputTokens: number; outputTokens: number };
export type ChatEnd = { finishReason: string; usage: Usage | null };

/**
 * One call that brought no whole answer. `status`: null when there was no HTTP answer. Its words hold nothing of the
 * prompt or the answer.
 */
export class CallFailure extends Error {
  override name = "CallFailure";
  readonly status: number | null;
  readonly retryAfterMs: number | null;
  /** Whether the same call may succeed later. */
  readonly passing: boolean;

  constructor(
    message: string,
    more: { status?: number | null; retryAfterMs?: number | null; passing: boolean; cause?: unknown },
  ) {
    super(message, { cause: more.cause });
    this.status = more.status ?? null;
    this.retryAfterMs = more.retryAfterMs ?? null;
    this.passing = more.passing;
  }
}

export type Chat = (messages: readonly ChatMessage[], signal: AbortSignal) => AsyncGenerator<string, ChatEnd>;

/**
 * Calls of one remote model; each yields the pieces of its answer as they come.
 *
 * @param endpoint base URL in the place of Hugging Face's router.
 * The calls throw CallFailure; the signal's reason when aborted.
 */
export function createChat(
  manifest: Pick<RemoteManifest, "model" | "parameters">,
  access: { token: string; endpoint: string | null },
  deps: { fetch: typeof fetch },
): Chat {
  const client = new InferenceClient(access.token, access.endpoint === null ? {} : { endpointUrl: access.endpoint });
  const { maxTokens, temperature, topP, seed } = manifest.parameters;
  // The library tells neither headers nor, always, the status.
  const watched: typeof fetch = async (url, init) => {
    const response = await deps.fetch(url, { ...init, redirect: "error" });
    if (response.ok) return bounded(response);
    await response.body?.cancel().catch(() => {});
    throw new CallFailure(`the provider answers ${response.status}`, {
      status: response.status,
      retryAfterMs: retryAfterMs(response.headers.get("retry-after"), Date.now()),
      passing: [408, 425, 429].includes(response.status) || response.status >= 500,
    });
  };

  return async function* call(messages, signal) {
    // Ends the connection too when whoever reads stops in the middle; the library only lets go of it.
    const mine = new AbortController();
    let begun = false;
    let finishReason: string | null = null;
    let usage: Usage | null = null;
    try {
      const stream = client.chatCompletionStream(
        {
          model: manifest.model,
          messages: [...messages],
          max_tokens: maxTokens,
          temperature,
          stream_options: { include_usage: true },
          ...(topP === undefined ? {} : { top_p: topP }),
          ...(seed === undefined ? {} : { seed }),
        },
        { fetch: watched, signal: AbortSignal.any([signal, mine.signal]), retry_on_error: false },
      );
      for await (const chunk of stream) {
        begun = true;
        if (typeof chunk !== "object" || chunk === null)
          throw new CallFailure("the provider's stream holds something else than pieces of an answer", {
            passing: true,
          });
        const given = chunk.usage as { prompt_tokens?: unknown; completion_tokens?: unknown } | null | undefined;
        if (typeof given?.prompt_tokens === "number" && typeof given.completion_tokens === "number")
          usage = { inputTokens: given.prompt_tokens, outputTokens: given.completion_tokens };
        const choice = chunk.choices?.[0];
        const text: unknown = choice?.delta?.content;
        if (typeof text === "string" && text !== "") yield text;
        if (typeof choice?.finish_reason === "string") finishReason = choice.finish_reason;
      }
    } catch (error) {
      signal.throwIfAborted();
      throw error instanceof CallFailure ? error : explain(error, begun);
    } finally {
      mine.abort();
    }
    if (finishReason === null)
      throw new CallFailure("the provider's stream ended in the middle of the answer", { passing: true });
    return { finishReason, usage };
  };
}

/** What went wrong below, without its words: they may quote the prompt or the answer. */
function explain(error: unknown, begun: boolean): CallFailure {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause)
    if (cause instanceof CallFailure) return cause;
  if (error instanceof SyntaxError) return new CallFailure("the provider's stream is not JSON", { passing: true });
  const told = error as { name?: string; httpResponse?: { status?: number; body?: unknown } };
  if (told.name === "ProviderApiError")
    return new CallFailure(
      told.httpResponse?.body === ""
        ? "the provider's answer is no event stream"
        : "the provider reports an error in its stream",
      { passing: true },
    );
  const code = (error as { cause?: { code?: string } }).cause?.code;
  return new CallFailure(
    `${begun ? "the connection to the provider broke" : "the provider cannot be reached"}${typeof code === "string" ? ` (${code})` : ""}`,
    { passing: true, cause: error },
  );
}

function bounded(response: Response): Response {
  let left = MOST_BYTES;
  const limit = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      left -= chunk.length;
      if (left < 0)
        controller.error(
          new CallFailure(`the provider's answer has more than ${MOST_BYTES} bytes`, { passing: false }),
        );
      else controller.enqueue(chunk);
    },
  });
  return new Response(response.body?.pipeThrough(limit) ?? null, {
    status: response.status,
    headers: response.headers,
  });
}
