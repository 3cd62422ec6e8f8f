import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { parse } from "yaml";
import { loadManifest } from "../../../models/core/predictor/load.ts";
import { openPredictor } from "../../../models/core/predictor/predictor.ts";
import { raised } from "../../../watch/retrain/candidate.ts";
import { retrain, trainedModels, type RetrainRequest } from "../../../watch/retrain/retrain.ts";
import { jsonLines, rows, type TeamRepository } from "../../cli/repository.ts";
import { folderOf, toyRepository, trainBlock, trainingRows, trainScript } from "./toy.ts";

const teams: TeamRepository[] = [];
const scratch = mkdtempSync(join(tmpdir(), "sluice-retrain-test-"));
afterEach(() => {
  for (const team of teams.splice(0)) team.remove();
});
const toy = (options: Partial<Parameters<typeof toyRepository>[0]> = {}) => {
  const team = toyRepository({ script: trainScript, ...options });
  teams.push(team);
  return team;
};
const env = { ...process.env, SLUICE_CACHE: join(scratch, "cache"), GITHUB_TOKEN: "ghs_secret" };
const run = (team: TeamRepository, more: Partial<RetrainRequest> = {}) =>
  retrain(
    {
      root: team.dir,
      configFile: "sluice.yaml",
      model: "linear",
      again: false,
      known: null,
      out: join(team.dir, ".sluice/retrain"),
      ...more,
    },
    { env, fetch, onNote: () => {} },
  );
const read = (team: TeamRepository, path: string) => readFileSync(join(folderOf(team), path));
const log = (team: TeamRepository) => readFileSync(join(team.dir, ".sluice/retrain/train.log"), "utf8");
const refusal = async (team: TeamRepository, more: Partial<RetrainRequest> = {}) => {
  const before = team.git("status", "--porcelain", "--", "models");
  const error = await run(team, more).then(
    () => null,
    (one: { code: string; message: string }) => one,
  );
  // Whatever was refused, the model is as it was.
  expect(team.git("status", "--porcelain", "--", "models")).toBe(before);
  return { code: error?.code, message: error?.message ?? "" };
};
const script = (more: string) => `${trainScript}\n${more}`;

it("trains on new data, raises the version, pins the weights, and the candidate answers what it has learnt", async () => {
  const team = toy();
  const outcome = await run(team);
  expect(outcome).toMatchObject({
    result: "candidate",
    folder: "models/linear",
    from: "1.1.0",
    version: "1.1.1",
    testRows: 200,
    data: [{ name: "data/train.jsonl", rows: 60 }],
    files: ["linear.onnx", "train/metrics.json", "retrained.json", "model.yaml"],
  });
  expect(read(team, "model.yaml").toString()).toContain("# kept");
  const predictor = await openPredictor(await loadManifest(folderOf(team)), {}, { env, fetch });
  const answer = await predictor.predictOne({ a: 2, b: 1, c: 1 });
  await predictor.close();
  expect((answer["value"] as { value: number }).value).toBeCloseTo(115, 3);
  expect(team.git("status", "--porcelain").trimEnd().split("\n")).toEqual([
    " M models/linear/linear.onnx",
    " M models/linear/model.yaml",
    "?? .sluice/",
    "?? models/linear/retrained.json",
    "?? models/linear/train/metrics.json",
  ]);
});

it("a second run finds nothing new and changes nothing; new data makes it due again", async () => {
  const team = toy();
  await run(team);
  team.git("add", "-A", "models");
  team.git("commit", "-qm", "The candidate");
  expect(await run(team)).toMatchObject({ result: "current", version: "1.1.1" });
  expect(await run(team, { again: true })).toMatchObject({ result: "same", version: "1.1.1" });
  expect(team.git("status", "--porcelain", "--", "models")).toBe("");
  team.write(
    "models/linear/data/train.jsonl",
    jsonLines(trainingRows(70).map((row) => ({ ...row, value: row.value + 1 }))),
  );
  team.git("commit", "-qam", "Later rows");
  expect(await run(team)).toMatchObject({ result: "candidate", from: "1.1.1", version: "1.1.2" });
});

