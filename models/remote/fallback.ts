import type { Diagnostic } from "../core/errors.ts";
import type { Row } from "../core/row.ts";
import { accessFrom } from "./access.ts";
import { addressOf } from "./address.ts";
import { createBreaker, type Breaker } from "./breaker.ts";
import { CallError } from "./call-error.ts";
import { createClient, type CallEnd, type Client } from "./client.ts";
import { RemoteFailure } from "./failure.ts";
import { legName, type FallbackLeg } from "./leg.ts";
import type { FallbackManifest } from "./manifest.ts";
import {
  failureOf,
  type AskLimits,
  type LocalText,
  type RemoteAnswer,
  type RemoteDeps,
  type RemoteEvents,
  type RemoteModel,
} from "./model.ts";
import { pause } from "./pause.ts";
import { promptOf, type ChatMessage } from "./prompt.ts";
import { retryDelayMs } from "./retry.ts";
import { ollamaWire, oipWire, openaiWire, wireClient } from "./wires.ts";

/** Wait before a second call, where the backend names none: as the manifest's default for one provider. */
const RETRY = { baseMs: 250, maxMs: 4000 };
/** What the caller's request is at fault for; no breaker counts it. */
const REQUEST_FAULTS = [400, 422];

type Asked = { messages: readonly ChatMessage[]; row: Row };
type LegClient = (asked: Asked, signal: AbortSignal) => AsyncGenerator<string, CallEnd>;
type Leg = {
  name: string;
  declared: FallbackLeg;
  client: LegClient | null;
  missing: Diagnostic | null;
  breaker: Breaker;
  /** Retry-After: not asked before. */
  notBefore: number;
};

/** One backend gave no whole answer. `text`: what it had said until then. */
class LegFailure extends Error {
  override name = "LegFailure";
  readonly failure: RemoteFailure;
  readonly text: string;

  constructor(failure: RemoteFailure, text: string) {
    super(failure.message);
    this.failure = failure;
    this.text = text;
  }
}

/**
 * A model that several backends can answer. They are tried in order, each with its own time limits and breaker, until
 * one has given its first words; from then on the answer is that backend's alone. Where it breaks off and the words have
 * been handed on, what there is is the answer, marked as partial; where nobody has seen them, they are dropped and the
 * next backend answers from the start. Two answers are never joined.
 *
 * @throws ConfigurationError for an address that cannot be used; RowError for a serving example that is no valid row.
 */
