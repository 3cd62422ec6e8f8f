import { execFile } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { metricsFor } from "../../eval/metrics/catalog.ts";
import { formatOf, openReader } from "../../eval/dataset/formats/open.ts";
import { openHistories } from "../../models/core/feature-store/file.ts";
import { loadManifest, type LoadedManifest } from "../../models/core/predictor/load.ts";
import { readModelFiles } from "../../models/core/predictor/model-files.ts";
import { compilePipeline } from "../../models/core/predictor/pipeline.ts";
import { openPredictor, type Predictor } from "../../models/core/predictor/predictor.ts";
import { pathContributions } from "../../models/core/reasons/path-contributions.ts";
import { readTreeEnsemble } from "../../models/core/reasons/tree-ensemble.ts";
import type { Row } from "../../models/core/row.ts";
import type { MemoryStore } from "../../models/core/lookup/read-table.ts";
import { json, root, serve, temporaryFolder, type ServerProcess } from "../spaces/server/harness.ts";
import { offline } from "./core/build.ts";

const dir = join(root, "models/fraud");
type Heads = { fraud: { label: string; score: number } };
type Reference = {
  id: string;
  features: (number | null)[];
  probability: number;
  start?: number;
  contributions?: number[];
};
type Figures = Record<string, { eval: Record<string, number> }>;
const read = (path: string): unknown => JSON.parse(readFileSync(join(dir, path), "utf8"));
const references = read("train/reference.json") as Record<string, Reference[]>;
const figures = read("train/metrics.json") as Figures;
const versions: [version: string, folder: string][] = [
  ["1.0.0", join(dir, "production")],
  ["1.1.0", dir],
];

let histories: Record<string, MemoryStore>;
let rows: Map<string, Row>;
const predictors = new Map<string, Predictor>();
const manifests = new Map<string, LoadedManifest>();
beforeAll(async () => {
  const files = Object.fromEntries(
    ["card", "terminal"].map((step) => [step, { dir, path: `data/${step}.features`, sha256: null as never }]),
  );
  histories = await openHistories(files);
  rows = await rowsOf("data/eval.csv", "id");
  for (const [version, folder] of versions) {
    const loaded = await loadManifest(folder);
    manifests.set(version, loaded);
    predictors.set(version, await openPredictor(loaded, { stores: histories }, offline));
  }
});

async function rowsOf(path: string, id: string): Promise<Map<string, Row>> {
  const file = join(dir, path);
  const texts = ["id", "card_id", "terminal_id", "channel", "fraud"].map((name) => [name, "text"] as const);
  const { readings } = await openReader(file, file, await formatOf(file, file, undefined), new Map(texts));
  const found = new Map<string, Row>();
  for await (const reading of readings) {
    if (reading.kind === "malformed") throw new Error(reading.reason);
    found.set(String(reading.fields[id] ?? reading.index), reading.fields);
  }
  return found;
}

