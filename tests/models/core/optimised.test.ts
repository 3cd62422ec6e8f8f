import { appendFileSync, cpSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { loadManifest, type LoadedManifest } from "../../../models/core/predictor/load.ts";
import { optimise } from "../../../models/core/predictor/optimise.ts";
import { openPredictor } from "../../../models/core/predictor/predictor.ts";
import { offline, temporaryFolder } from "./build.ts";

const root = join(import.meta.dirname, "../../..");
let loaded: LoadedManifest;
const folder = () => join(loaded.dir, "optimised");
const rows = [
  { text: "lovely" },
  { text: "an awful waste of an evening, and cold food" },
  { text: "it was fine I suppose ".repeat(30) },
];

async function opened(options: object) {
  const predictor = await openPredictor(loaded, options, offline);
  const { sha256, optimised, modelBytes, inputs, outputs } = predictor.describe();
  const answers = await predictor.predict(rows, { batch: 1 });
  await predictor.close();
  return { facts: { sha256, modelBytes, inputs, outputs }, optimised, answers };
}

beforeAll(async () => {
  const dir = join(temporaryFolder(), "mood");
  cpSync(join(root, "models/mood"), dir, { recursive: true, filter: (path) => !/\/(train|production)$/.test(path) });
  loaded = await loadManifest(dir);
});

describe("an optimised form", () => {
  it("is not made for a small model, nor for one without examples to compare", async () => {
    expect(await optimise(loaded, offline)).toMatchObject({
      made: false,
      why: expect.stringContaining("bytes are less than"),
    });
    const silent = { ...loaded, manifest: { ...loaded.manifest, serving: { examples: [] } } };
    expect(await optimise(silent, offline, 1)).toMatchObject({
      made: false,
      why: expect.stringContaining("serving.examples"),
    });
    expect(existsSync(folder())).toBe(false);
  });

  it("is opened on request, gives the same answers bit for bit, and names its artifact", async () => {
    expect(await optimise(loaded, offline, 1)).toMatchObject({ made: true, compared: 2 });
    const [plain, optimised] = [await opened({}), await opened({ optimised: true })];
    expect(plain.optimised).toBeNull();
    expect(optimised.optimised).toMatch(/^[0-9a-f]{64}$/);
    expect(optimised.answers).toEqual(plain.answers);
    expect(optimised.facts).toEqual(plain.facts);
    expect(optimised.facts.sha256).toBe(loaded.manifest.artifact.sha256);
  });

  it.each([
    [
      "its weights were changed",
      () => {
        appendFileSync(join(folder(), "model.onnx.data"), "x");
      },
    ],
    [
      "its graph was changed",
      () => {
        appendFileSync(join(folder(), "model.onnx"), "x");
      },
    ],
    [
      "its weights are missing",
      () => {
        rmSync(join(folder(), "model.onnx.data"));
      },
    ],
    [
      "its record is for another artifact",
      () => {
        change((record) => {
          record["of"] = ["0".repeat(64)];
        });
      },
    ],
    [
      "its record is for another runtime",
      () => {
        change((record) => {
          record["onnxruntime"] = "1.0.0";
        });
      },
    ],
    [
      "its record is invalid",
      () => {
        writeFileSync(join(folder(), "optimised.json"), "{");
      },
    ],
  ])("is left alone when %s: the artifact itself serves", async (_, spoil) => {
    await optimise(loaded, offline, 1);
    spoil();
    const { optimised, facts } = await opened({ optimised: true });
    expect(optimised).toBeNull();
    expect(facts.sha256).toBe(loaded.manifest.artifact.sha256);
  });
});

function change(edit: (record: Record<string, unknown>) => void): void {
  const file = join(folder(), "optimised.json");
  const record = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
  edit(record);
  writeFileSync(file, JSON.stringify(record));
}
