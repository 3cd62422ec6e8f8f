import { Agent, request } from "node:http";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { describe, expect, it } from "vitest";
import {
  json,
  metric,
  modelFolder,
  serve,
  served,
  slowManifest,
  temporaryFolder,
  until,
  type ServerProcess,
} from "./harness.ts";

const row = { a: 1, b: 2, c: 3 };
const rewrite = (dir: string, changes: object) =>
  writeFileSync(join(dir, "model.yaml"), stringify({ ...served(), ...changes }));
const versionOf = async (server: ServerProcess, id = "linear") =>
  (await json(await server.get(`/models/${id}`)))["version"] as unknown as string;

/** Sends requests without a pause until it is stopped, and returns every status. */
function load(server: ServerProcess, path: string, body: object, lanes = 8) {
  const stopped = new AbortController();
  const seen = new Map<string, number>();
  const lane = async () => {
    while (!stopped.signal.aborted) {
      const outcome = await server.post(path, body).then(
        async (response) => `${response.status} ${(await json(response))["version"] ?? ""}`,
        (error: unknown) => `failed: ${String((error as Error).cause ?? error)}`,
      );
      seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
    }
  };
  const done = Promise.all(Array.from({ length: lanes }, lane));
  return {
    seen,
    async stop() {
      stopped.abort();
      await done;
    },
  };
}

describe("starting", () => {
  it("is live before it is ready, and ready only after the warm-up", async () => {
    const server = await serve([modelFolder(slowManifest({ serving: { examples: [{ work: 1000, value: 1 }] } }))], [], {
      ready: false,
    });
    expect((await server.get("/livez")).status).toBe(200);
    const early = await server.get("/readyz");
    expect([early.status, await early.json()]).toEqual([503, { status: "starting", models: { slow: "loading" } }]);
    expect(early.headers.get("retry-after")).toBe("1");
    const refused = await server.post("/predict", { work: 1, value: 1 });
    expect([refused.status, (await json(refused))["code"]]).toEqual([503, "not-ready"]);
    await until(async () => ((await server.get("/readyz")).status === 200 ? true : undefined));
    expect(await json(await server.post("/predict", { work: 1, value: 7 }))).toMatchObject({
      heads: { value: { value: 7 } },
    });
    expect(await metric(server, "inference_rows_total", 'model="slow"')).toBe(1);
  });

  it("never is ready when the default model is broken, and says why", async () => {
    const dir = modelFolder(served({ serving: { examples: [{ a: "one", b: 2, c: 3 }] } }));
    const server = await serve([dir, modelFolder(served({ id: "good" }))], [], { ready: false });
    const list = await until(async () => {
      const models = (await json(await server.get("/models")))["models"] as unknown as { state: string }[];
      return models.every(({ state }) => state !== "loading") ? models : undefined;
    });
    expect(list).toMatchObject([
      { state: "broken", error: { problem: expect.stringContaining("serving.examples[0]") } },
      { id: "good", state: "ready" },
    ]);
    expect((await server.get("/readyz")).status).toBe(503);
    expect((await server.get("/")).status).toBe(503);
    expect((await server.post("/models/good/predict", row)).status).toBe(200);
    expect(await until(() => server.log().find(({ msg }) => msg === "model broken"))).toMatchObject({
      level: "error",
      model: "linear",
    });
  });
});

