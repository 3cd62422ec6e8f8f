import { cpSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { conclusions, jobOf, Stage } from "./stage.ts";

const root = resolve(import.meta.dirname, "../../..");
let stage: Stage;
beforeAll(async () => {
  stage = await Stage.start();
});
afterAll(() => stage.close());

it("runs the gate workflow of this repository on a pull request that touches no model", async () => {
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
  const base = stage.commit({ "sluice.yaml": "schemaVersion: 1\nmodels:\n  - models/births\n" });
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
