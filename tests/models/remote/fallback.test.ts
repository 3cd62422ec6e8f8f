import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { parseYaml } from "../../../models/core/manifest/config-file.ts";
import { modelFile } from "../../../models/core/predictor/load.ts";
import { openFallbackModel } from "../../../models/remote/fallback.ts";
import { RemoteFailure } from "../../../models/remote/failure.ts";
import { fallbackManifest, type FallbackManifestInput } from "../../../models/remote/manifest.ts";
import type { AskLimits, RemoteAnswer, RemoteDeps } from "../../../models/remote/model.ts";
import { refusal } from "../core/build.ts";
import { pieces, startBackend, type Backend } from "./backends.ts";

const KEY = "sk-standInKeyThatNobodyMayPrint";
let openai: Backend;
let ollama: Backend;
let oip: Backend;
beforeAll(async () => {
  [openai, ollama, oip] = [await startBackend("openai"), await startBackend("ollama"), await startBackend("oip")];
});
beforeEach(() => {
  for (const backend of [openai, ollama, oip]) {
    backend.calls.length = 0;
    backend.plan({ kind: "ok" });
  }
});

type Leg = FallbackManifestInput["fallback"][number];
const legs = (): Leg[] => [
  { backend: "openai", url: openai.url, model: "m", key: { env: "OPENAI_KEY" } },
  { backend: "ollama", url: ollama.url, model: "m" },
  { backend: "oip", url: { env: "TRITON" }, model: "m" },
];
const manifest = (fallback: Leg[], changes: Partial<FallbackManifestInput> = {}): FallbackManifestInput => ({
  schemaVersion: 1,
  id: "reply",
  version: "1.0.0",
  task: "text-generation",
  backend: "fallback",
  inputs: { text: { type: "text" } },
  prompt: { system: "Be kind.", template: "{{text}}" },
  fallback,
  ...changes,
});

type Attempt = { backend: string; result: string };
function opened(fallback: Leg[], deps: Partial<RemoteDeps> = {}, changes: Partial<FallbackManifestInput> = {}) {
  const attempts: Attempt[] = [];
  const circuits: string[] = [];
  const results: string[] = [];
  const model = openFallbackModel(
    fallbackManifest.parse(manifest(fallback, changes)),
    {
      answered: ({ result }) => results.push(result),
      retried() {},
      circuit: (state, backend) => circuits.push(`${backend} ${state}`),
      attempted: ({ backend, result }) => attempts.push({ backend, result }),
    },
    { env: { OPENAI_KEY: KEY, TRITON: oip.url }, fetch, random: () => 0, ...deps },
  );
  const ask = async (limits: Partial<AskLimits> = {}) => {
    const seen: string[] = [];
    const asked = model.ask(model.prepare({ text: "hello" }), { deadlineAt: Infinity, ...limits });
    for (;;) {
      const { value, done } = await asked.next();
      if (done) return { seen, answer: value as RemoteAnswer };
      seen.push(value as string);
    }
  };
  return { model, ask, attempts, circuits, results };
}
const failureOf = async (call: Promise<unknown>): Promise<RemoteFailure> => {
  const error = await call.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof RemoteFailure) return error;
  throw error ?? new Error("expected a failure");
};

describe("the wires", () => {
  it.each([
    ["openai", 0, { inputTokens: 7, outputTokens: 3 }],
    ["ollama", 1, { inputTokens: 7, outputTokens: 3 }],
    ["oip", 2, null],
  ] as const)("%s is asked and read as published", async (name, leg, usage) => {
    const { ask } = opened([legs()[leg]!]);
    const { seen, answer } = await ask();
    expect(seen).toEqual(pieces);
    expect(answer).toMatchObject({ text: pieces.join(""), finishReason: "stop", usage, backend: name });
    const [call] = [openai, ollama, oip][leg]!.calls;
    expect(call!.authorization).toBe(leg === 0 ? `Bearer ${KEY}` : undefined);
    expect(call!.body).toMatchObject(
      leg === 2
        ? { text_input: "Be kind.\n\nhello", parameters: { stream: true, max_tokens: 256 } }
        : {
            model: "m",
            stream: true,
            messages: [
              { role: "system", content: "Be kind." },
              { role: "user", content: "hello" },
            ],
          },
    );
  });

  it("an answer of white space between events, comments and carriage returns is read", async () => {
    const body =
      ': hi\r\n\r\nevent: x\r\ndata: {"choices":[{"delta":{"content":"A"},"finish_reason":"stop"}]}\r\n\r\ndata: [DONE]\r\n\r\n';
    const { ask } = opened([legs()[0]!], { fetch: () => Promise.resolve(new Response(body)) });
    expect((await ask()).answer.text).toBe("A");
  });
});

