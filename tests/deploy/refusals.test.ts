import { chmodSync, mkdirSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, it, type TestContext, vi } from "vitest";
import type { DeployRepository } from "./repository.ts";
import { Stage, unpackDeployAction, type DeployAction, type StageOptions } from "./stage.ts";

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
  const stage = await Stage.open(action, options);
  onTestFinished(() => stage.finish());
  stage.repository.release("1.1.0", "candidate");
  return stage;
}

/** Checks that nothing was written except the lock, and that it was released. */
function untouched(stage: Stage, expect: TestContext["expect"]): void {
  expect(stage.commits()).toEqual([]);
  expect(stage.records()).toEqual([]);
  expect(stage.tags()).toEqual([]);
  expect(stage.hub.transcript.filter(({ method }) => method !== "GET")).toEqual([]);
}

const secret = `hf_${"a1B2c3D4".repeat(5)}`;
const weights = (repository: DeployRepository) => join(repository.dir, "models/births/model.onnx");

type Refusal = {
  name: string;
  spoil: (repository: DeployRepository, stage: Stage) => void;
  says: string;
  inputs?: Record<string, string>;
};

const verdicts: Refusal[] = [
  {
    name: "there is no verdict",
    spoil: ({ dir }) => {
      unlinkSync(join(dir, ".sluice/verdict.json"));
    },
    says: "no verdict on births is here",
  },
  {
    name: "the verdict is FAIL",
    spoil: (repository) => {
      repository.judge((verdict) => {
        verdict.models[0]!.verdict = "FAIL";
        verdict.models[0]!.reason = "mae is worse";
      });
    },
    says: "received: FAIL: mae is worse",
  },
  {
    name: "the verdict is INCONCLUSIVE",
    spoil: (repository) => {
      repository.judge((verdict) => {
        verdict.models[0]!.verdict = "INCONCLUSIVE";
      });
    },
    says: "the gate did not let births through",
  },
  {
    name: "the verdict is on other weights",
    spoil: (repository) => {
      repository.judge((verdict) => {
        verdict.models[0]!.model.sha256 = "0".repeat(64);
      });
    },
    says: "the verdict is on other weights",
  },
  {
    name: "the verdict is on another version",
    spoil: (repository) => {
      repository.judge((verdict) => {
        verdict.models[0]!.model.version = "9.9.9";
      });
    },
    says: "the verdict is on another version",
  },
  {
    name: "the verdict was made for another commit",
    spoil: (repository) => {
      repository.save();
    },
    says: "the verdict was made for another commit",
  },
  {
    name: "the verdict is stale",
    spoil: (repository) => {
      repository.judge((verdict) => {
        verdict.createdAt = new Date(Date.now() - 8 * 86_400_000).toISOString();
      });
    },
    says: "the verdict is too old",
  },
  {
    name: "the verdict is not a verdict",
    spoil: (repository) => {
      repository.write(".sluice/verdict.json", "PASS");
    },
    says: "the file is not JSON",
  },
];

const files: Refusal[] = [
  {
    name: "the weights are not those that model.yaml names",
    spoil: (repository) => {
      writeFileSync(weights(repository), "other bytes\0");
    },
    says: "the file is not the one that the manifest names",
  },
  {
    name: "a Git LFS pointer stands in the place of the weights",
    spoil: (repository) => {
      writeFileSync(
        weights(repository),
        `version https://git-lfs.github.com/spec/v1\noid sha256:${"a".repeat(64)}\nsize 12\n`,
      );
    },
    says: "a Git LFS pointer stands in the place of the file",
  },
  {
    name: "a file is a symbolic link",
    spoil: (repository) => {
      unlinkSync(join(repository.dir, "models/births/README.md"));
      symlinkSync("/etc/passwd", join(repository.dir, "models/births/README.md"));
    },
    says: "a symbolic link cannot be deployed",
  },
  {
    name: "a file relies on its executable bit",
    spoil: (repository) => {
      chmodSync(weights(repository), 0o755);
    },
    says: "the Hub's commits keep no such bit",
  },
  {
    name: "a file holds a token",
    spoil: (repository) => {
      repository.write("models/births/README.md", `Use it:\n  HF_TOKEN=${secret}\n`);
    },
    says: "a Hugging Face token on line 2",
  },
  {
    name: "the tree is too large",
    spoil: () => {},
    says: "the tree is too large for a Space's repository",
    inputs: { settings: "max-space-bytes=1000" },
  },
  {
    name: "the model has no examples to try it with",
    spoil: (repository) => {
      repository.write(
        "models/births/model.yaml",
        repository.read("models/births/model.yaml").replace(/^serving:[\s\S]*$/m, ""),
      );
    },
    says: "the model has no serving.examples",
  },
];

