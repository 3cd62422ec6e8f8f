import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { parse } from "csv-parse/sync";
import { stringify } from "yaml";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { linearManifest } from "../../cli/repository.ts";
import { fixture } from "../../models/core/build.ts";
import { root } from "../../spaces/server/harness.ts";
import { conclusions, jobOf, Stage } from "./stage.ts";

/**
 * .github/workflows/predict.yml as it is, in a repository that holds it, a model and rows. Only `npm ci` of Sluice is
 * short: the repository's scripts/sluice.mjs starts the command of this working tree.
 */
vi.setConfig({ testTimeout: 240_000 });
let stage: Stage;
let sha = "";
const repository = () => join(stage.directory, "repositories/octo/models");
const onMain = (path: string) => stage.git("octo/models", "show", `main:${path}`);

beforeAll(async () => {
  // The runner's own git configuration refuses every push. This repository is reached by its path instead.
  stage = await Stage.start({ environment: { GIT_CONFIG_GLOBAL: "/dev/null" } });
  stage.serverUrl = `file://${join(stage.directory, "repositories")}`;
  const start = [join(root, "node_modules/node/bin/node"), join(root, "cli.ts")].map((path) => JSON.stringify(path));
  sha = stage.commit({
    ".github/workflows/predict.yml": readFileSync(join(root, ".github/workflows/predict.yml"), "utf8"),
    "package.json": '{ "name": "small", "version": "1.0.0" }',
    "package-lock.json": '{ "name": "small", "version": "1.0.0", "lockfileVersion": 3, "packages": { "": {} } }',
    "scripts/sluice.mjs": `import { spawnSync } from "node:child_process";
process.exit(spawnSync(${start[0]}, [${start[1]}, ...process.argv.slice(2)], { stdio: "inherit" }).status);\n`,
    "sluice.yaml": "schemaVersion: 1\nmodels: [models/linear]\n",
    "models/linear/model.yaml": stringify(linearManifest()),
    "models/linear/linear.onnx": fixture("linear.onnx"),
    "data/rows.csv": "id,a,b,c\nx,1,0,0\ny,2,0,1\n",
  });
  stage.git("octo/models", "config", "receive.denyCurrentBranch", "ignore");
}, 120_000);
afterAll(() => stage.close());

async function play(inputs: Record<string, string>) {
  const [run] = await stage.dispatch(sha, "predict.yml", { model: "linear", input: "data/rows.csv", ...inputs });
  await stage.executor.idle();
  return run!;
}

it("answers a file and commits it, also when somebody pushed meanwhile", async () => {
  const other = stage.commit({ "other.txt": "somebody else's" });
  const run = await play({ output: "out/answers.csv", commit: "true" });
  expect(conclusions(run), jobOf(run, "predict").log + jobOf(run, "commit").log).toEqual({
    predict: "success",
    commit: "success",
  });
  const rows = parse(onMain("out/answers.csv"), { columns: true }) as Record<string, string>[];
  expect(rows.map(({ id, value_value: value }) => [id, value])).toEqual([
    ["x", "1.5"],
    ["y", "102.5"],
  ]);
  expect(onMain("other.txt")).toBe("somebody else's");
  expect(stage.git("octo/models", "rev-parse", "main^")).toBe(other);
  expect(stage.git("octo/models", "show", "--format=%an", "--name-only", "main").split(/\n+/)).toEqual([
    "github-actions[bot]",
    "out/answers.csv",
  ]);
  expect(jobOf(run, "predict").summary).toContain("2");
});

it("a table in a SQLite file goes on from run to run", async () => {
  const output = "sqlite:answers.db?table=answers";
  await play({ output, commit: "true" });
  sha = stage.git("octo/models", "rev-parse", "main");
  const run = await play({ output, commit: "true" });
  expect(conclusions(run), jobOf(run, "predict").log).toEqual({ predict: "success", commit: "success" });
  expect(jobOf(run, "commit").log).toContain("The answers are those of the last run.");
  const file = join(stage.directory, "answers.db");
  stage.git("octo/models", "reset", "-q", "--hard", "main");
  writeFileSync(file, readFileSync(join(repository(), "answers.db")));
  const db = new DatabaseSync(file);
  expect(db.prepare("SELECT id, value_value AS value FROM answers ORDER BY id").all()).toMatchObject([
    { id: "x", value: 1.5 },
    { id: "y", value: 102.5 },
  ]);
  db.close();
});

it("fails when the predictions fail, and commits nothing", async () => {
  const before = stage.git("octo/models", "rev-parse", "main");
  const run = await play({ model: "unknown", output: "failed.csv", commit: "true" });
  expect(conclusions(run)).toEqual({ predict: "failure", commit: "skipped" });
  expect(stage.git("octo/models", "rev-parse", "main")).toBe(before);
});

it("an output outside the repository is refused before anything is removed", async () => {
  const precious = join(stage.directory, "precious.csv");
  writeFileSync(precious, "kept");
  for (const output of [precious, "../precious.csv"]) {
    const run = await play({ output });
    expect(conclusions(run)).toMatchObject({ predict: "failure" });
    expect(jobOf(run, "predict").log).toContain("the output must be a file of the repository");
  }
  expect(existsSync(precious)).toBe(true);
});