it("a candidate that waits on its branch is not trained again", async () => {
  const team = toy();
  await run(team);
  const known = JSON.parse(read(team, "retrained.json").toString()) as RetrainRequest["known"];
  team.git("checkout", "-q", "--", ".");
  team.git("clean", "-qfd");
  expect(await run(team, { known })).toMatchObject({ result: "current", version: "1.1.0" });
  team.write("models/linear/train/train.mjs", script("// another way"));
  expect(await run(team, { known })).toMatchObject({ result: "candidate" });
});

it("training data with rows of the gate is refused, and they are counted and named", async () => {
  const poison = rows(4).map(({ id: _, ...row }, i) => ({ ...row, value: i }));
  const team = toy({ data: jsonLines([...trainingRows(), ...poison]) });
  const { code, message } = await refusal(team);
  expect(code).toBe("train-test-rows");
  expect(message).toContain('4 rows of the training data are rows of the gate\'s dataset "rows"');
  expect(message).toContain('data/train.jsonl:61 is row "row-0"');
  expect((await refusal(team)).message).toBe(message);
});

it("the rows of the gate are found in another format and order of columns, too", async () => {
  const poisoned = rows(1)
    .map(({ a, b, c }) => `9,${c},${b},${a}\n`)
    .join("");
  const team = toy({ train: { ...trainBlock, data: [{ path: "data/extra.csv" }] } });
  team.write("models/linear/data/extra.csv", `value,c,b,a\n${poisoned}`);
  expect((await refusal(team)).message).toContain("1 row of the training data is a row");
});

it("a copy of the gate's file is refused by its digest, and is not in the training's copy of the repository", async () => {
  const stolen = toy({ train: { ...trainBlock, data: [{ path: "data/copy.jsonl" }] } });
  stolen.write("models/linear/data/copy.jsonl", jsonLines(rows()));
  expect(await refusal(stolen)).toMatchObject({ code: "train-test-file" });
  const looks = toy({
    script: script(`import { existsSync } from "node:fs";
for (const path of ["data/rows.jsonl", "../../hidden.jsonl", "../../.git", "data/train.jsonl"]) console.log(path, existsSync(path));`),
  });
  looks.write("hidden.jsonl", jsonLines(rows()));
  looks.git("add", "-A");
  looks.git("commit", "-qm", "A copy somewhere else");
  expect(await run(looks)).toMatchObject({ result: "candidate" });
  expect(log(looks)).toContain(
    "data/rows.jsonl false\n../../hidden.jsonl false\n../../.git false\ndata/train.jsonl true\n",
  );
});

it("training data of another form is refused until rowKey says what tells rows apart", async () => {
  const data = jsonLines(rows(3).map(({ id, value }) => ({ id, value })));
  expect(await refusal(toy({ data }))).toMatchObject({ code: "train-row-key" });
  expect(await refusal(toy({ data, train: { ...trainBlock, rowKey: ["id"] } }))).toMatchObject({
    code: "train-test-rows",
  });
});

it("gets no secret and nothing else of the environment", async () => {
  const team = toy({ script: script(`console.log(Object.keys(process.env).toSorted().join(" "));`) });
  await run(team);
  const names = log(team).trim().split("\n").at(-1)!.split(" ");
  expect(names).toContain("SLUICE_TRAIN_DATA");
  expect(names.filter((name) => /TOKEN|SECRET|KEY|GITHUB|RUNNER|npm_/i.test(name))).toEqual([]);
});