describe.each(versions)("fraud %s, against its training script", (version) => {
  it("has the same features, to the bit of a float32, and NaN where a card has no history", async () => {
    const loaded = manifests.get(version)!;
    const { steps } = await readModelFiles(loaded, { stores: histories });
    const pipeline = compilePipeline(loaded, steps);
    const asked = references[version]!.map(({ id }) => rows.get(id)!);
    const found = await pipeline.lookUp!(asked, Date.now());
    const batch = pipeline.direct!.begin(asked.length);
    asked.forEach((row, i) => batch.put(row, i, found.at(i)));
    const data = [...(batch.feeds(asked.length)["features"]!.data as Float32Array)];
    expect(data.map((one) => (Number.isNaN(one) ? null : one))).toEqual(
      references[version]!.flatMap(({ features }) => features),
    );
    expect(data.some((one) => Number.isNaN(one))).toBe(true);
  });

  it("gives the probabilities of scikit-learn", async () => {
    const features = references[version]!.flatMap(({ features: own }) => own.map((one) => one ?? Number.NaN));
    const count = references[version]!.length;
    const { probability } = await predictors.get(version)!.runTensors({
      features: { dtype: "float32", data: Float32Array.from(features), dims: [count, features.length / count] },
    });
    const given = [...(probability!.data as Float32Array)];
    references[version]!.forEach((one, i) => expect(Math.abs(given[i]! - one.probability)).toBeLessThan(1e-6));
  });

  it("reaches, without its rules, the figures of its training script on all rows", async () => {
    const all = [...rows.values()];
    const answers = await predictors.get(version)!.predict(all, { batch: 1024 });
    const scores = answers.map((answer) => {
      if (!answer.ok) throw answer.error;
      return (answer.rules?.own ?? answer.heads)["fraud"] as Heads["fraud"];
    });
    const sample = {
      labels: Float64Array.from(all, ({ fraud }) => Number(fraud)),
      scores: Float64Array.from(scores, ({ score }) => score),
      classCount: 2,
      weights: null,
      groups: null,
    };
    const measured = Object.fromEntries(
      metricsFor("binary-classification").map((metric) => {
        const result = metric.measure(sample, { level: 0.9, seed: 1, intervals: false });
        return [metric.name, result.status === "ok" ? result.value : null];
      }),
    );
    const expected = figures[version]!.eval;
    expect(sample.labels.reduce((sum, one) => sum + one, 0)).toBe(expected["frauds"]);
    // Probabilities of float32 trade places of a few rows.
    expect(measured["average_precision"]).toBeCloseTo(expected["averagePrecision"]!, 3);
    expect(measured["tpr_at_fpr"]).toBeCloseTo(expected["tprAtFpr001"]!, 2);
    expect(measured["auroc"]).toBeCloseTo(expected["auroc"]!, 3);
    expect(measured["brier"]).toBeCloseTo(expected["brier"]!, 3);
  });
});

it("adds up its reasons as scikit-learn's own trees do", () => {
  const ensemble = readTreeEnsemble(new Uint8Array(readFileSync(join(dir, "model.onnx"))));
  if ("problem" in ensemble) throw new Error(ensemble.problem);
  const paths = pathContributions(ensemble);
  const explained = references["1.1.0"]!.filter(({ contributions }) => contributions !== undefined);
  expect(explained.length).toBe(20);
  for (const { features, start, contributions, probability } of explained) {
    const added = new Float64Array(features.length);
    paths.add(
      features.map((value) => value ?? Number.NaN),
      0,
      added,
    );
    expect(paths.start).toBeCloseTo(start!, 5);
    added.forEach((value, i) => expect(value).toBeCloseTo(contributions![i]!, 5));
    const margin = added.reduce((sum, one) => sum + one, paths.start);
    expect(1 / (1 + Math.exp(-margin))).toBeCloseTo(probability, 6);
  }
});

it("learns nothing of a payment from itself, and of frauds only what a week has shown", async () => {
  const predictor = predictors.get("1.1.0")!;
  const { lookUp } = compilePipeline(
    manifests.get("1.1.0")!,
    (await readModelFiles(manifests.get("1.1.0")!, { stores: histories })).steps,
  );
  const fraud = [...rows.values()].find((row) => row["fraud"] === "1")!;
  const at = Number(fraud["at"]);
  const features = async (timeMs: number) => {
    const found = await lookUp!([{ ...fraud, at: timeMs }], 0);
    return found.steps;
  };
  // An hour's window ends just before the payment, and has it a millisecond later.
  expect((await features(at + 1))["card"]!.values[1]).toBe((await features(at))["card"]!.values[1]! + 1);
  const week = 7 * 86_400_000;
  const frauds = async (timeMs: number) => (await features(timeMs))["terminal"]!.values[3]!;
  expect((await frauds(at + week + 1)) - (await frauds(at + week))).toBe(1);
  expect((await predictor.predict([fraud]))[0]).toMatchObject({ ok: true });
});

