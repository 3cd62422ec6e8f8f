import { InferenceClient } from "@huggingface/inference";
import type { Access } from "./access.ts";
import { CallError } from "./call-error.ts";
import { checkedFetch } from "./checked-fetch.ts";
import type { RemoteManifest } from "./manifest.ts";
import type { ChatMessage } from "./prompt.ts";

export type TokenUsage = { inputTokens: number; outputTokens: number };
export type CallEnd = { finishReason: string; usage: TokenUsage | null };

/**
 * Makes one call and yields the pieces of its answer as they come.
 *
 * @throws CallError; the signal's reason when aborted.
 */
export type Client = (messages: readonly ChatMessage[], signal: AbortSignal) => AsyncGenerator<string, CallEnd>;

/**
 * The client of one remote model: chat completion through Hugging Face's inference providers, streamed.
 *
 * @param access `endpoint` is a base URL to use instead of Hugging Face's router.
 */
export function createClient(
  manifest: Pick<RemoteManifest, "model" | "parameters">,
  access: Access,
  deps: { fetch: typeof fetch },
): Client {
  const hub = new InferenceClient(access.token, access.endpoint === null ? {} : { endpointUrl: access.endpoint });
  const { maxTokens, temperature, topP, seed } = manifest.parameters;
  // The library never passes on the headers, and not always the status.
  const checked = checkedFetch(deps);

  return async function* call(messages, signal) {
    // When the consumer stops early, the library leaves the connection open; this closes it.
    const reading = new AbortController();
    let begun = false;
    let finishReason: string | null = null;
    let usage: TokenUsage | null = null;
    try {
      const stream = hub.chatCompletionStream(
        {
          model: manifest.model,
          messages: [...messages],
          max_tokens: maxTokens,
          temperature,
          stream_options: { include_usage: true },
          ...(topP === undefined ? {} : { top_p: topP }),
          ...(seed === undefined ? {} : { seed }),
        },
        { fetch: checked, signal: AbortSignal.any([signal, reading.signal]), retry_on_error: false },
      );
      for await (const chunk of stream) {
        begun = true;
        if (typeof chunk !== "object" || chunk === null)
          throw new CallError("the provider's stream holds something else than pieces of an answer", {
            transient: true,
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
      throw error instanceof CallError ? error : explain(error, begun);
    } finally {
      reading.abort();
    }
    if (finishReason === null)
      throw new CallError("the provider's stream ended in the middle of the answer", { transient: true });
    return { finishReason, usage };
  };
}

/** Describes an error of the library without its message, which may quote the prompt or the answer. */
function explain(error: unknown, begun: boolean): CallError {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause)
    if (cause instanceof CallError) return cause;
  if (error instanceof SyntaxError) return new CallError("the provider's stream is not JSON", { transient: true });
  const provider = error as { name?: string; httpResponse?: { status?: number; body?: unknown } };
  if (provider.name === "ProviderApiError")
    return new CallError(
      provider.httpResponse?.body === ""
        ? "the provider's answer is no event stream"
        : "the provider reports an error in its stream",
      { transient: true },
    );
  const code = (error as { cause?: { code?: string } }).cause?.code;
  return new CallError(
    `${begun ? "the connection to the provider broke" : "the provider cannot be reached"}${typeof code === "string" ? ` (${code})` : ""}`,
    { transient: true, cause: error },
  );
}