describe("before the first words, the next backend is asked", () => {
  it.each([
    ["a refusal", { kind: "status", status: 500 }],
    ["an unknown model", { kind: "status", status: 404 }],
    ["a request that it cannot take", { kind: "status", status: 422 }],
    ["an error inside a 200 stream", { kind: "error-inside", pieces: [] }],
    ["a connection that breaks", { kind: "cut", pieces: [] }],
    ["silence", { kind: "hang" }],
  ] as const)("%s", async (_, behaviour) => {
    openai.plan(behaviour);
    const { ask, attempts } = opened([{ ...legs()[0]!, firstWordsMs: 300 }, legs()[1]!]);
    const { seen, answer } = await ask();
    expect(seen).toEqual(pieces);
    expect(answer).toMatchObject({ text: pieces.join(""), backend: "ollama" });
    expect(answer.partial).toBeUndefined();
    expect(attempts.map(({ backend }) => backend)).toEqual(["openai", "ollama"]);
    expect(openai.calls).toHaveLength(1);
  });

  it("what may succeed later is repeated where the manifest says so, and nothing else", async () => {
    openai.plan({ kind: "status", status: 503 }, { kind: "ok" });
    expect((await opened([{ ...legs()[0]!, attempts: 2 }]).ask()).answer.backend).toBe("openai");
    expect(openai.calls).toHaveLength(2);
    for (const status of [400, 404, 422]) {
      openai.calls.length = 0;
      openai.plan({ kind: "status", status });
      await failureOf(opened([{ ...legs()[0]!, attempts: 3 }]).ask());
      expect(openai.calls).toHaveLength(1);
    }
  });

  it.each([429, 503])("Retry-After of a %d is kept: until then the others answer", async (status) => {
    let clock = 0;
    openai.plan({ kind: "status", status, retryAfter: "30" }, { kind: "ok" });
    const { ask } = opened([{ ...legs()[0]!, attempts: 3 }, legs()[1]!], { now: () => clock });
    expect((await ask()).answer.backend).toBe("ollama");
    clock = 29_000;
    expect((await ask()).answer.backend).toBe("ollama");
    expect(openai.calls).toHaveLength(1);
    clock = 31_000;
    expect((await ask()).answer.backend).toBe("openai");
  });

  it("nobody answers: every backend is named with its reason, and no key is", async () => {
    for (const backend of [openai, ollama, oip]) backend.plan({ kind: "status", status: 500 });
    const { ask, results } = opened(legs());
    const failure = await failureOf(ask());
    expect(failure.reason).toBe("remote-failed");
    expect(failure.message).toMatch(/openai: the provider answers 500; ollama: .*500; oip: .*500/);
    expect(failure.message).not.toContain(KEY);
    expect(results).toEqual(["remote-failed"]);
  });
});

describe("after the first words", () => {
  it.each(["openai", "ollama", "oip"] as const)(
    "%s that breaks off loses nothing that was said and repeats nothing",
    async (kind) => {
      const index = { openai: 0, ollama: 1, oip: 2 }[kind];
      const first = [openai, ollama, oip][index]!;
      const other = legs()[(index + 1) % 3]!;
      for (const how of ["cut", "error-inside"] as const) {
        first.plan({ kind: how, pieces: ["Good ", "to "] });
        const { ask, attempts, results } = opened([legs()[index]!, other]);
        const { seen, answer } = await ask();
        expect(seen).toEqual(["Good ", "to "]);
        expect(answer).toMatchObject({ text: "Good to ", partial: true, finishReason: "partial", backend: kind });
        expect(attempts).toHaveLength(1);
        expect(results).toEqual(["partial"]);
      }
    },
  );

  it("an answer that nobody has seen yet is made again by the next backend, and is that one's alone", async () => {
    openai.plan({ kind: "cut", pieces: ["Splice ", "me "] });
    const { answer } = await opened(legs()).ask({ unseen: true });
    expect(answer).toMatchObject({ text: pieces.join(""), backend: "ollama" });
  });

  it("a stream that stops is ended at the backend's deadline", async () => {
    openai.plan({ kind: "hang", pieces: ["Good "] });
    const { answer } = await opened([{ ...legs()[0]!, timeoutMs: 300 }, legs()[1]!]).ask();
    expect(answer).toMatchObject({ text: "Good ", partial: true, backend: "openai" });
  });
});

