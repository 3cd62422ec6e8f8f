import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadManifest } from "../../models/core/predictor/load.ts";
import { sluice } from "./sluice.ts";

const given = join(import.meta.dirname, "../fixtures/init");
const prototypes = join(import.meta.dirname, "../../../shared/data/prototypes");
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "sluice-init-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const init = (model: string, data: string, ...flags: string[]) =>
  sluice(dir, [
    "init",
    join(given, model),
    "--data",
    data.startsWith("/") ? data : join(given, data),
    "--yes",
    ...flags,
  ]);
const yaml = (id: string) => readFileSync(join(dir, "models", id, "model.yaml"), "utf8");
const everything = () => readdirSync(dir, { recursive: true }).map(String).toSorted();

describe("sluice init, unaided", () => {
  it("scikit-learn with ZipMap: sets up, and gates", async () => {
    const run = await init("tumour_zipmap.onnx", "tumours.csv", "--suite", "octo/sluice");
    expect(run.code, run.stderr).toBe(0);
    expect(run.stdout).toMatch(/^PASS +tumour_zipmap 1\.0\.0/m);
    expect(run.stderr).toContain("ZipMap taken out");
    expect(run.stderr).toMatch(/serve tumour_zipmap/);
    const { manifest } = await loadManifest(join(dir, "models/tumour_zipmap"));
    expect(manifest).toMatchObject({
      task: "binary-classification",
      outputs: [{ name: "probabilities" }],
      postprocess: [{ activation: "none", labels: ["0", "1"] }],
      dataset: { idField: "id", slices: ["ward"], labels: { diagnosis: { field: "diagnosis" } } },
    });
    expect(manifest.gates!.checks.map(({ kind }) => kind)).toEqual(["non-inferiority", "non-inferiority", "limit"]);
    expect(yaml("tumour_zipmap")).toMatch(/# guess: /);
    expect(readFileSync(join(dir, ".github/workflows/gate.yml"), "utf8")).toContain(
      "uses: octo/sluice/.github/workflows/gate.yml@v",
    );
    expect(readFileSync(join(dir, ".gitignore"), "utf8")).toBe(".sluice/\n.cache/\nnode_modules/\n");
  });

  it("its gates are reachable for `plan`, and `doctor` finds the model in order", async () => {
    await init("tumour_zipmap.onnx", "tumours.csv", "--no-gate");
    const plan = await sluice(dir, ["plan", "--baseline", "none", "--json"]);
    expect(plan.code, plan.stderr).toBe(0);
    const checks = (JSON.parse(plan.stdout) as { models: { checks: { refused: string | null }[] }[] }).models[0]!
      .checks;
    expect(checks.filter(({ refused }) => refused !== null)).toEqual([]);
    const doctor = await sluice(dir, ["doctor"]);
    expect(doctor.stdout).toMatch(/ok +tumour_zipmap 1\.0\.0 +.*answers/);
  });

  it("names of classes, from the graph", async () => {
    const words = { "0": "malignant", "1": "benign" } as Record<string, string>;
    const rows = readFileSync(join(given, "tumours.csv"), "utf8").trim().split(/\r?\n/);
    writeFileSync(
      join(dir, "named.csv"),
      `${rows.map((row) => row.replace(/,([01])$/, (_, one: string) => `,${words[one]}`)).join("\n")}\n`,
    );
    const run = await init("tumour_zipmap_named.onnx", join(dir, "named.csv"), "--no-gate");
    expect(run.code, run.stderr).toBe(0);
    expect((await loadManifest(join(dir, "models/tumour_zipmap_named"))).manifest.postprocess[0]).toMatchObject({
      labels: ["malignant", "benign"],
    });
  });

  it("one input per column, texts among them", async () => {
    const run = await init("survival.onnx", "passengers.csv", "--no-gate");
    expect(run.code, run.stderr).toBe(0);
    const { manifest } = await loadManifest(join(dir, "models/survival"));
    expect(manifest.inputs.map(({ name, dtype }) => [name, dtype])).toEqual([
      ["age", "float32"],
      ["fare", "float32"],
      ["sex", "string"],
      ["port", "string"],
    ]);
    expect(manifest.dataset).toMatchObject({ idField: "passenger_id", labels: { survived: { field: "survived" } } });
  });

  it("a regression of torch whose inputs and target were both standardised: marked as a guess, with the next best", async () => {
    const run = await init("houses.onnx", "houses.csv", "--no-gate");
    expect(run.code, run.stderr).toBe(0);
    expect(run.stderr).toMatch(/next best: /);
    const { manifest } = await loadManifest(join(dir, "models/houses"));
    expect(manifest.postprocess[0]).toMatchObject({ kind: "regression", inverse: [{ kind: "affine" }] });
    expect(yaml("houses")).toMatch(/# guess: 3 numbers, each standardised/);
  });

  it.skipIf(!existsSync(prototypes))("the forecaster of the shared prototypes", async () => {
    const series = Array.from({ length: 60 }, (_, i) => {
      const value = (t: number) => 500 + 10 * i + 50 * Math.sin(t / 2) + ((i * 31 + t * 17) % 13);
      return JSON.stringify({
        series: `s${i}`,
        history: Array.from({ length: 36 }, (_, t) => value(t)),
        actual: Array.from({ length: 18 }, (_, t) => value(36 + t)),
      });
    });
    writeFileSync(join(dir, "series.jsonl"), `${series.join("\n")}\n`);
    const run = await sluice(dir, [
      "init",
      join(prototypes, "m3m.onnx"),
      "--data",
      "series.jsonl",
      "--yes",
      "--no-gate",
    ]);
    expect(run.code, run.stderr).toBe(0);
    const { manifest } = await loadManifest(join(dir, "models/m3m"));
    expect(manifest).toMatchObject({ task: "forecasting", postprocess: [{ kind: "series", horizon: 18 }] });
    expect(manifest.dataset!.files[0]!.path).toBe("../../series.jsonl");
  });
});

describe("sluice init refuses", () => {
  it("to take swapped classes, which only look better", async () => {
    const rows = readFileSync(join(given, "tumours.csv"), "utf8").trim().split(/\r?\n/);
    const swapped = rows.map((row, i) =>
      i === 0 ? row : row.replace(/[01]$/, (label) => (label === "1" ? "0" : "1")),
    );
    writeFileSync(join(dir, "swapped.csv"), `${swapped.join("\n")}\n`);
    const run = await init("tumour_zipmap.onnx", join(dir, "swapped.csv"));
    expect(run.code).toBe(2);
    expect(run.stderr).toMatch(/look swapped: .*AUROC is 0\.0\d+/);
    expect(existsSync(join(dir, "models"))).toBe(false);
  });

  it("a graph that it cannot feed, with what is needed, and writes nothing", async () => {
    const run = await init("houses.onnx", "passengers.csv");
    expect(run.code).toBe(2);
    expect(run.stderr).toMatch(/takes 3 numbers.*--features/s);
    expect(everything()).toEqual([]);
  });

  it("to write over a model", async () => {
    expect((await init("tumour_zipmap.onnx", "tumours.csv", "--no-gate")).code).toBe(0);
    const before = yaml("tumour_zipmap");
    const again = await init("tumour_zipmap.onnx", "tumours.csv", "--no-gate", "--slices", "");
    expect(again.code).toBe(2);
    expect(again.stderr).toMatch(/there already, and init never writes over anything/);
    expect(yaml("tumour_zipmap")).toBe(before);
  });

  it.each([
    [["init"], /missing required argument|required option/],
    [["init", "nothing.onnx", "--data", "rows.csv"], /there is no such file/],
    [["init", join(given, "houses.csv"), "--data", join(given, "houses.csv")], /text stands in the place of the model/],
    [["init", join(given, "houses.onnx"), "--data", "none.csv"], /no such file/],
    [["init", join(given, "houses.onnx"), "--data", join(given, "houses.csv"), "--label", "cost"], /no column "cost"/],
    [
      ["init", join(given, "houses.onnx"), "--data", join(given, "houses.csv"), "--suite", "octo", "--yes"],
      /OWNER\/NAME/,
    ],
  ])("%j", async (args, message) => {
    const run = await sluice(dir, args);
    expect(run.code, run.stderr).not.toBe(0);
    expect(run.stderr).toMatch(message);
    expect(run.stderr).not.toMatch(/\n +at /);
    expect(everything()).toEqual([]);
  });
});

describe("sluice init and what is there", () => {
  it("adds a line to sluice.yaml and .gitignore, and keeps comments and workflows", async () => {
    writeFileSync(join(dir, "sluice.yaml"), "# ours\nschemaVersion: 1\nmodels:\n  - models/other # the old one\n");
    writeFileSync(join(dir, ".gitignore"), "node_modules\n*.log\n");
    mkdirSync(join(dir, ".github/workflows"), { recursive: true });
    writeFileSync(join(dir, ".github/workflows/gate.yml"), "name: gate\n");
    const run = await init("houses.onnx", "houses.csv", "--no-gate", "--suite", "octo/sluice");
    expect(run.code, run.stderr).toBe(0);
    expect(readFileSync(join(dir, "sluice.yaml"), "utf8")).toBe(
      "# ours\nschemaVersion: 1\nmodels:\n  - models/other # the old one\n  - models/houses\n",
    );
    expect(readFileSync(join(dir, ".gitignore"), "utf8")).toBe("node_modules\n*.log\n.sluice/\n.cache/\n");
    expect(readFileSync(join(dir, ".github/workflows/gate.yml"), "utf8")).toBe("name: gate\n");
    expect(run.stderr).toMatch(/kept +\.github\/workflows\/gate\.yml/);
  });

  it("--dry-run writes nothing, and prints the manifest", async () => {
    const run = await init("houses.onnx", "houses.csv", "--dry-run");
    expect(run.code, run.stderr).toBe(0);
    expect(run.stdout).toContain("new      models/houses/model.yaml");
    expect(run.stdout).toContain("task: regression");
    expect(everything()).toEqual([]);
  });

  it("a model that lies in its folder stays there, and --json is one document", async () => {
    mkdirSync(join(dir, "models/prices"), { recursive: true });
    cpSync(join(given, "houses.onnx"), join(dir, "models/prices/net.onnx"));
    cpSync(join(given, "houses.csv"), join(dir, "models/prices/rows.csv"));
    const run = await sluice(dir, [
      "init",
      "models/prices/net.onnx",
      "--data",
      "models/prices/rows.csv",
      "--yes",
      "--no-gate",
      "--json",
      "--id",
      "prices",
    ]);
    expect(run.code, run.stderr).toBe(0);
    expect(JSON.parse(run.stdout)).toMatchObject({ schemaVersion: 1, id: "prices", exitCode: 0 });
    const { manifest } = await loadManifest(join(dir, "models/prices"));
    expect(manifest.artifact.path).toBe("net.onnx");
    expect(manifest.dataset!.files[0]!.path).toBe("rows.csv");
  });

  it("tells a line of at most 80 columns, without colour, on a terminal that wide", async () => {
    const { wrapped } = await import("../../cli/init/words.ts");
    const text = `  - ${"a long word or two ".repeat(12)}`;
    expect(
      Math.max(
        ...wrapped(text, 80)
          .split("\n")
          .map((line) => line.length),
      ),
    ).toBeLessThanOrEqual(80);
  });
});