describe("reloading", () => {
  it("swaps a model under load on SIGHUP without a failed request", async () => {
    const dir = modelFolder(served());
    const server = await serve([dir], ["--no-watch"]);
    const traffic = load(server, "/predict", row);
    await until(() => ((traffic.seen.get("200 1.0.0") ?? 0) > 50 ? true : undefined));
    rewrite(dir, { version: "1.1.0" });
    server.process.kill("SIGHUP");
    await until(() => ((traffic.seen.get("200 1.1.0") ?? 0) > 50 ? true : undefined));
    await traffic.stop();
    expect([...traffic.seen.keys()].toSorted()).toEqual(["200 1.0.0", "200 1.1.0"]);
    expect(await metric(server, "model_reloads_total", 'result="success"')).toBe(1);
    // Series of the version that is gone would join with those of the new one.
    const lines = (await (await server.get("/metrics")).text()).split("\n");
    expect(lines.filter((line) => line.startsWith('model_info{model="linear"'))).toHaveLength(1);
  });

  it("swaps a model in a worker too, and a large request in many chunks finishes on the version that it began with", async () => {
    const dir = modelFolder(slowManifest());
    const server = await serve([dir], ["--no-watch", "--engine", "worker", "--max-batch", "1"]);
    const rows = Array.from({ length: 60 }, (_, i) => ({ work: 100, value: i }));
    const large = server.post("/predict/batch", { rows });
    const traffic = load(server, "/predict", { work: 5, value: 1 }, 3);
    await until(() => ((traffic.seen.get("200 1.0.0") ?? 0) > 5 ? true : undefined));
    writeFileSync(join(dir, "model.yaml"), stringify(slowManifest({ version: "2.0.0" })));
    server.process.kill("SIGHUP");
    await until(() => ((traffic.seen.get("200 2.0.0") ?? 0) > 5 ? true : undefined));
    await traffic.stop();
    expect([...traffic.seen.keys()].toSorted()).toEqual(["200 1.0.0", "200 2.0.0"]);
    expect(await json(await large)).toMatchObject({ version: "1.0.0", failed: 0, rows: 60 });
  });

  it("notices changed files, and keeps the old model when the new one is broken", async () => {
    const dir = modelFolder(served());
    const server = await serve([dir]);
    rewrite(dir, { version: "1.2.0" });
    await until(async () => ((await versionOf(server)) === "1.2.0" ? true : undefined));
    rewrite(dir, { version: "1.3.0", artifact: { path: "linear.onnx", sha256: "1".repeat(64) } });
    const reload = await until(async () => {
      const last = (await json(await server.get("/models/linear")))["reload"] as unknown as {
        ok: boolean;
        diagnostic: { code: string };
      } | null;
      return last?.ok === false ? last : undefined;
    });
    expect(reload.diagnostic.code).toBe("artifact-digest");
    expect(await versionOf(server)).toBe("1.2.0");
    expect((await server.post("/predict", row)).status).toBe(200);
    expect((await server.get("/readyz")).status).toBe(200);
  });

  it("loads a model that was broken at the start", async () => {
    const dir = modelFolder(served({ artifact: { path: "linear.onnx", sha256: "1".repeat(64) } }));
    const server = await serve([modelFolder(served({ id: "good" })), dir]);
    rewrite(dir, {});
    await until(async () => ((await versionOf(server)) === "1.0.0" ? true : undefined));
    expect((await server.post("/models/linear/predict", row)).status).toBe(200);
  });
});

