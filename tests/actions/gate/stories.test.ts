import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { gateResult } from "../../../actions/gate/result.ts";
import { requireContract } from "../../../rehearsal/github/openapi.ts";
import { startGitHub, type SeededGitHub } from "../../../rehearsal/github/seeded/github.ts";
import type { GitHubState } from "../../../rehearsal/github/seeded/state.ts";
import { makeRepository, pullRequest, withChecks, type ModelRepository, type RepositoryOptions } from "./repository.ts";
import { runStep, unpackAction, type StepOptions, type StepRun, type UnpackedAction } from "./runner.ts";

const token = "ghs_a1b2c3d4e5f6";
const passes = "{kind: non-inferiority, metric: mae, margin: {relative: 0.1}}";
const fails = "{kind: limit, metric: mae, max: 100}";

let action: UnpackedAction;
let github: SeededGitHub;
let repository: ModelRepository | undefined;

beforeAll(async () => {
  action = await unpackAction({ native: true });
});
afterAll(() => {
  action.remove();
});
afterEach(async () => {
  repository?.remove();
  repository = undefined;
  // Whatever a story did, every request was valid for GitHub, and no other server was contacted.
  const { transcript } = github;
  await github.close();
  requireContract(transcript);
});

type Story = {
  checks?: string[];
  configuration?: string;
  change?: RepositoryOptions["change"];
  state?: Partial<GitHubState>;
  fork?: boolean;
  inputs?: Record<string, string>;
} & Partial<Pick<StepOptions, "action" | "event" | "env">>;

async function play({
  checks = [passes],
  configuration,
  change,
  state = {},
  fork = false,
  inputs = {},
  ...rest
}: Story) {
  github = await startGitHub(state);
  repository = makeRepository({
    checks,
    ...(configuration === undefined ? {} : { configuration }),
    ...(change === undefined ? {} : { change }),
  });
  const again = (): Promise<StepRun> =>
    runStep({
      action,
      workspace: repository!.dir,
      event: pullRequest(repository!, { fork }),
      sha: repository!.head,
      apiUrl: github.url,
      inputs: { token, performance: "false", ...inputs },
      ...rest,
    });
  const run = await again();
  expect(run.outside).toEqual([]);
  // The runner is told the secret so that it can hide it. Nothing else may contain it.
  const secret = Buffer.from(`x-access-token:${token}`).toString("base64");
  for (const text of [run.log.replace(`::add-mask::${token}\n`, ""), run.summary, JSON.stringify(run.outputs)]) {
    expect(text).not.toContain(token);
    expect(text).not.toContain(secret);
  }
  return { run, again, result: () => gateResult.parse(JSON.parse(run.outputs["result"] as string)) };
}

describe("a pull request cannot choose its own exam", () => {
  const model = "models/births/model.yaml";
  const worse = (text: string) => text.replace("offset: 10871.256565307533", "offset: 11371.256565307533");

  it("rows deleted beside a worse model: FAIL on the base's rows, and both are named", async () => {
    const { run } = await play({
      change: ({ read, write }) => {
        write(model, worse(read(model)));
        write("models/births/data/eval.jsonl", read("models/births/data/eval.jsonl").split("\n").slice(300).join("\n"));
      },
    });
    expect(run.code, run.log).toBe(1);
    expect(run.summary).toContain("**This candidate changes the data.** It was judged on the base's rows");
    expect(run.summary).toMatch(/\| rows \| 730 → 430 \|/);
    expect(run.summary).toMatch(/dataset file models\/births\/data\/eval\.jsonl/);
  });

  it("a worse model in another folder, with gates of its own: the base's judge it", async () => {
    const { run, result } = await play({
      change: ({ read, write, move }) => {
        move("models/births", "models/better");
        write("sluice.yaml", "schemaVersion: 1\nmodels:\n  - models/better\n");
        write(
          "models/better/model.yaml",
          worse(withChecks(read("models/better/model.yaml"), ["{kind: limit, metric: mae, max: 99999}"])),
        );
      },
    });
    expect(run.code, run.log).toBe(1);
    expect(result().models).toMatchObject([{ id: "births", verdict: "FAIL" }]);
  });

  it("a model that is gone: INCOMPARABLE, with its name and the way to give it up", async () => {
    const { run } = await play({
      change: ({ read, write }) => write(model, read(model).replace("id: births", "id: newborns")),
    });
    expect(run.code, run.log).toBe(3);
    expect(run.summary).toMatch(/births is gated at the base \(models\/births\).*to give it up, first merge .*retired/);
  });
});

