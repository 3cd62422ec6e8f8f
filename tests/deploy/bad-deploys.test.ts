import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, it, type TestContext, vi } from "vitest";
import { repositoryRoot } from "../actions/gate/runner.ts";
import type { Behaviour, Deployed } from "../../rehearsal/hub/space.ts";
import { makePredecessor } from "./faults/predecessor.ts";
import { Stage, unpackDeployAction, type DeployAction, type StageOptions } from "./stage.ts";

// These tests start processes and may be slow on a busy machine.
vi.setConfig({ testTimeout: 240_000 });

let action: DeployAction;
let predecessor: string;
let removePredecessor: () => void;

async function open({ onTestFinished }: TestContext, options: StageOptions = {}): Promise<Stage> {
  const stage = await Stage.open(action, options);
  onTestFinished(() => stage.finish());
  return stage;
}

beforeAll(async () => {
  action = await unpackDeployAction();
  ({ dir: predecessor, remove: removePredecessor } = await makePredecessor(action));
});
afterAll(() => {
  action.remove();
  removePredecessor();
});

const isNew = (deployed: Deployed) => deployed?.model?.version === "1.1.0";
const sabotage = (act: (dir: string) => void): Partial<Behaviour> => ({
  sabotage: (dir, deployed) => {
    if (isNew(deployed)) act(dir);
  },
});
const model = (dir: string, name: string) => join(dir, "models/births", name);

type Bad = { name: string; behaviour: Partial<Behaviour>; says: string; settings?: string; log?: string };

const bad: Bad[] = [
  {
    name: "does not build",
    behaviour: { breaksBuild: isNew },
    says: "the image does not build (BUILD_ERROR",
    log: "npm ci",
  },
  {
    name: "does not build, and the Hub goes back to showing RUNNING",
    behaviour: { breaksBuild: isNew, hidesBuildError: true },
    says: "after a restart and a factory rebuild",
    settings: "stall-after=0.25",
    log: "npm ci",
  },
  {
    name: "crashes at its start",
    behaviour: sabotage((dir) => {
      writeFileSync(join(dir, "server/main.js"), 'console.error("boom: no such module"); process.exit(3);\n');
    }),
    says: "the app does not run (RUNTIME_ERROR: Exit code: 3",
    log: "boom",
  },
  {
    name: "starts and never gets ready",
    behaviour: sabotage((dir) => {
      rmSync(model(dir, "model.onnx"));
    }),
    says: "births is broken there",
    log: "artifact-missing",
  },
  {
    name: "has its weights corrupted on the way",
    behaviour: sabotage((dir) => {
      const bytes = readFileSync(model(dir, "model.onnx"));
      bytes[bytes.length >> 1]! ^= 0xff;
      writeFileSync(model(dir, "model.onnx"), bytes);
    }),
    says: "births is broken there",
    log: "artifact-digest",
  },
  {
    name: "serves other weights than the tree's",
    behaviour: sabotage((dir) => {
      const source = join(repositoryRoot, "models/births/production");
      for (const file of ["model.onnx", "model.yaml"])
        writeFileSync(model(dir, file), readFileSync(join(source, file)));
    }),
    says: "the Space serves weights with sha256 e271a6ade9ad",
  },
  {
    name: "never becomes the running revision",
    behaviour: { stalls: (deployed) => (isNew(deployed) ? "always" : "never") },
    says: "after a restart and a factory rebuild",
    settings: "stall-after=0.25",
  },
  {
    name: "answers wrongly",
    behaviour: {
      answers: (path, deployed, body) =>
        isNew(deployed) && path === "/predict"
          ? Buffer.from(body.toString("utf8").replace(/"value":[\d.]+/, '"value":1'))
          : body,
    },
    says: "golden row 1 of 1: heads.births.value: expected",
  },
  {
    name: "answers with something else altogether",
    behaviour: {
      answers: (path, deployed, body) =>
        isNew(deployed) && path === "/model/info" ? Buffer.from('{"hello":"world"}') : body,
    },
    says: "/model/info is not what Sluice's server answers",
  },
  {
    name: "is slow",
    behaviour: { delayMs: (path, deployed) => (isNew(deployed) && path === "/predict" ? 900 : 0) },
    says: "the median prediction takes",
    settings: "max-p50-ms=800 probes=1",
  },
];

