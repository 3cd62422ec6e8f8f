import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import type { FallbackManifestInput } from "../../../models/remote/manifest.ts";
import { pieces, startBackend, type Backend } from "../../models/remote/backends.ts";
import { wordToy } from "../../models/core/kinds.ts";
import { json, metric, modelFolder, serve, temporaryFolder, type ServerProcess } from "./harness.ts";

const KEY = "sk-standInKeyThatNobodyMayPrint";
let openai: Backend;
let ollama: Backend;
let server: ServerProcess;
beforeAll(async () => {
  [openai, ollama] = [await startBackend("openai"), await startBackend("ollama")];
  const manifest: FallbackManifestInput = {
    schemaVersion: 1,
    id: "reply",
    version: "1.0.0",
    task: "text-generation",
    backend: "fallback",
    inputs: { text: { type: "text" } },
    head: "reply",
    prompt: { template: "{{text}}" },
    fallback: [
      { backend: "openai", name: "vllm", url: openai.url, model: "m", key: { env: "VLLM_KEY" } },
      { backend: "ollama", url: { env: "OLLAMA" }, model: "m", breaker: { failures: 1 } },
    ],
    serving: { examples: [{ text: "hello" }] },
  };
  const root = temporaryFolder();
  const dir = join(root, "reply");
  mkdirSync(dir);
  writeFileSync(join(dir, "model.yaml"), stringify(manifest));
  const words = wordToy();
  modelFolder({ ...words.manifest, id: "words" }, words.files, join(root, "words"));
  const local = join(root, "local");
  mkdirSync(local);
  const onnx = { backend: "onnx" as const, model: "words" };
  const missing = { ...onnx, name: "absent", model: "absent" };
  writeFileSync(
    join(local, "model.yaml"),
    stringify({ ...manifest, id: "local", fallback: [missing, manifest.fallback[0]!, onnx] }),
  );
  server = await serve([dir, local], ["--no-watch"], { env: { VLLM_KEY: KEY, OLLAMA: ollama.url } });
});
beforeEach(() => {
  openai.plan({ kind: "ok" });
  ollama.plan({ kind: "ok" });
});

const eventsOf = async () => {
  const response = await server.post("/predict", { text: "hello" }, { accept: "text/event-stream" });
  return [...(await response.text()).matchAll(/event: (\w+)\ndata: (.*)/g)].map(([, event, data]) => ({
    event,
    data: JSON.parse(data!) as Record<string, any>,
  }));
};

describe("a served fallback", () => {
  it("names the backend that answered, in the answer, the metrics and the card", async () => {
    openai.plan({ kind: "status", status: 500 }, { kind: "ok" });
    const first = await json(await server.post("/predict", { text: "hello" }));
    expect(first["heads"]).toEqual({
      reply: {
        kind: "text",
        text: pieces.join(""),
        finishReason: "stop",
        usage: { inputTokens: 7, outputTokens: 3 },
        backend: "ollama",
      },
    });
    expect(await json(await server.post("/predict", { text: "hello" }))).toMatchObject({
      heads: { reply: { backend: "vllm" } },
    });
    const calls = (backend: string, result: string) =>
      metric(server, "fallback_backend_requests_total", `model="reply",backend="${backend}",result="${result}"`);
    expect(await calls("vllm", "remote-failed")).toBe(1);
    expect(await calls("vllm", "success")).toBe(1);
    expect(await calls("ollama", "success")).toBe(1);
    const card = (await json(await server.get("/models/reply"))) as unknown as { remote: { backends: object[] } };
    expect(card.remote.backends).toEqual([
      { name: "vllm", backend: "openai", model: "m", circuit: { state: "closed", retryInMs: 0 }, missing: null },
      { name: "ollama", backend: "ollama", model: "m", circuit: { state: "closed", retryInMs: 0 }, missing: null },
    ]);
    expect(server.output()).not.toContain(KEY);
  });

  it("a stream whose backend is killed ends with what was said, marked, and without a word twice", async () => {
    openai.plan({ kind: "cut", pieces: ["Good ", "to "] });
    const events = await eventsOf();
    expect(events.map(({ event }) => event)).toEqual(["token", "token", "result"]);
    expect(events.slice(0, 2).map(({ data }) => data["text"])).toEqual(["Good ", "to "]);
    expect(events[2]!.data["heads"].reply).toEqual({
      kind: "text",
      text: "Good to ",
      finishReason: "partial",
      usage: null,
      backend: "vllm",
      partial: true,
    });
  });

  it("an answer that is not streamed is whole, from the next backend", async () => {
    openai.plan({ kind: "cut", pieces: ["Good ", "to "] });
    expect(await json(await server.post("/predict", { text: "hello" }))).toMatchObject({
      heads: { reply: { text: pieces.join(""), backend: "ollama" } },
    });
  });

  it("a local model answers where the others do not, and one that is not there is said to be missing", async () => {
    openai.plan({ kind: "status", status: 503 });
    const answer = await json(await server.post("/models/local/predict", { text: "t7 t1" }));
    expect(answer).toMatchObject({ heads: { reply: { kind: "text", backend: "onnx", usage: null } } });
    expect((answer as unknown as { heads: { reply: { text: string } } }).heads.reply.text).not.toBe("");
    const card = (await json(await server.get("/models/local"))) as unknown as {
      remote: { backends: { name: string; missing: string | null }[] };
    };
    expect(card.remote.backends.map((one) => [one.name, one.missing === null])).toEqual([
      ["absent", false],
      ["vllm", true],
      ["onnx", true],
    ]);
  });

  it("nobody answers: 502, and each backend with its reason", async () => {
    openai.plan({ kind: "status", status: 500 });
    ollama.plan({ kind: "error-inside", pieces: [] });
    const response = await server.post("/predict", { text: "hello" });
    expect(response.status).toBe(502);
    const problem = (await response.json()) as { code: string; detail: string };
    expect(problem.code).toBe("remote-failed");
    expect(problem.detail).toMatch(/vllm: the provider answers 500; ollama: the backend reports an error/);
  });
});