export function openFallbackModel(manifest: FallbackManifest, events: RemoteEvents, deps: RemoteDeps): RemoteModel {
  const now = deps.now ?? (() => performance.now());
  const random = deps.random ?? Math.random;
  for (const example of manifest.serving.examples) promptOf(manifest, example);
  const legs = manifest.fallback.map((declared): Leg => {
    const name = legName(declared);
    const opened = clientOf(declared, manifest, deps);
    return {
      name,
      declared,
      client: "client" in opened ? opened.client : null,
      missing: "missing" in opened ? opened.missing : null,
      breaker: createBreaker(declared.breaker, now, (state) => events.circuit(state, name)),
      notBefore: -Infinity,
    };
  });
  const usable = legs.filter(({ client }) => client !== null);
  const missing = usable.length > 0 ? null : legs[0]!.missing;

  /** Asks one backend, again where that may help. The pieces are yielded as they come. */
  async function* askLeg(
    leg: Leg,
    asked: Asked,
    until: { deadlineAt: number; signal: AbortSignal | undefined },
    begun: () => void,
  ): AsyncGenerator<string, { text: string; end: CallEnd }> {
    if (now() < leg.notBefore)
      throw new LegFailure(new RemoteFailure("remote-busy", "it asked to be left alone", leg.notBefore - now()), "");
    const permit = admitted(leg);
    const startedAt = now();
    const { firstWordsMs, timeoutMs, attempts } = leg.declared;
    let text = "";
    let result = "cancelled";
    const stop = new AbortController();
    const limit = (ms: number, what: string) => {
      const left = Math.min(ms, until.deadlineAt - now());
      const own = left >= ms;
      return setTimeout(
        () => stop.abort(new RemoteFailure("deadline", own ? what : "the deadline passed")),
        Math.max(0, left),
      );
    };
    const whole = limit(timeoutMs, `no whole answer in ${timeoutMs} ms`);
    const first = limit(firstWordsMs, `no words in ${firstWordsMs} ms`);
    const cancel = () => stop.abort(new RemoteFailure("cancelled", "the client went away"));
    if (until.signal?.aborted === true) cancel();
    until.signal?.addEventListener("abort", cancel);
    try {
      for (let attempt = 1; ; attempt++) {
        try {
          const pieces = leg.client!(asked, stop.signal);
          let end: CallEnd;
          for (;;) {
            const { value, done } = await pieces.next();
            if (done) {
              end = value;
              break;
            }
            clearTimeout(first);
            if (text === "") begun();
            text += value;
            yield value;
          }
          if (text === "") throw new CallError("its answer is empty", { transient: true });
          permit.succeeded();
          result = "success";
          return { text, end };
        } catch (error) {
          stop.signal.throwIfAborted();
          if (!(error instanceof CallError)) throw error;
          const delayMs = retryDelayMs(attempt, error.retryAfterMs, RETRY, random);
          const late = now() + delayMs >= Math.min(until.deadlineAt, startedAt + firstWordsMs);
          if (text !== "" || !error.transient || attempt >= attempts || late) throw error;
          events.retried(error, attempt, delayMs);
          await pause(delayMs, stop.signal);
        }
      }
    } catch (error) {
      const failure = error instanceof CallError ? failureOf(error, text !== "") : error;
      result = failure instanceof RemoteFailure ? failure.reason : "error";
      const ownFault = error instanceof CallError && REQUEST_FAULTS.includes(error.status ?? 0);
      // A request with less time than the backend may take does not prove that it is down.
      const hurried = result === "deadline" && now() >= until.deadlineAt;
      if (result === "cancelled" || ownFault || hurried) permit.abandoned();
      else permit.failed(error instanceof CallError ? (error.retryAfterMs ?? 0) : 0);
      if (error instanceof CallError && error.retryAfterMs !== null) leg.notBefore = now() + error.retryAfterMs;
      if (!(failure instanceof RemoteFailure) || failure.reason === "cancelled") throw failure;
      throw new LegFailure(failure, text);
    } finally {
      clearTimeout(whole);
      clearTimeout(first);
      until.signal?.removeEventListener("abort", cancel);
      permit.abandoned();
      stop.abort();
      events.attempted?.({ backend: leg.name, result, ms: now() - startedAt });
    }
  }

  function admitted(leg: Leg) {
    try {
      return leg.breaker.admit();
    } catch (error) {
      throw error instanceof RemoteFailure ? new LegFailure(error, "") : error;
    }
  }

  async function* ask(prompt: readonly ChatMessage[], limits: AskLimits): AsyncGenerator<string, RemoteAnswer> {
    if (missing !== null)
      throw new RemoteFailure("not-configured", `${missing.problem}; set ${missing.expected}`, 60_000);
    const startedAt = now();
    const until = {
      deadlineAt: Math.min(limits.deadlineAt, startedAt + manifest.limits.timeoutMs),
      signal: limits.signal,
    };
    const failures: { name: string; failure: RemoteFailure }[] = [];
    let firstTokenMs: number | null = null;
    let result = "cancelled";
    let end: CallEnd = { finishReason: "", usage: null };
    const answer = (text: string, backend: string, more: { partial?: true } = {}): RemoteAnswer => {
      const inferenceMs = now() - startedAt;
      return { text, ...end, firstTokenMs: firstTokenMs ?? inferenceMs, inferenceMs, backend, ...more };
    };
    try {
      for (const leg of usable) {
        if (now() >= until.deadlineAt) break;
        firstTokenMs = null;
        try {
          const whole = yield* askLeg(leg, { messages: prompt, row: limits.row ?? {} }, until, () => {
            firstTokenMs = now() - startedAt;
          });
          end = whole.end;
          result = "success";
          return answer(whole.text, leg.name);
        } catch (error) {
          if (!(error instanceof LegFailure)) throw error;
          if (error.text !== "" && limits.unseen !== true) {
            end = { finishReason: "partial", usage: null };
            result = "partial";
            return answer(error.text, leg.name, { partial: true });
          }
          failures.push({ name: leg.name, failure: error.failure });
        }
      }
      throw nobodyAnswered(failures);
    } catch (error) {
      if (error instanceof RemoteFailure) result = error.reason;
      throw error;
    } finally {
      events.answered({
        result,
        inferenceMs: now() - startedAt,
        firstTokenMs,
        inputTokens: end.usage?.inputTokens ?? 0,
        outputTokens: end.usage?.outputTokens ?? 0,
      });
    }
  }

  /** When the first of the backends may be asked again. */
  const circuit = () => {
    const states = usable.map(({ breaker }) => ({ state: breaker.state(), pauseMs: breaker.pauseMs() }));
    const open = states.every(({ state }) => state === "open");
    const best = states.find(({ state }) => state !== "open");
    return { state: best?.state ?? "open", pauseMs: open ? Math.min(...states.map(({ pauseMs }) => pauseMs)) : 0 };
  };

  return {
    missing,
    circuit: usable.length === 0 ? () => ({ state: "closed", pauseMs: 0 }) : circuit,
    backends: () =>
      legs.map(({ name, declared, breaker, missing: lacks }) => ({
        name,
        backend: declared.backend,
        model: declared.model,
        circuit: { state: breaker.state(), retryInMs: Math.round(breaker.pauseMs()) },
        missing: lacks === null ? null : `${lacks.problem}; set ${lacks.expected}`,
      })),
    prepare(row) {
      if (missing !== null)
        throw new RemoteFailure("not-configured", `${missing.problem}; set ${missing.expected}`, 60_000);
      return promptOf(manifest, row);
    },
    ask,
  };
}

