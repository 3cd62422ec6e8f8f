import { cpSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { verdictFile } from "../../../eval/schema/verdict.ts";
import { makeRepository, pullRequest, type ModelRepository } from "./repository.ts";
import { git, runStep, unpackAction, type UnpackedAction } from "./runner.ts";

let action: UnpackedAction;
let repository: ModelRepository;
beforeAll(async () => {
  action = await unpackAction({ native: true });
});
afterAll(() => action.remove());
afterEach(() => repository.remove());

/** Runs the built action on a pull request that also brings what `plant` writes. */
async function gateWith(plant: (dir: string, base: string) => void, env: (dir: string) => Record<string, string>) {
  repository = makeRepository({ checks: ["{kind: non-inferiority, metric: mae, margin: {relative: 0.1}}"] });
  plant(repository.dir, repository.base);
  git(repository.dir, "add", "-Af");
  git(repository.dir, "commit", "-qm", "more");
  const head = git(repository.dir, "rev-parse", "HEAD");
  const run = await runStep({
    action,
    workspace: repository.dir,
    event: pullRequest({ base: repository.base, head }),
    sha: head,
    env: env(repository.dir),
    inputs: { performance: "false" },
  });
  return {
    run,
    verdict: verdictFile.parse(JSON.parse(readFileSync(join(repository.dir, ".sluice/verdict.json"), "utf8"))),
  };
}

it.each<[string, (dir: string) => Record<string, string>, RegExp]>([
  ["without a setting", () => ({}), /PASS/],
  [
    "although SLUICE_CACHE names it",
    (dir) => ({ SLUICE_CACHE: join(dir, ".cache/sluice") }),
    /is not used: it lies in the repository/,
  ],
])("a baseline that a pull request commits into a cache is not used, %s", async (_, env, log) => {
  const { run, verdict } = await gateWith((dir, base) => {
    const folder = join(dir, ".cache/sluice/baselines", base, "models+births+production");
    mkdirSync(folder, { recursive: true });
    cpSync(join(dir, "models/births/production"), folder, { recursive: true });
    const manifest = readFileSync(join(folder, "model.yaml"), "utf8");
    writeFileSync(join(folder, "model.yaml"), manifest.replace(/^version: .*$/m, "version: 0.0.1-planted"));
  }, env);
  const real = /^version: "?([^"\n]+)"?$/m.exec(
    readFileSync(join(repository.dir, "models/births/production/model.yaml"), "utf8"),
  )?.[1];
  expect(verdict.verdict, run.log).toBe("PASS");
  expect(verdict.models[0]?.baseline?.version).toBe(real);
  expect(run.log).toMatch(log);
});

it("data behind a symbolic link of the pull request is ERROR with the line of model.yaml", async () => {
  const { run, verdict } = await gateWith(
    (dir) => {
      renameSync(join(dir, "models/births/data/eval.jsonl"), join(dir, "elsewhere.jsonl"));
      symlinkSync("../../../elsewhere.jsonl", join(dir, "models/births/data/eval.jsonl"));
    },
    () => ({}),
  );
  expect([run.code, verdict.verdict]).toEqual([4, "ERROR"]);
  expect(verdict.models[0]?.reason).toMatch(
    /model\.yaml:\d+:\d+ .*symbolic link[^]*path: \.\.\/\.\.\/elsewhere\.jsonl/,
  );
});