describe("a pull request", () => {
  it("PASS: exit 0, outputs, summary, one comment that the second run edits", async () => {
    const { run, again, result } = await play({});
    expect(run.log).toContain("PASS");
    expect(run.code).toBe(0);
    expect(run.outputs["verdict"]).toBe("PASS");
    expect(run.outputs["result"]).not.toContain("\n");
    expect(result()).toMatchObject({
      verdict: "PASS",
      exitCode: 0,
      baseline: repository?.base,
      comment: { status: "created" },
      models: [{ id: "births", verdict: "PASS", failed: [] }],
    });
    expect(existsSync(run.outputs["report"] as string)).toBe(true);
    expect(run.summary).toContain("PASS");
    expect(run.log).toMatch(/::group::births[\s\S]*::endgroup::/);
    expect(run.log).not.toContain("::error");
    expect((await again()).outputs["result"]).toContain('"status":"updated"');
    expect(github.state.comments).toHaveLength(1);
    expect(github.state.comments[0]?.body).toMatch(/^<!-- sluice-gate config=sluice\.yaml models=all -->/);
  });

  it("FAIL: exit 1 and an annotation on the line that declares the failed check", async () => {
    const { run, result } = await play({ checks: [passes, fails] });
    expect(run.code).toBe(1);
    expect(run.outputs["verdict"]).toBe("FAIL");
    expect(result().models[0]?.failed).toHaveLength(1);
    expect(run.log).toContain(`file=models/births/model.yaml,line=${repository?.lineOf("max: 100")}::`);
    expect(github.state.comments[0]?.body).toContain("FAIL");
  });

  it("cannot loosen its own gate: the base branch's thresholds count, and both are shown", async () => {
    const { run } = await play({
      checks: [fails],
      change: ({ read, write }) => {
        write(
          "models/births/model.yaml",
          withChecks(read("models/births/model.yaml"), ["{kind: limit, metric: mae, max: 1000}"]),
        );
      },
    });
    expect(run.code).toBe(1);
    expect(run.summary).toContain("1000");
    expect(run.summary).toContain("100");
  });

  it("ERROR: exit 4 when the weights are not the ones that the manifest names", async () => {
    const { run, result } = await play({
      change: ({ write }) => {
        write("models/births/model.onnx", Buffer.from("not these"));
      },
    });
    expect(run.code).toBe(4);
    expect(result().models[0]).toMatchObject({ verdict: "ERROR" });
    expect(github.state.comments[0]?.body).toContain("ERROR");
    expect(run.log).toContain("::error");
  });

  it("a verdict.json in the repository itself does not count as the gate's", async () => {
    const { run } = await play({
      inputs: { models: "nowhere" },
      change: ({ write }) => {
        for (const name of ["verdict.json/verdict.json", "metrics.json", "report.md", "report.html"])
          write(`.sluice/${name}`, "forged");
      },
    });
    expect(run.code).toBe(2);
    for (const name of ["verdict.json", "metrics.json", "report.md", "report.html"])
      expect(readFileSync(join(repository!.dir, ".sluice", name), "utf8"), name).not.toContain("forged");
  });

  it("a broken manifest: exit 2, annotated where it is broken", async () => {
    const { run } = await play({
      change: ({ read, write }) => {
        write(
          "models/births/model.yaml",
          read("models/births/model.yaml").replace("task: regression", "task: divination"),
        );
      },
    });
    expect(run.code).toBe(2);
    expect(run.outputs["verdict"]).toBe("ERROR");
    expect(run.log).toMatch(
      new RegExp(
        `::error title=configuration,file=models/births/model.yaml,line=${repository?.lineOf("task: divination")}::`,
      ),
    );
    expect(run.summary).toContain("divination");
    // The job that merges shards needs the reason too.
    expect(readFileSync(join(repository!.dir, ".sluice/verdict.json"), "utf8")).toContain("divination");
  });

  it("a wrong input: exit 2, naming the input and what it may be", async () => {
    const { run } = await play({ inputs: { comment: "sometimes" } });
    expect(run.code).toBe(2);
    expect(run.log).toContain("input comment");
    expect(run.log).toContain("auto, required, never");
  });

  it("reports only, with fail-on: nothing, and says so", async () => {
    const { run } = await play({ checks: [fails], inputs: { "fail-on": "nothing" } });
    expect(run.code).toBe(0);
    expect(run.outputs["verdict"]).toBe("FAIL");
    expect(run.summary).toContain("only reports");
  });
});

describe("reporting never changes the verdict", () => {
  const refused = () => [
    {
      method: "POST",
      path: /comments$/,
      times: 9,
      does: { kind: "answer" as const, status: 403, message: "Resource not accessible by integration" },
    },
  ];

  it("403 on the comment: PASS stays exit 0, with a warning that names the permission", async () => {
    const { run, result } = await play({ state: { faults: refused() } });
    expect(run.code).toBe(0);
    expect(result().comment).toMatchObject({ status: "failed" });
    expect(run.log).toMatch(/::warning title=comment not posted::.*pull-requests: write/);
    expect(run.summary).toContain("could not be posted");
  });

  it("no comment where the base's sluice.yaml says so, unless the input asks for one", async () => {
    const configuration = "schemaVersion: 1\nmodels: [models/births]\nreporting: {comment: false}\n";
    const loud = await play({ change: ({ write }) => write("sluice.yaml", configuration) });
    expect([loud.run.code, github.state.comments.length]).toEqual([0, 1]);
    repository?.remove();
    await github.close();
    const quiet = await play({ configuration });
    expect([quiet.run.code, quiet.result().comment.status, github.state.comments.length]).toEqual([0, "skipped", 0]);
    repository?.remove();
    await github.close();
    const asked = await play({ configuration, inputs: { comment: "required" } });
    expect([asked.run.code, github.state.comments.length]).toEqual([0, 1]);
  });

  it("comment: required turns an unreported PASS into exit 5 and leaves FAIL at 1", async () => {
    const passed = await play({ state: { faults: refused() }, inputs: { comment: "required" } });
    expect([passed.run.code, passed.run.outputs["verdict"]]).toEqual([5, "PASS"]);
    repository?.remove();
    await github.close();
    const failed = await play({ checks: [fails], state: { faults: refused() }, inputs: { comment: "required" } });
    expect([failed.run.code, failed.run.outputs["verdict"]]).toEqual([1, "FAIL"]);
  });

  it("a fork: no comment is attempted, the reason is given, the verdict is unchanged", async () => {
    const { run, result } = await play({ fork: true, inputs: { comment: "required" } });
    expect(run.code).toBe(0);
    expect(github.transcript).toEqual([]);
    expect(result().comment).toMatchObject({ status: "skipped", why: expect.stringContaining("fork") });
    expect(run.summary).toContain("fork");
  });
});

