import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { DEFAULT_TEXT, startInferenceEndpoint, type InferenceEndpoint } from "../../../rehearsal/inference/server.ts";
import { modelFolder, serve, slowManifest, temporaryFolder, until, type ServerProcess } from "./harness.ts";
import { jobsClient } from "./jobs-client.ts";

let endpoint: InferenceEndpoint;
let server: ServerProcess;
beforeAll(async () => {
  endpoint = await startInferenceEndpoint();
  const reply = join(temporaryFolder(), "reply");
  mkdirSync(reply);
  writeFileSync(
    join(reply, "model.yaml"),
    stringify({
      schemaVersion: 1,
      id: "reply",
      version: "1.0.0",
      task: "text-generation",
      backend: "hf-inference",
      model: "some-org/some-model",
      inputs: { text: { type: "text", maxCharacters: 200 } },
      head: "reply",
      prompt: { template: "{{text}}" },
      retry: { attempts: 1 },
      breaker: { failures: 100, openMs: 60_000 },
      limits: { timeoutMs: 30_000, concurrency: 1, queue: 1, maxRows: 5 },
      serving: { examples: [{ text: "I passed my exam" }], jobs: { maxRows: 10 } },
    }),
  );
  server = await serve([reply], ["--no-watch"], {
    env: { HF_TOKEN: "hf_standIn", HF_INFERENCE_ENDPOINT: endpoint.url },
  });
});
afterAll(() => endpoint.close());

describe("a job", () => {
  it("asks a provider again for the rows that it failed for, and says so of those that it never answers", async () => {
    const client = jobsClient(server);
    const rows = Array.from({ length: 4 }, (_, i) => ({ text: `row ${i}` }));
    endpoint.plan({ kind: "ok" }, { kind: "refuse", status: 503 }, { kind: "ok" });
    const mended = await client.submit("reply", { rows });
    expect(await client.ended(mended.id)).toMatchObject({ state: "succeeded", progress: { rows: 4, failed: 0 } });
    expect((await client.lines(mended.id)).map(({ heads }) => heads!["reply"]!["text"])).toEqual(
      rows.map(() => DEFAULT_TEXT),
    );
    expect(endpoint.calls).toHaveLength(5);

    endpoint.calls.length = 0;
    endpoint.plan({ kind: "refuse", status: 503 });
    const never = await client.submit("reply", { rows: rows.slice(0, 2) });
    const ended = await client.ended(never.id);
    expect(ended).toMatchObject({ state: "succeeded", progress: { rows: 2, failed: 2 } });
    expect(ended.problems).toMatchObject([{ rows: 2, first: [0, 1] }]);
    expect((await client.lines(never.id)).map(({ error }) => error!.status >= 502)).toEqual([true, true]);
    expect(endpoint.calls).toHaveLength(6);
  });

  it("is bounded by what the model's manifest says", async () => {
    const client = jobsClient(server);
    const job = await client.submit("reply", { rows: Array.from({ length: 11 }, () => ({ text: "x" })) });
    expect(await client.ended(job.id)).toMatchObject({ state: "failed", error: { code: "too-many-rows" } });
  });

  it("begins again when its model is replaced, so that one version answers all of it", async () => {
    const model = modelFolder(slowManifest());
    const flags = ["--no-watch", "--jobs-dir", temporaryFolder()];
    const env = { SLUICE_JOBS_KEY: Buffer.alloc(32, 4).toString("base64") };
    const before = await serve([model], flags, { env });
    const client = jobsClient(before);
    const job = await client.submit("slow", { rows: Array.from({ length: 200 }, (_, i) => ({ work: 20, value: i })) });
    await until(async () => ((await client.get(job.id)).progress.rows > 0 ? true : undefined));
    expect((await client.get(job.id)).version).toBe("1.0.0");
    await before.kill();
    writeFileSync(join(model, "model.yaml"), stringify(slowManifest({ version: "2.0.0" })));
    const after = jobsClient(await serve([model], flags, { env }));
    expect(await after.ended(job.id)).toMatchObject({
      state: "succeeded",
      version: "2.0.0",
      restarts: 1,
      progress: { rows: 200, failed: 0, total: 200 },
    });
    expect((await after.lines(job.id)).map(({ row }) => row)).toEqual(Array.from({ length: 200 }, (_, i) => i));
  });
});