it.each([
  [
    "outside the model's folder",
    `writeFileSync("../../sluice.yaml", "");`,
    "train-wrote-outside",
    "sluice.yaml (changed)",
  ],
  [
    "a workflow",
    `import { mkdirSync } from "node:fs"; mkdirSync("../../.github/workflows", { recursive: true }); writeFileSync("../../.github/workflows/x.yml", "");`,
    "train-wrote-outside",
    ".github/workflows/x.yml (added)",
  ],
  ["the gate's rows", `writeFileSync("data/rows.jsonl", "");`, "train-wrote-kept", "data/rows.jsonl (added)"],
  ["its own data", `writeFileSync("data/train.jsonl", "");`, "train-wrote-kept", "data/train.jsonl (changed)"],
  [
    "the production version",
    `import { mkdirSync } from "node:fs"; mkdirSync("production"); writeFileSync("production/x", "");`,
    "train-wrote-kept",
    "production/x (added)",
  ],
  [
    "a symbolic link",
    `import { symlinkSync } from "node:fs"; symlinkSync("/etc/passwd", "train/link");`,
    "train-wrote-kept",
    "train/link",
  ],
  [
    "softer gates",
    `writeFileSync("model.yaml", readFileSync("model.yaml", "utf8").replace("max: 2", "max: 200"));`,
    "train-changed-exam",
    "another gates",
  ],
])("a training that writes %s is refused", async (_, more, code, words) => {
  const found = await refusal(toy({ script: script(more) }));
  expect(found.code).toBe(code);
  expect(found.message).toContain(words);
});

it("a training that writes into the checkout by its absolute path is refused", async () => {
  const team = toy();
  team.write(
    "models/linear/train/train.mjs",
    script(`writeFileSync(${JSON.stringify(join(team.dir, "sluice.yaml"))}, "models: []");`),
  );
  const error = await run(team).catch((one: { code: string }) => one);
  expect(error).toMatchObject({ code: "train-wrote-outside" });
});

it("a training that hangs is killed with all its children", async () => {
  const marker = join(scratch, "child.pid");
  const team = toy({
    script: `import { spawn } from "node:child_process"; import { writeFileSync } from "node:fs";
const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
writeFileSync(${JSON.stringify(marker)}, String(child.pid)); setInterval(() => {}, 1000);`,
    train: { ...trainBlock, timeoutMinutes: 0.02 },
  });
  expect(await refusal(team)).toMatchObject({ code: "train-timeout" });
  const stat = `/proc/${readFileSync(marker, "utf8")}/stat`;
  await expect.poll(() => !existsSync(stat) || / Z /.test(readFileSync(stat, "utf8")), { timeout: 5000 }).toBe(true);
});

it.runIf(process.platform === "linux")("a training that takes too much memory is killed", async () => {
  const team = toy({
    script: `const kept = []; setInterval(() => kept.push(Buffer.alloc(50_000_000, 1)), 20);`,
    train: { ...trainBlock, memoryMb: 400 },
  });
  expect(await refusal(team)).toMatchObject({ code: "train-memory" });
});

it.each([
  ["fails", "console.error('no convergence'); process.exit(3);", "train-failed", "no convergence"],
  ["writes nothing", "", "train-wrote-nothing", "no change"],
  [
    "breaks the graph",
    `import { writeFileSync } from "node:fs"; writeFileSync("linear.onnx", "x");`,
    undefined,
    "linear.onnx",
  ],
])("a training that %s is refused", async (_, text, code, words) => {
  const found = await refusal(toy({ script: text }));
  if (code !== undefined) expect(found.code).toBe(code);
  expect(found.message).toContain(words);
});

it("models without `train` are told, and the others listed", async () => {
  const team = toy();
  const place = { root: team.dir, configFile: "sluice.yaml" };
  expect((await trainedModels(place, env)).map(({ loaded }) => loaded.manifest.id)).toEqual(["linear"]);
  expect((await refusal(team, { model: "liner" })).message).toContain("did you mean linear?");
  const manifest = parse(read(team, "model.yaml").toString()) as Record<string, unknown>;
  delete manifest["train"];
  writeFileSync(join(folderOf(team), "model.yaml"), JSON.stringify(manifest));
  expect(await refusal(team)).toMatchObject({ code: "train-missing" });
});

it.each([
  ["1.2.3", "patch", "1.2.4"],
  ["1.2.3", "minor", "1.3.0"],
  ["1.2.3", "major", "2.0.0"],
  ["1.2.0-rc.1", "patch", "1.2.0"],
] as const)("%s raised by %s is %s", (from, bump, to) => {
  expect(raised(from, bump)).toBe(to);
});

afterEach(() => {
  rmSync(join(scratch, "child.pid"), { force: true });
});
