import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventOf, jobOf, Stage } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.start();
});
afterAll(() => stage.close());

const jobs = "jobs: { one: { runs-on: ubuntu-24.04, steps: [{ run: 'true' }] } }\n";
const names = (runs: readonly { workflowFile: string }[]) => runs.map((one) => one.workflowFile).toSorted();

describe("triggers", () => {
  it("start the workflows that listen: branches, tags, paths, types", async () => {
    const on: Record<string, string> = {
      "any.yml": "push",
      "main.yml": "{ push: { branches: [main] } }",
      "release.yml": "{ push: { branches: ['release/**', '!release/old'] } }",
      "tags.yml": "{ push: { tags: ['v*.[0-9]'] } }",
      "paths.yml": "{ push: { paths: ['models/**', '!models/**/*.md'] } }",
      "ignored.yml": "{ push: { paths-ignore: ['**.md'] } }",
      "pr.yml": "[pull_request]",
      "labeled.yml": "{ pull_request: { types: [labeled] } }",
      "base.yml": "{ pull_request: { branches: [next] } }",
      "run.yml": "{ workflow_run: { workflows: [gate], types: [completed], branches: [main] } }",
      "group.yml": "merge_group",
    };
    const sha = stage.commit(
      Object.fromEntries(
        Object.entries(on).map(([name, text]) => [`.github/workflows/${name}`, `on: ${text}\n${jobs}`]),
      ),
    );
    const markdown = stage.commit({ "models/births/README.md": "text" });
    const model = stage.commit({ "models/births/model.yaml": "text" });
    const before = (commit: string) => ({ payload: { before: commit } });
    expect(names(await stage.push(markdown, before(sha)))).toEqual(["any.yml", "main.yml"]);
    expect(names(await stage.push(model, before(markdown)))).toEqual([
      "any.yml",
      "ignored.yml",
      "main.yml",
      "paths.yml",
    ]);
    expect(names(await stage.push(model, { ref: "refs/heads/release/1/a", ...before(markdown) }))).toContain(
      "release.yml",
    );
    expect(names(await stage.push(model, { ref: "refs/heads/release/old", ...before(markdown) }))).not.toContain(
      "release.yml",
    );
    expect(names(await stage.push(model, { ref: "refs/tags/v1.2" }))).toEqual([
      "any.yml",
      "ignored.yml",
      "paths.yml",
      "tags.yml",
    ]);
    expect(names(await stage.pull(sha, model))).toEqual(["pr.yml"]);
    expect(names(await stage.pull(sha, model, { action: "labeled" }))).toEqual(["labeled.yml"]);
    expect(names(await stage.pull(sha, model, { action: "closed" }))).toEqual([]);
    expect(
      names(
        await stage.executor.trigger({ ...eventOf("merge_group", model), payload: { action: "checks_requested" } }),
      ),
    ).toEqual(["group.yml"]);
    const finished = (name: string, branch: string, action = "completed") =>
      stage.executor.trigger({
        ...eventOf("workflow_run", model),
        payload: { action, workflow_run: { name, head_branch: branch } },
      });
    expect(names(await finished("gate", "main"))).toEqual(["run.yml"]);
    expect([
      ...(await finished("gate", "topic")),
      ...(await finished("ci", "main")),
      ...(await finished("gate", "main", "requested")),
    ]).toEqual([]);
    expect(names(await stage.push(stage.commit({}, { message: "quiet [skip ci]" })))).toEqual([]);
    await stage.executor.idle();
  });

  it("dispatch with typed inputs, defaults and a run-name, and refuse what GitHub refuses", async () => {
    const sha = stage.commit({
      ".github/workflows/d.yml": `name: d
run-name: Deploy \${{ inputs.model }} to \${{ inputs.stage }} by \${{ github.actor }}
on:
  workflow_dispatch:
    inputs:
      model: { required: true, type: string }
      stage: { type: choice, options: [staging, production], default: staging }
      dry: { type: boolean }
      count: { type: number, default: 3 }
jobs: { one: { runs-on: ubuntu-24.04, steps: [{ run: 'echo "\${{ toJSON(inputs) }} \${{ toJSON(github.event.inputs) }} \${{ inputs.dry == false }}"' }] } }
`,
    });
    const [run] = await stage.dispatch(sha, "d.yml", { model: "mood" });
    await stage.executor.idle();
    expect(run).toMatchObject({
      displayTitle: "Deploy mood to staging by ada",
      workflowName: "d",
      inputs: { model: "mood", stage: "staging", dry: "false", count: "3" },
    });
    expect(jobOf(run!, "one").log).toContain(
      "model: mood,\n  stage: staging,\n  dry: false,\n  count: 3\n} {\n  model: mood,\n  stage: staging,\n  dry: false,\n  count: 3\n} true",
    );
    await expect(stage.dispatch(sha, "d.yml")).rejects.toMatchObject({
      status: 422,
      message: "Required input 'model' not provided",
    });
    await expect(stage.dispatch(sha, "d.yml", { model: "a", other: "b" })).rejects.toMatchObject({
      status: 422,
      message: 'Unexpected inputs provided: ["other"]',
    });
    await expect(stage.dispatch(sha, "d.yml", { model: "a", stage: "moon" })).rejects.toMatchObject({ status: 422 });
    await expect(stage.dispatch(sha, "pr.yml")).rejects.toMatchObject({
      status: 422,
      message: "Workflow does not have 'workflow_dispatch' trigger",
    });
    await expect(stage.dispatch(sha, "none.yml")).rejects.toMatchObject({ status: 404 });
  });

  it.each([
    [
      "an unknown function",
      "on: push\njobs: { one: { if: nosuch(), runs-on: ubuntu-24.04, steps: [{ run: 'true' }] } }\n",
      "Unrecognized function: 'nosuch'",
    ],
    [
      "a context that the place has not",
      "on: push\njobs: { one: { if: matrix.a, runs-on: ubuntu-24.04, steps: [{ run: 'true' }] } }\n",
      "Unrecognized named-value: 'matrix'",
    ],
    [
      "an unknown key",
      "on: push\njobs: { one: { runs-on: ubuntu-24.04, nosuch: 1, steps: [{ run: 'true' }] } }\n",
      "nosuch",
    ],
    [
      "a job that is needed and missing",
      "on: push\njobs: { zero: { runs-on: ubuntu-24.04, steps: [{ run: 'true' }] }, one: { needs: two, runs-on: ubuntu-24.04, steps: [{ run: 'true' }] } }\n",
      "two",
    ],
    ["no YAML", "on: push\n  jobs: [", "Invalid workflow file"],
  ])("end a run before it starts for %s", async (_, text, message) => {
    const [run] = await stage.push(stage.commit({ ".github/workflows/any.yml": text }), {
      payload: { before: stage.git("octo/models", "rev-parse", "HEAD") },
    });
    expect(run).toMatchObject({ conclusion: "startup_failure", jobs: [] });
    expect(run?.startupError).toContain(message);
  });
});