/** Names each backend with its reason. The reason of the whole is what a client can act on. */
function nobodyAnswered(failures: readonly { name: string; failure: RemoteFailure }[]): RemoteFailure {
  if (failures.length === 0) return new RemoteFailure("deadline", "no backend was asked before the deadline");
  const reasons = failures.map(({ failure }) => failure.reason);
  const said = failures.map(({ name, failure }) => `${name}: ${failure.message}`).join("; ");
  const retry = Math.min(...failures.map(({ failure }) => failure.retryAfterMs));
  const all = (reason: RemoteFailure["reason"]) => reasons.every((one) => one === reason);
  const reason = all("circuit-open")
    ? "circuit-open"
    : reasons.every((one) => one === "circuit-open" || one === "remote-busy")
      ? "remote-busy"
      : all("deadline")
        ? "deadline"
        : all("remote-refused")
          ? "remote-refused"
          : "remote-failed";
  return new RemoteFailure(reason, `no backend answered. ${said}`, retry);
}

function clientOf(
  leg: FallbackLeg,
  manifest: FallbackManifest,
  deps: RemoteDeps,
): { client: LegClient } | { missing: Diagnostic } {
  const overHttp =
    (client: Client): LegClient =>
    ({ messages }, signal) =>
      client(messages, signal);
  if (leg.backend === "onnx") {
    const local = deps.local?.get(leg.model);
    if (local !== undefined) return { client: localClient(local) };
    return {
      missing: {
        code: "not-configured",
        problem: `the local model ${leg.model} is not open here`,
        expected: `a folder ${leg.model} with its model.yaml beside this model`,
      },
    };
  }
  if (leg.backend === "hf-inference") {
    const configured = accessFrom(deps.env);
    return "missing" in configured
      ? configured
      : {
          client: overHttp(
            createClient({ model: leg.model, parameters: manifest.parameters }, configured.access, deps),
          ),
        };
  }
  const found = addressOf(leg, deps.env);
  if ("missing" in found) return found;
  const wire =
    leg.backend === "openai"
      ? openaiWire(leg.model, manifest.parameters)
      : leg.backend === "ollama"
        ? ollamaWire(leg.model, manifest.parameters)
        : oipWire(leg.model, leg.version, manifest.parameters);
  return { client: overHttp(wireClient(wire, found.address, deps)) };
}

/** A run that has started cannot be stopped; its answer is dropped then. */
function localClient(local: LocalText): LegClient {
  return async function* call({ row }, signal) {
    signal.throwIfAborted();
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    });
    aborted.catch(() => {});
    const { text, finishReason } = await Promise.race([local(row), aborted]).catch((error: unknown) => {
      signal.throwIfAborted();
      throw new CallError("the local model does not answer", { transient: false, cause: error });
    });
    if (text !== "") yield text;
    return { finishReason, usage: null };
  };
}