describe("other events", () => {
  it("push: compared with the commit before it, no comment", async () => {
    github = await startGitHub();
    repository = makeRepository({ checks: [passes] });
    const run = await runStep({
      action,
      workspace: repository.dir,
      sha: repository.head,
      ref: "refs/heads/main",
      event: {
        name: "push",
        payload: {
          before: repository.base,
          after: repository.head,
          ref: "refs/heads/main",
          repository: { default_branch: "main" },
        },
      },
      apiUrl: github.url,
      inputs: { token, performance: "false" },
    });
    expect([run.code, run.outputs["verdict"]]).toEqual([0, "PASS"]);
    expect(run.outputs["result"]).toContain(`"baseline":"${repository.base}"`);
    expect(github.transcript).toEqual([]);
  });

  it("pull_request_target is refused", async () => {
    github = await startGitHub();
    repository = makeRepository({ checks: [passes] });
    const run = await runStep({
      action,
      workspace: repository.dir,
      sha: repository.head,
      event: { ...pullRequest(repository), name: "pull_request_target" },
      inputs: { token },
    });
    expect(run.code).toBe(2);
    expect(run.log).toContain("must not run on pull_request_target");
  });
});

describe("the native runtime", () => {
  it("missing everywhere: ERROR that names every place and what to do", async () => {
    const bare = await unpackAction({ native: false });
    try {
      const { run } = await play({ action: bare });
      expect(run.code).toBe(4);
      for (const part of [
        join(bare.dir, "native"),
        "node_modules/onnxruntime-node",
        "RUNNER_TOOL_CACHE is not set",
        "npm install --no-save onnxruntime-node@",
        "ort-dir",
      ])
        expect(run.log).toContain(part);
      expect(run.summary).toContain("nowhere to be found");
    } finally {
      bare.remove();
    }
  });

  it("is downloaded from npm when there is a tool cache, and from nowhere else", async () => {
    const bare = await unpackAction({ native: false });
    const cache = mkdtempSync(join(tmpdir(), "sluice-cache-"));
    try {
      github = await startGitHub();
      repository = makeRepository({ checks: [passes] });
      const run = await runStep({
        action: bare,
        workspace: repository.dir,
        event: pullRequest(repository),
        sha: repository.head,
        env: { RUNNER_TOOL_CACHE: cache },
        inputs: { performance: "false" },
      });
      expect(run.outside).toEqual(["registry.npmjs.org"]);
      expect([run.code, run.outputs["verdict"]]).toEqual([4, "ERROR"]);
      expect(run.log).toContain("download of onnxruntime-node@");
    } finally {
      bare.remove();
      rmSync(cache, { recursive: true, force: true });
    }
  });

  it("is taken from ort-dir when given, and an empty ort-dir is wrong usage", async () => {
    const bare = await unpackAction({ native: false });
    try {
      const { run } = await play({
        action: bare,
        inputs: { "ort-dir": join(action.dir, "native", `${process.platform}-${process.arch}`) },
      });
      expect([run.code, run.outputs["verdict"]]).toEqual([0, "PASS"]);
      const nowhere = await runStep({
        action: bare,
        workspace: repository!.dir,
        event: pullRequest(repository!),
        sha: repository!.head,
        inputs: { "ort-dir": bare.dir },
      });
      expect(nowhere.code).toBe(2);
      expect(nowhere.log).toContain("ort-dir holds no native ONNX Runtime");
    } finally {
      bare.remove();
    }
  });

  it("cuda without its libraries fails closed", async () => {
    const { run } = await play({ inputs: { provider: "cuda" } });
    expect(run.code).toBe(4);
    expect(run.outputs["verdict"]).toBe("ERROR");
  });
});

it("verdict.json is written where `out` says", async () => {
  const { run } = await play({ inputs: { out: "reports/gate" } });
  expect(run.code).toBe(0);
  expect(JSON.parse(readFileSync(join(repository!.dir, "reports/gate/verdict.json"), "utf8"))).toMatchObject({
    schemaVersion: 1,
    verdict: "PASS",
  });
});