describe("the breakers", () => {
  it("open for one backend alone, half-open after a pause, and close again", async () => {
    let clock = 0;
    openai.plan({ kind: "status", status: 500 });
    const { ask, circuits, model } = opened([{ ...legs()[0]!, breaker: { failures: 2, openMs: 1000 } }, legs()[1]!], {
      now: () => clock,
    });
    for (let i = 0; i < 5; i++) expect((await ask()).answer.backend).toBe("ollama");
    expect(openai.calls).toHaveLength(2);
    expect(circuits).toEqual(["openai open"]);
    expect(model.backends!().map(({ name, circuit }) => [name, circuit.state])).toEqual([
      ["openai", "open"],
      ["ollama", "closed"],
    ]);
    expect(model.circuit()).toEqual({ state: "closed", pauseMs: 0 });
    clock = 1001;
    await ask();
    expect(openai.calls).toHaveLength(3);
    await ask();
    expect(openai.calls).toHaveLength(3);
    clock = 2100;
    openai.plan({ kind: "ok" });
    expect((await ask()).answer.backend).toBe("openai");
    expect(circuits).toEqual(["openai open", "openai half-open", "openai open", "openai half-open", "openai closed"]);
  });

  it("do not count a request's own fault, or a caller who went away", async () => {
    openai.plan({ kind: "status", status: 422 });
    const { ask, circuits } = opened([{ ...legs()[0]!, breaker: { failures: 1 } }, legs()[1]!]);
    await ask();
    await ask();
    expect(openai.calls).toHaveLength(2);
    openai.plan({ kind: "hang" });
    const stop = new AbortController();
    const asked = failureOf(ask({ signal: stop.signal }));
    setTimeout(() => stop.abort(), 50);
    expect((await asked).reason).toBe("cancelled");
    expect(circuits).toEqual([]);
  });
});

describe("one deadline", () => {
  it("holds for all backends together", async () => {
    openai.plan({ kind: "hang" });
    ollama.plan({ kind: "hang" });
    const started = performance.now();
    const failure = await failureOf(opened(legs().slice(0, 2), {}, { limits: { timeoutMs: 200 } }).ask());
    expect(failure.reason).toBe("deadline");
    expect(performance.now() - started).toBeLessThan(5000);
    expect(ollama.calls).toHaveLength(0);
  });
});

describe("what is missing", () => {
  it("is left out, and said", async () => {
    const { ask, model } = opened(legs(), { env: { TRITON: oip.url } });
    expect((await ask()).answer.backend).toBe("ollama");
    expect(model.backends!()[0]).toMatchObject({ missing: expect.stringContaining("OPENAI_KEY") });
  });

  it("a local model answers in the same form, and one that is not there is left out", async () => {
    openai.plan({ kind: "status", status: 500 });
    const local = new Map([
      ["echo", (row: object) => Promise.resolve({ text: JSON.stringify(row), finishReason: "stop" })],
    ]);
    const onnx: Leg = { backend: "onnx", model: "echo" };
    const { answer } = await opened([legs()[0]!, onnx], { local }).ask({ row: { text: "hello" } });
    expect(answer).toMatchObject({ text: '{"text":"hello"}', backend: "onnx", usage: null });
    const { model } = opened([onnx]);
    expect(model.missing?.problem).toMatch(/echo is not open here/);
  });

  it.each([
    ["http://example.com/v1", /would travel unencrypted/],
    ["https://u:p@example.com/v1", /credentials/],
  ])("the address %s is refused", async (url, message) => {
    const error = await refusal(() => opened([{ ...legs()[0]!, url } as Leg]));
    expect(error.message).toMatch(message);
  });

  it("two backends of the same name are refused where they stand", async () => {
    const text = stringify(manifest([legs()[1]!, legs()[1]!]));
    const error = await refusal(() => parseYaml(text, "model.yaml", modelFile));
    expect(error.message).toMatch(/model\.yaml:\d+:\d+: `fallback\[1\]`: two backends are called ollama/);
  });
});