const spaces: (Refusal & { options?: StageOptions })[] = [
  {
    name: "there is no such Space",
    spoil: () => {},
    says: "deploying never creates one",
    inputs: { space: "octo/absent" },
  },
  {
    name: "the Space is not a Docker Space",
    spoil: (_, { hub }) => {
      hub.space.sdk = "static";
    },
    says: "not a Docker Space",
  },
  {
    name: "the Space is paused",
    spoil: (_, { hub }) => {
      hub.space.stage = "PAUSED";
    },
    says: "only its owner can unpause it",
  },
  {
    name: "the owner's plan is missing",
    spoil: (_, { hub }) => {
      hub.faults.push({
        path: /\/preupload\//,
        times: 1,
        fault: { kind: "status", status: 402, body: { error: "Payment required" }, effect: false },
      });
    },
    says: "the Hub asks for a paid plan (402)",
  },
  {
    name: "the token is not known",
    spoil: () => {},
    says: "the Hub does not know this token",
    inputs: { "hf-token": "hf_wrong" },
  },
  {
    name: "sluice.yaml names no Space for the stage",
    spoil: () => {},
    says: "births has no Space for canary",
    inputs: { environment: "canary" },
  },
  { name: "a setting does not exist", spoil: () => {}, says: "no such setting", inputs: { settings: "tolerence=1" } },
  {
    name: "the version was released with other weights",
    spoil: (_, { github }) => {
      const { git } = github.state;
      git.tags["b".repeat(40)] = {
        tag: "births@1.1.0",
        message: `births 1.1.0\n\n${JSON.stringify({ model: { sha256: "c".repeat(64) } })}`,
        object: "d".repeat(40),
      };
      git.refs["refs/tags/births@1.1.0"] = { sha: "b".repeat(40), type: "tag" };
    },
    says: "raise `version` in model.yaml",
  },
];

describe.each([
  ["verdicts", verdicts],
  ["files", files],
  ["spaces", spaces],
] as const)("refused before anything is changed, %s:", (_group, cases) => {
  it.concurrent.for([...cases])("$name", async ({ spoil, says, inputs = {} }, test) => {
    const { expect } = test;
    const stage = await open(test);
    const tags = _group === "spaces" ? undefined : [];
    spoil(stage.repository, stage);
    const run = await stage.deploy(inputs);
    expect(run.log).toContain(says);
    expect(run.code).toBe(2);
    expect(run.log).not.toContain(secret);
    expect(run.summary).toContain("not deployed");
    if (tags !== undefined) untouched(stage, expect);
    expect(stage.commits()).toEqual([]);
    expect(stage.records()).toEqual([]);
  });
});

it("a tree with a file that nobody named is refused", async (test) => {
  const { expect } = test;
  const stage = await open(test);
  expect((await stage.deploy({ space: "none", bundle: "out/tree" })).code).toBe(0);
  mkdirSync(join(stage.repository.dir, "out/tree/config"), { recursive: true });
  writeFileSync(join(stage.repository.dir, "out/tree/config/.env"), `HF_TOKEN=${secret}`);
  const run = await stage.deploy({ bundle: "out/tree" });
  expect(run.log).toContain("the file is not part of the tree");
  expect(run.code).toBe(2);
  untouched(stage, expect);
});

describe("two deployments to one environment", () => {
  it("at the same time: one wins, one says who holds the lock", async (test) => {
    const { expect } = test;
    const stage = await open(test);
    const runs = await Promise.all([
      stage.deploy({}, { GITHUB_RUN_ID: "42", GITHUB_ACTOR: "ann" }),
      stage.deploy({}, { GITHUB_RUN_ID: "43", GITHUB_ACTOR: "bob" }),
    ]);
    expect(runs.map(({ code }) => code).sort()).toEqual([0, 1]);
    const loser = runs.find(({ code }) => code === 1)!;
    const winner = runs[0] === loser ? "bob" : "ann";
    expect(loser.log).toContain(`births-production is locked by ${winner} since `);
    expect(loser.log).toContain("npx sluice unlock births-production");
    expect(stage.commits()).toEqual(["Deploy births 1.1.0"]);
  });

  it("a later attempt of the same run takes over the lock that a killed one left", async (test) => {
    const { expect } = test;
    const stage = await open(test);
    stage.hub.faults.push({
      method: "POST",
      path: /\/commit\/main$/,
      times: 1,
      fault: {
        kind: "then",
        run: () => {
          stage.child?.kill("SIGKILL");
        },
      },
    });
    expect((await stage.deploy()).code).toBe(-1);
    expect(stage.locks()).toEqual(["refs/sluice/lock/births-production"]);
    expect((await stage.deploy({}, { GITHUB_RUN_ID: "43" })).log).toContain("is locked by octo since");
    const again = await stage.deploy({}, { GITHUB_RUN_ATTEMPT: "2" });
    expect(again.code).toBe(0);
    expect(stage.commits()).toEqual(["Deploy births 1.1.0"]);
  });
});
