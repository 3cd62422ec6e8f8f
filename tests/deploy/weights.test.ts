import { createHash } from "node:crypto";
import { join } from "node:path";
import { afterAll, beforeAll, describe, it, type TestContext, vi } from "vitest";
import { sha256 } from "../../rehearsal/hub/repository.ts";
import { Stage, unpackDeployAction, type DeployAction, type StageOptions } from "./stage.ts";

// Here weights of 30 kB count as large and are uploaded in parts.
const settings = "max-weights-bytes=1000";
const models = { "octo/births": { private: false } };

// These tests start processes and may be slow on a busy machine.
vi.setConfig({ testTimeout: 240_000 });

let action: DeployAction;
beforeAll(async () => {
  action = await unpackDeployAction();
});
afterAll(() => {
  action.remove();
});

async function open({ onTestFinished }: TestContext, options: StageOptions = {}): Promise<Stage> {
  const stage = await Stage.open(action, { ...options, hub: { models, multipartBytes: 20_000, ...options.hub } });
  onTestFinished(() => stage.finish());
  stage.repository.release("1.0.0", "production");
  return stage;
}

const model = (stage: Stage, name = "octo/births") => stage.hub.models.get(name)!.repository;
const commitsOf = (stage: Stage, name?: string) =>
  model(stage, name)
    .log()
    .map(({ title }) => title)
    .toReversed()
    .slice(1);
const manifestOf = (stage: Stage) =>
  stage.hub.space.repository
    .read(stage.hub.space.repository.commit("main")!, "models/births/model.yaml")!
    .toString("utf8");
const hubOf = (stage: Stage) => /^ {2}hub: (\S+)$/m.exec(manifestOf(stage))?.[1];

describe("weights that are too large for the Space", () => {
  it.concurrent("go to the model repository once, are pinned there and fetched at the start; a roll-back finds the earlier ones", async (test) => {
    const { expect } = test;
    const stage = await open(test);
    const planned = await stage.deploy({ settings, "dry-run": "true" });
    expect(planned.log).toContain("first commit the weights (28.6 KiB) to the model repository octo/births");
    expect(commitsOf(stage)).toEqual([]);

    const first = await stage.deploy({ settings });
    expect(first.code).toBe(0);
    expect(await stage.serves()).toBe("1.0.0");
    expect(commitsOf(stage)).toEqual(["Weights of births 1.0.0"]);
    const revision = model(stage).head;
    expect(hubOf(stage)).toMatch(new RegExp(`^octo/births@${revision}/births/[0-9a-f]{16}/model\\.onnx$`));
    expect(first.receipt?.deployed.weights?.hub).toBe(hubOf(stage));
    const held = stage.hub.space.repository.commit("main")!.tree;
    expect([...held.keys()].filter((path) => path.endsWith(".onnx"))).toEqual([]);
    const bytes = model(stage).read(model(stage).commit("main")!, hubOf(stage)!.split("/").slice(2).join("/"))!;
    expect(sha256(bytes)).toBe(first.receipt!.deployed.model.sha256);
    expect(
      stage.hub.transcript.filter(({ method, path }) => method === "PUT" && /\/part\/\d+$/.test(path)),
    ).toHaveLength(2);

    // Somebody else's commit does not change which commit is ours.
    model(stage).apply(
      [
        { key: "header", value: { summary: "a card" } },
        { key: "file", value: { path: "README.md", content: "hello" } },
      ],
      "owner",
    );
    const again = await stage.deploy({ settings });
    expect(again.receipt).toMatchObject({ outcome: "live", committed: false });
    expect(stage.commits()).toEqual(["Deploy births 1.0.0"]);

    stage.repository.release("1.1.0", "candidate");
    expect((await stage.deploy({ settings })).code).toBe(0);
    expect(await stage.serves()).toBe("1.1.0");
    const back = await stage.deploy({ version: "1.0.0" });
    expect(back.code).toBe(0);
    expect(await stage.serves()).toBe("1.0.0");
    expect(hubOf(stage)).toContain(`@${revision}/`);
    expect(commitsOf(stage)).toEqual(["Weights of births 1.0.0", "a card", "Weights of births 1.1.0"]);
  });

  it.concurrent("are the same bytes in staging and in production, also by trusted publishing; each token is good for one repository", async (test) => {
    const { expect } = test;
    const stage = await open(test, { trusted: true });
    expect((await stage.deploy({ space: "none", bundle: "out/tree", settings })).receipt?.outcome).toBe("bundled");
    const staging = await stage.deploy({ bundle: "out/tree", environment: "staging", space: "octo/births", settings });
    expect(staging.code).toBe(0);
    const tree = stage.hub.space.repository.commit("main")!.tree;
    const production = await stage.deploy({ bundle: "out/tree", settings });
    expect(production.code).toBe(0);
    expect(production.receipt).toMatchObject({
      committed: false,
      deployed: { weights: staging.receipt!.deployed.weights },
    });
    expect(stage.hub.space.repository.commit("main")!.tree).toEqual(tree);
    expect(commitsOf(stage)).toHaveLength(1);
    expect(stage.hub.issued).toHaveLength(4);
    const used = (part: string) =>
      new Set(
        stage.hub.transcript
          .filter(({ path }) => path.startsWith(part))
          .map(({ authorization }) => authorization)
          .filter((one) => one !== null),
      );
    expect(used("/api/models/").intersection(used("/api/spaces/"))).toEqual(new Set());
  });

  it.concurrent("are committed once though the answer is lost, and on top of what somebody else commits meanwhile", async (test) => {
    const { expect } = test;
    const stage = await open(test);
    stage.hub.faults.push({
      method: "POST",
      path: /^\/api\/models\/.*\/commit\/main$/,
      times: 1,
      fault: { kind: "reset", effect: true },
    });
    // Between reading the state and committing.
    stage.hub.faults.push({
      method: "POST",
      path: /^\/octo\/births\.git\//,
      times: 1,
      fault: {
        kind: "before",
        run: () => {
          model(stage).apply(
            [
              { key: "header", value: { summary: "by hand" } },
              { key: "file", value: { path: "note.txt", content: "mine" } },
            ],
            "owner",
          );
        },
      },
    });
    const run = await stage.deploy({ settings });
    expect(run.code).toBe(0);
    expect(commitsOf(stage)).toEqual(["by hand", "Weights of births 1.0.0"]);
    expect(await stage.serves()).toBe("1.0.0");
  });

  it.concurrent("in a private repository are fetched with the Space's own secret", async (test) => {
    const { expect } = test;
    const stage = await open(test, { hub: { models: { "octo/births": { private: true } } } });
    const refused = await stage.deploy({ settings });
    expect(refused.log).toContain("the Space has no token to fetch them with");
    expect(refused.code).toBe(2);
    expect([stage.commits(), commitsOf(stage)]).toEqual([[], []]);
    stage.hub.space.secrets.set("HF_TOKEN", stage.hub.options.token);
    expect((await stage.deploy({ settings })).code).toBe(0);
    expect(await stage.serves()).toBe("1.0.0");
  });

  it.concurrent("that come from the Hub with other bytes are never served; the predecessor is", async (test) => {
    const { expect } = test;
    const stage = await open(test);
    expect((await stage.deploy({ settings })).code).toBe(0);
    stage.repository.release("1.1.0", "candidate");
    const weights = stage.repository.read("models/births/model.yaml").match(/sha256: ([0-9a-f]{64})/)![1]!;
    stage.hub.faults.push({
      method: "POST",
      path: /^\/api\/spaces\/.*\/commit\/main$/,
      times: 1,
      fault: {
        kind: "before",
        run: () => {
          const bytes = Buffer.from(model(stage).lfsObjects.get(weights)!);
          bytes[bytes.length >> 1]! ^= 0xff;
          model(stage).lfsObjects.set(weights, bytes);
        },
      },
    });
    const run = await stage.deploy({ settings });
    expect(run.receipt).toMatchObject({ outcome: "rolled-back", rolledBackTo: { version: "1.0.0" } });
    expect(run.receipt?.reason).toContain("births is broken there");
    expect(run.summary).toContain("artifact-digest");
    expect(await stage.serves()).toBe("1.0.0");
  });

  it.concurrent("need a model repository that exists, by convention or by name", async (test) => {
    const { expect } = test;
    const stage = await open(test, { hub: { models: { "octo/heavy": { private: false } } } });
    const missing = await stage.deploy({ settings });
    expect(missing.log).toContain(
      "models/octo/births: the weights are too large for the Space, and there is no such model repository",
    );
    expect(missing.code).toBe(2);
    stage.repository.write("sluice.yaml", `${stage.repository.read("sluice.yaml")}weights: {births: octo/heavy}\n`);
    stage.repository.release("1.0.0", "production");
    const planned = await stage.deploy({ settings, "dry-run": "true" });
    expect(planned.log).toContain("to the model repository octo/heavy");
    expect(planned.code).toBe(0);
  });
});