describe("stopping", () => {
  it.each([["main"], ["worker"], ["process"]])(
    "answers requests in flight, refuses new ones, and exits 0 (%s)",
    async (engine) => {
      const server = await serve([modelFolder(slowManifest())], ["--engine", engine]);
      const inFlight = [1, 2, 3].map((value) => server.post("/predict", { work: 700, value }));
      await until(async () =>
        engine === "main" || (await metric(server, "inference_runs_in_flight")) === 1 ? true : undefined,
      );
      if (engine === "main")
        await new Promise((done) => {
          setTimeout(done, 100);
        });
      server.process.kill("SIGTERM");
      expect(await Promise.all(inFlight.map(async (one) => (await json(await one))["heads"]))).toEqual(
        [1, 2, 3].map((value) => ({ value: { kind: "regression", value } })),
      );
      expect(await server.exited).toBe(0);
      await expect(server.get("/livez")).rejects.toThrow("fetch failed");
      expect(server.log().at(-1)).toMatchObject({ msg: "drained", inTime: true });
    },
  );

  it("resets no connection: clients with open ones are told before the port closes", { timeout: 120_000 }, async () => {
    const server = await serve([modelFolder(served())], ["--lame-duck-seconds", "1"]);
    const { hostname, port } = new URL(server.url);
    const body = JSON.stringify(row);
    const agent = new Agent({ keepAlive: true, maxSockets: 64 });
    const failures: string[] = [];
    let answered = 0;
    const stopped = { is: false };
    const ask = () =>
      new Promise<void>((resolve) => {
        const sent = request(
          {
            hostname,
            port,
            path: "/predict",
            method: "POST",
            agent,
            headers: { "content-type": "application/json", "content-length": String(body.length) },
          },
          (response) => {
            answered += 1;
            response.resume().on("end", resolve);
          },
        );
        sent.on("error", (error: NodeJS.ErrnoException) => {
          // A port that is closed is told to whoever connects anew; a connection that breaks loses a request.
          if (error.code === "ECONNREFUSED") stopped.is = true;
          else failures.push(String(error.code));
          resolve();
        });
        sent.end(body);
      });
    const lanes = Array.from({ length: 64 }, async () => {
      while (!stopped.is) await ask();
    });
    await until(() => (answered > 500 ? true : undefined));
    server.process.kill("SIGTERM");
    expect(await server.exited).toBe(0);
    stopped.is = true;
    await Promise.all(lanes);
    agent.destroy();
    expect(failures).toEqual([]);
  });

  it("does not wait for idle connections", async () => {
    const server = await serve([modelFolder(served())]);
    await Promise.all(Array.from({ length: 10 }, () => server.post("/predict", row)));
    server.process.kill("SIGTERM");
    expect(await server.exited).toBe(0);
    expect(server.log().at(-1)).toMatchObject({ inTime: true });
  });

  it("exits with 0 at the deadline although a worker is inside a run that cannot be stopped", async () => {
    const server = await serve([modelFolder(slowManifest())], ["--engine", "worker", "--drain-seconds", "0.3"]);
    const endless = server.post("/predict", { work: 5_000_000, value: 1 }).then(
      () => "answered",
      () => "cut off",
    );
    await until(async () => ((await metric(server, "inference_runs_in_flight")) === 1 ? true : undefined));
    server.process.kill("SIGTERM");
    expect(await server.exited).toBe(0);
    expect(await endless).toBe("cut off");
    expect(server.log().filter(({ msg }) => msg === "drained")).toMatchObject([{ inTime: false }]);
    expect(server.output()).not.toContain("Napi::Error");
  });
});

describe("the command", () => {
  const refuse = async (dirs: string[], flags: string[], env: Record<string, string> = {}) => {
    const failed = await serve(dirs, flags, { ready: false, env }).then(
      () => "started",
      (error: unknown) => (error as Error).message,
    );
    return failed;
  };
  it("refuses wrong settings with the flag, the variable and what is expected; exit 2", async () => {
    const dir = modelFolder(served());
    expect(await refuse([dir], ["--max-rows", "many"])).toMatch(
      /ended with 2: sluice: --max-rows \(or SLUICE_MAX_ROWS\)/,
    );
    expect(await refuse([dir], [], { SLUICE_ENGINE: "gpu" })).toMatch(
      /ended with 2: sluice: --engine \(or SLUICE_ENGINE\)/,
    );
    expect(await refuse(["nobody"], [])).toMatch(/ended with 2: .*no model nobody/);
    expect(await refuse([dir], ["--keys-file", join(temporaryFolder(), "none")])).toMatch(
      /ended with 2: .*API keys cannot be read/,
    );
    expect(await refuse(["--models", temporaryFolder()], [])).toMatch(/ended with 2: .*no model to serve/);
  });

  it("takes settings from the environment, and models from a folder", async () => {
    const folder = temporaryFolder();
    modelFolder(served(), {}, join(folder, "one"));
    modelFolder(served({ id: "two" }), {}, join(folder, "two"));
    const server = await serve(["--models", folder], [], {
      env: { SLUICE_DEFAULT_MODEL: "two", SLUICE_LOG_LEVEL: "silent" },
    });
    expect(await server.get("/").then((response) => response.json())).toEqual({
      status: "healthy",
      model: "two v1.0.0",
    });
    expect(server.log()).toEqual([]);
    rmSync(folder, { recursive: true });
  });
});