it.concurrent.for(bad)(
  "a revision that $name is replaced by its predecessor, proved, and the job fails",
  async ({ behaviour, says, settings = "", log }, test) => {
    const { expect } = test;
    const stage = await open(test, { hub: { behaviour } });
    await stage.seed(join(predecessor, "tree"));
    stage.repository.release("1.1.0", "candidate");
    const run = await stage.deploy({ settings });
    expect(run.receipt?.reason).toContain(says);
    expect(run.receipt).toMatchObject({
      outcome: "rolled-back",
      rolledBackTo: { version: "1.0.0" },
      serving: stage.hub.space.repository.head,
    });
    expect(run.code).toBe(1);
    expect(run.summary).toContain("failed, rolled back");
    if (log !== undefined) expect(run.summary).toContain(log);
    expect(await stage.serves()).toBe("1.0.0");
    expect(stage.holds()).toBe("1.0.0");
    expect(stage.commits()).toEqual(["Deploy births 1.0.0", "Deploy births 1.1.0", "Restore births 1.0.0"]);
    expect(stage.records()).toEqual([
      "births-production deploy 1.0.0: success",
      "births-production deploy 1.1.0: in_progress failure",
      "births-production rollback 1.0.0: success",
    ]);
    expect(stage.tags()).toEqual([]);
    // The old weights were referenced, not uploaded again.
    const uploads = stage.hub.transcript.filter(
      ({ method, path }) => method === "PUT" && path.startsWith("/lfs-upload/"),
    );
    expect(uploads).toHaveLength(1);
  },
);

const wrong: Partial<Behaviour> = { breaksBuild: isNew };

describe("a roll-back", () => {
  it.concurrent("goes back to what served before, if it passes a proof, when GitHub has no record", async (test) => {
    const { expect } = test;
    const stage = await open(test, { hub: { behaviour: wrong } });
    await stage.seed(join(predecessor, "tree"), false);
    stage.repository.release("1.1.0", "candidate");
    const run = await stage.deploy();
    expect(run.log).toContain("it serves now and proves itself");
    expect(run.receipt?.outcome).toBe("rolled-back");
    expect(await stage.serves()).toBe("1.0.0");
  });

  it.concurrent("is not made when there is nothing proved to go back to, and says so", async (test) => {
    const { expect } = test;
    const stage = await open(test, { hub: { behaviour: wrong } });
    stage.repository.release("1.1.0", "candidate");
    const run = await stage.deploy();
    expect(run.code).toBe(1);
    expect(run.receipt).toMatchObject({ outcome: "failed", serving: null, rolledBackTo: null });
    expect(run.receipt?.reason).toContain("no earlier revision of this Space is known to have been proved");
    expect(stage.commits()).toEqual(["Deploy births 1.1.0"]);
  });

  it.concurrent("leaves alone what somebody else committed meanwhile", async (test) => {
    const { expect } = test;
    const stage = await open(test, { hub: { behaviour: wrong } });
    await stage.seed(join(predecessor, "tree"));
    stage.repository.release("1.1.0", "candidate");
    const { repository } = stage.hub.space;
    stage.hub.faults.push({ path: /\/runtime$/, skip: 2, times: 1, fault: { kind: "slow", ms: 1 } });
    const running = stage.deploy();
    const deadline = Date.now() + 20_000;
    while (repository.log()[0]?.title !== "Deploy births 1.1.0" && Date.now() < deadline)
      await new Promise((done) => setTimeout(done, 2));
    repository.apply(
      [
        { key: "header", value: { summary: "by hand" } },
        { key: "file", value: { path: "note.txt", content: "mine" } },
      ],
      "owner",
    );
    const run = await running;
    expect(run.code).toBe(1);
    expect(run.receipt?.reason).toContain("which this deployment did not make: it is left as it is");
    expect(stage.commits().at(-1)).toBe("by hand");
  });

  it.concurrent("is also made by a cancelled job, as far as time permits", async (test) => {
    const { expect } = test;
    const stage = await open(test, { hub: { behaviour: { buildMs: 60_000 } } });
    stage.hub.space.behaviour.buildMs = 30;
    await stage.seed(join(predecessor, "tree"));
    stage.hub.space.behaviour.buildMs = 60_000;
    stage.repository.release("1.1.0", "candidate");
    const running = stage.deploy({ settings: "build-timeout=60" });
    const deadline = Date.now() + 20_000;
    while (stage.holds() !== "1.1.0" && Date.now() < deadline) await new Promise((done) => setTimeout(done, 5));
    stage.child?.kill("SIGTERM");
    const run = await running;
    expect(run.code).toBe(1);
    expect(run.log).toContain("the job was cancelled");
    expect(stage.holds()).toBe("1.0.0");
  });
});