it("a folder of weights is named by the digests of all its files", async (test) => {
  const { expect } = test;
  const { largeWeights, withHubWeights } = await import("../../deploy/bundle/hub-weights.ts");
  const { treeFile } = await import("../../deploy/bundle/tree.ts");
  const stage = await open(test);
  const original = stage.repository.read("models/births/model.yaml");
  const text = original.replace(
    "  path: model.onnx\n",
    `  path: weights/model.onnx\n  externalData: [{path: big.data, sha256: ${"b".repeat(64)}}]\n`,
  );
  const digest = /sha256: ([0-9a-f]{64})/.exec(original)![1]!;
  const files = [
    treeFile("models/births/model.yaml", Buffer.from(text)),
    treeFile("models/births/weights/model.onnx", Buffer.alloc(600)),
    treeFile("models/births/weights/big.data", Buffer.alloc(600)),
  ];
  const deployed = {
    schemaVersion: 1 as const,
    model: { id: "births", version: "1.0.0", task: "regression", sha256: digest },
    source: { repository: null, commit: null },
    verdict: { verdict: "PASS" as const, sha256: "c".repeat(64) },
    server: { version: "1" },
    files: {},
  };
  const tree = {
    files,
    deployed,
    golden: { schemaVersion: 1 as const, machine: { cpu: "", onnxruntime: "" }, rows: [] },
  };
  const folder = createHash("sha256")
    .update([`${"b".repeat(64)}  big.data\n`, `${digest}  model.onnx\n`].sort().join(""))
    .digest("hex")
    .slice(0, 16);
  const large = largeWeights(tree, 1000)!;
  expect(large.files.map(({ path }) => path).sort()).toEqual([
    join("births", folder, "big.data"),
    join("births", folder, "model.onnx"),
  ]);
  const space = withHubWeights(tree, large, "octo/births", "1".repeat(40));
  expect(space.files.map(({ path }) => path)).toEqual(["models/births/model.yaml", "deployment.json"]);
  expect(space.deployed.weights).toEqual({
    hub: `octo/births@${"1".repeat(40)}/births/${folder}/model.onnx`,
    bytes: 1200,
  });
  expect(largeWeights(tree, 1200)).toBeNull();
  expect(largeWeights(space, 1)).toBeNull();
});
