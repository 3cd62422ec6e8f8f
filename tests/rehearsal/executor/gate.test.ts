import { cpSync, mkdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { parse } from "yaml";
import { interpolateText, type Contexts } from "../../../rehearsal/executor/expressions.ts";
import { conclusions, jobOf, Stage } from "./stage.ts";

const root = resolve(import.meta.dirname, "../../..");
let stage: Stage;
beforeAll(async () => {
  stage = await Stage.start();
});
afterAll(() => stage.close());

/** Copies the gate workflow and one model, and commits them. @returns the commit */
function withGate(): string {
  const folder = join(stage.directory, "repositories/octo/models");
  for (const path of [
    ".github/workflows/gate.yml",
    "actions/gate/action.yml",
    "actions/gate/dist",
    "actions/gate/changed/action.yml",
    "actions/gate/report/action.yml",
    "models/births",
    "sluice.yaml",
  ]) {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    cpSync(join(root, path), join(folder, path), { recursive: true });
  }
  return stage.commit({ "sluice.yaml": "schemaVersion: 1\nmodels:\n  - models/births\n" });
}

it("runs the gate workflow of this repository on a pull request that touches no model", async () => {
  const base = withGate();
  const head = stage.commit({ "NOTES.md": "A note.\n" }, { branch: "topic" });
  const [run] = await stage.pull(base, head);
  await stage.executor.idle();
  const changed = jobOf(run!, "changed");
  expect(changed.log).toContain("actions/gate/changed");
  const { "changed models": changes, gate, ...others } = conclusions(run!);
  expect([changes, gate], run!.jobs.map((job) => job.log).join("\n")).toEqual(["success", "success"]);
  expect(Object.keys(others)).toContain("${{ matrix.model }} on ${{ matrix.kind }}");
  expect(new Set(Object.values(others))).toEqual(new Set(["skipped"]));
  expect(jobOf(run!, "gate").summary).toBe("No model changed.\n");
  expect(stage.grants.map(({ permissions }) => permissions)).toEqual([
    { contents: "read" },
    { contents: "read", "pull-requests": "write" },
  ]);
  expect(stage.grants.every(({ revoked }) => revoked)).toBe(true);
});

it("judges a pull request again when its base changes, and leaves its check alone when its title does", async () => {
  const base = withGate();
  const head = stage.commit({ "NOTES.md": "Another note.\n" }, { branch: "retargeted" });
  const [retitled] = await stage.pull(base, head, { action: "edited", changes: { title: { from: "A chnage" } } });
  await stage.executor.idle();
  expect(retitled!.conclusion).toBe("skipped");
  // A skipped check counts as success: it must not have the name of the required one.
  expect(Object.keys(conclusions(retitled!))).not.toContain("gate");
  const [retargeted] = await stage.pull(base, head, {
    action: "edited",
    changes: { base: { ref: { from: "lax" }, sha: { from: base } } },
  });
  await stage.executor.idle();
  expect(conclusions(retargeted!)["gate"]).toBe("success");
});

it("gives every push to main a run of its own, and no edited title cancels a run", async () => {
  const { concurrency } = parse(readFileSync(join(root, ".github/workflows/gate.yml"), "utf8")) as {
    concurrency: { group: string };
  };
  const groupOf = (github: object) =>
    interpolateText(concurrency.group, { contexts: { github: github as Contexts, inputs: { name: "" } } });
  const pull = (more: object) => ({
    workflow: "gate",
    run_id: "12",
    event_name: "pull_request",
    event: { pull_request: { number: 7 }, ...more },
  });
  const push = (sha: string) => ({ workflow: "gate", ref: "refs/heads/main", sha, event_name: "push", event: {} });
  expect(groupOf(push("a1"))).not.toBe(groupOf(push("b2")));
  expect(groupOf(pull({ action: "synchronize" }))).toBe(groupOf(pull({ action: "opened" })));
  expect(groupOf(pull({ action: "edited", changes: { base: { ref: { from: "lax" } } } }))).toBe(
    groupOf(pull({ action: "opened" })),
  );
  expect(groupOf(pull({ action: "edited", changes: { title: { from: "x" } } }))).not.toBe(
    groupOf(pull({ action: "opened" })),
  );
});
