import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { repositoryRoot } from "../actions/gate/runner.ts";
import { Stage, unpackDeployAction, type DeployAction } from "./stage.ts";

// These tests start processes and may be slow on a busy machine.
vi.setConfig({ testTimeout: 240_000 });

let action: DeployAction;
beforeAll(async () => {
  action = await unpackDeployAction();
});
afterAll(() => {
  action.remove();
});

/** A repository with only the virality model, its verdict PASS, and a Space for it. */
async function withVirality(play: (stage: Stage) => Promise<void>): Promise<void> {
  const stage = await Stage.open(action, { space: "octo/virality" });
  try {
    const { repository } = stage;
    const source = (name: string) => readFileSync(join(repositoryRoot, "models/virality", name));
    for (const name of ["model.yaml", "model.onnx", "tokenizer.json", "README.md"])
      repository.write(`models/virality/${name}`, source(name));
    repository.write(
      "sluice.yaml",
      "schemaVersion: 1\nmodels:\n  - models/virality\nspaces:\n  virality: {production: octo/virality}\n",
    );
    repository.write(".gitignore", `${repository.read(".gitignore")}node_modules\n`);
    // The verdict is made from the births model's manifest, which a first release creates.
    repository.release("1.1.0", "candidate");
    repository.judge((verdict) => {
      verdict.models[0]!.model = {
        id: "virality",
        version: "1.1.0",
        task: "binary-classification",
        sha256: /sha256: ([0-9a-f]{64})/.exec(source("model.yaml").toString())![1]!,
      };
    });
    await play(stage);
  } finally {
    await stage.finish();
  }
}

/**
 * The post-deploy checklist of docs/deploy.md, run by the built action itself, on a model whose answers have a format
 * of their own.
 */
it("virality is deployed and proved: ready, identity, golden answers with and without picture, bit for bit; its Space then answers in its own JSON", () =>
  withVirality(async (stage) => {
    // As if a step had installed sharp into the tool cache, as deploy.yml does.
    const tools = mkdtempSync(join(tmpdir(), "sluice-tools-"));
    const { dependencies } = JSON.parse(readFileSync(join(repositoryRoot, "package.json"), "utf8")) as {
      dependencies: { sharp: string };
    };
    const images = join(tools, "sluice-sharp", dependencies.sharp);
    mkdirSync(images, { recursive: true });
    symlinkSync(join(repositoryRoot, "node_modules"), join(images, "node_modules"));
    const run = await stage.deploy({ model: "virality" }, { RUNNER_TOOL_CACHE: tools });
    rmSync(tools, { recursive: true });
    expect({ code: run.code, log: run.log }).toMatchObject({
      code: 0,
      log: expect.stringContaining("live: virality 1.1.0"),
    });
    expect(run.log).toMatch(/proof 2 of 2: ready, virality 1\.1\.0, 3 golden answers, exactly/);
    expect(run.receipt).toMatchObject({ outcome: "live", space: "octo/virality", proof: { rounds: 2, exact: true } });
    const asked = await fetch(`http://${stage.hub.domain}/predict`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        title: "Why?",
        thumbnail_url: "http://127.0.0.1/x.png",
        view_count: 1,
        like_count: 0,
        comment_count: 0,
        duration_seconds: 9,
      }),
    });
    // The manifest allows the picture to be a URL, but this Space's server has not enabled that.
    expect(await asked.json()).toEqual({
      viral_score: expect.any(Number),
      predicted_velocity: expect.any(Number),
      confidence: expect.any(Number),
      processing_time_ms: expect.any(Number),
      notes: [
        {
          field: "thumbnail_url",
          problem: "the image was not fetched: the address is not public",
          used: "a plain picture of #808080",
        },
      ],
    });
  }));

it("without the image library a model that reads images is refused before anything is committed", () =>
  withVirality(async (stage) => {
    const run = await stage.deploy({ model: "virality" });
    expect(run.code).toBe(2);
    expect(run.log).toContain("the image library cannot be loaded");
    expect(stage.commits()).toEqual([]);
  }));