describe("fraud's Space", () => {
  let server: ServerProcess;
  beforeAll(async () => {
    server = await serve(["models/fraud"]);
  });
  const ask = async (row: object) =>
    (await json(await server.post("/predict", row))) as unknown as {
      heads: Heads;
      reasons?: ({ rule: string; reason: string } | { feature: string; value: number; contribution: number })[];
      notes?: { field: string; lookup: string }[];
    };

  it("answers its examples as a payment is: genuine, or an alert with reasons", async () => {
    const [genuine, stolen, test, first] = manifests.get("1.1.0")!.manifest.serving.examples;
    expect(await ask(genuine!)).toMatchObject({ heads: { fraud: { label: "genuine" } } });
    expect(await ask(stolen!)).toMatchObject({
      heads: { fraud: { label: "fraud" } },
      reasons: [
        { rule: "far-away", reason: "far from the customer's home" },
        { feature: "distance_km", value: 47.6, contribution: expect.closeTo(4.239, 3) },
        { feature: "card_spend_1d" },
        { feature: "card_30d" },
      ],
    });
    expect(await ask(test!)).toMatchObject({
      heads: { fraud: { label: "fraud" } },
      reasons: [
        { rule: "card-test" },
        { rule: "reported-terminal" },
        { rule: "many-payments" },
        { feature: "amount" },
        { feature: "card_15m" },
        { feature: "card_1h" },
      ],
    });
    expect((await ask(first!)).reasons).toEqual([
      { rule: "new-card", reason: "the first payment of this card in 30 days" },
    ]);
  });

  it("answers rows of a batch as it answers each alone, and as the gate's predictor does", async () => {
    const asked = [...rows.values()].slice(-40).map(({ fraud: _, day: __, amount_band: ___, id: ____, ...row }) => row);
    const batch = (await json(await server.post("/predict/batch", { rows: asked }))) as unknown as {
      predictions: Awaited<ReturnType<typeof ask>>[];
    };
    const direct = await predictors.get("1.1.0")!.predict(asked);
    for (const [i, row] of asked.entries()) {
      const { heads, reasons } = await ask(row);
      expect(batch.predictions[i]).toMatchObject({ heads: { fraud: { label: heads.fraud.label } } });
      expect(batch.predictions[i]!.reasons).toEqual(reasons);
      expect(batch.predictions[i]!.heads.fraud.score).toBeCloseTo(heads.fraud.score, 6);
      const own = direct[i]!;
      expect(own.ok && (own.heads["fraud"] as Heads["fraud"]).score).toBeCloseTo(heads.fraud.score, 6);
    }
  });

  it("answers a card that nobody knows, and says so", async () => {
    const answer = await ask({
      ...manifests.get("1.1.0")!.manifest.serving.examples[0],
      card_id: "nobody",
      terminal_id: "nowhere",
    });
    expect(answer.notes).toMatchObject([{ field: "card", lookup: "unknown" }]);
    expect(answer.heads.fraud.score).toBeGreaterThan(0);
  });

  it("says that its data are simulated, and which rules answer", async () => {
    expect(await json(await server.get("/model/info"))).toMatchObject({
      dataset: { provenance: "simulated" },
      rules: { version: "1.0.0", list: expect.arrayContaining([expect.objectContaining({ id: "card-test" })]) },
    });
  });

  it.each([
    ["amount", { amount: -1 }],
    ["at", { at: "yesterday" }],
    ["channel", { channel: "post" }],
    ["card_id", { card_id: 1.5 }],
  ])("refuses a wrong %s", async (field, change) => {
    const response = await server.post("/predict", {
      ...manifests.get("1.1.0")!.manifest.serving.examples[0],
      ...change,
    });
    expect(response.status).toBe(422);
    expect(await json(response)).toMatchObject({ code: "bad-row", errors: [{ field }] });
  });
});

describe("the real table beside it", () => {
  it("passes its limits", async () => {
    const run = await promisify(execFile)(
      join(root, "node_modules/node/bin/node"),
      [
        "cli.ts",
        "gate",
        "fraud-credit",
        "--config",
        "models/fraud/sluice.yaml",
        "--no-performance",
        "--baseline",
        "none",
        "--out",
        temporaryFolder(),
      ],
      { cwd: root },
    ).catch((error: { code: number; stdout: string; stderr: string }) => error);
    expect({ code: "code" in run ? run.code : 0, said: run.stderr }).toMatchObject({ code: 0 });
    expect(run.stdout).toMatch(/auroc ↑ +0\.8373[^]*average_precision ↑ +0\.6684/);
  });
});

it("is small enough for a repository", () => {
  const paths = ["data/card.features", "data/terminal.features", "data/eval.csv", "data/earlier.csv"];
  const own = ["card.features", "terminal.features", "model.onnx", "production/model.onnx"];
  const bytes = [...paths, ...own].reduce((sum, path) => sum + statSync(join(dir, path)).size, 0);
  expect(bytes).toBeLessThan(6_000_000);
});
