import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { readDataset } from "../../../eval/dataset/read.ts";
import { loadManifest } from "../../../models/core/predictor/load.ts";
import { openPredictor } from "../../../models/core/predictor/predictor.ts";
import { predictionCacheKey } from "../../../eval/predict/cache-key.ts";
import { predictDataset } from "../../../eval/predict/predict.ts";
import { pairPredictions } from "../../../eval/predictions/pair.ts";
import { folderWith, offlineDeps } from "../dataset/build.ts";
import { openBirths, withRows } from "./births.ts";

let births: Awaited<ReturnType<typeof openBirths>>;
beforeAll(async () => {
  births = await openBirths(folderWith({}));
});

const chunkFiles = (cacheDir: string) =>
  readdirSync(join(cacheDir, "predictions"), { recursive: true })
    .map(String)
    .filter((path) => path.endsWith(".chunk"))
    .map((path) => join(cacheDir, "predictions", path))
    .toSorted();

describe("predictions of the births model", () => {
  it("come with the true values, in the dataset's order, and with the dataset's slices", async () => {
    const progress: number[] = [];
    const { predictions, badRows, cachedRows } = await predictDataset(
      { ...births, chunkRows: 200 },
      { cacheDir: null, onProgress: ({ done, total }) => progress.push(done, total) },
    );
    expect(progress).toEqual([200, 730, 400, 730, 600, 730, 730, 730]);
    expect([badRows, cachedRows]).toEqual([[], 0]);
    const [one] = predictions;
    expect(one).toMatchObject({
      head: "births",
      task: births.manifest.task,
      classes: [],
      datasetDigest: births.dataset.digest,
      groups: null,
      weights: null,
    });
    expect(one!.ids).toEqual(births.dataset.rows.map((row) => row.id));
    expect(Array.from(one!.labels)).toEqual(births.dataset.rows.map((row) => row.labels["births"]));
    expect(one!.slices).toEqual({ day_kind: births.dataset.rows.map((row) => row.slices["day_kind"]) });
    const alone = await births.predictor.predict([births.dataset.rows[500]!.row]);
    expect(alone[0]).toMatchObject({ ok: true, heads: { births: { value: expect.closeTo(one!.scores[500]!, 1) } } });
  });

  it("of another model on the same rows can be paired with them", async () => {
    const production = await births.production();
    try {
      const candidate = await predictDataset(births, { cacheDir: null });
      const baseline = await predictDataset({ ...production, dataset: births.dataset }, { cacheDir: null });
      expect(pairPredictions(candidate.predictions[0]!, baseline.predictions[0]!).status).toBe("paired");
      expect(baseline.predictions[0]!.scores).not.toEqual(candidate.predictions[0]!.scores);
    } finally {
      await production.predictor.close();
    }
  });

  it("leave out rows that the model cannot take, by name, up to the dataset's limit", async () => {
    const dataset = withRows(births.dataset, { 3: { history: [1] }, 700: { date: "yesterday" } }, { maxBadRows: 2 });
    const { predictions, badRows } = await predictDataset({ ...births, dataset, chunkRows: 100 }, { cacheDir: null });
    expect(predictions[0]!.ids).toEqual(
      births.dataset.rows.map((row) => row.id).filter((_, i) => i !== 3 && i !== 700),
    );
    expect(predictions[0]!.scores).toHaveLength(728);
    expect(predictions[0]!.scores.every(Number.isFinite)).toBe(true);
    expect(badRows).toEqual([
      { place: "data/eval.jsonl:4 (2002-01-04)", reason: expect.stringMatching(/^history: .*received/) },
      { place: "data/eval.jsonl:701 (2003-12-02)", reason: expect.stringMatching(/^date: /) },
    ]);
    await expect(
      predictDataset({ ...births, dataset: { ...dataset, maxBadRows: 1 } }, { cacheDir: null }),
    ).rejects.toMatchObject({
      name: "EvaluationError",
      code: "too-many-bad-rows",
      message: expect.stringMatching(/eval\.jsonl:4 [^]*eval\.jsonl:701 /),
    });
  });

  it("leave out a row with a damaged picture although the model has a placeholder, and keep a row without a picture", async () => {
    const loaded = await loadManifest(fileURLToPath(new URL("../../../models/virality", import.meta.url)));
    const offline = { env: {}, fetch: () => Promise.reject(new Error("no network in this test")) };
    const whole = await readDataset(loaded.manifest, loaded.dir, offlineDeps(folderWith({}), loaded.dir));
    const dataset = withRows(
      { ...whole, rows: whole.rows.slice(0, 4) },
      {
        1: { thumbnail_url: null },
        2: { thumbnail_url: `data:image/png;base64,${Buffer.from("no picture").toString("base64")}` },
      },
      { maxBadRows: 1 },
    );
    const predictor = await openPredictor(loaded, {}, offline);
    try {
      const { predictions, badRows } = await predictDataset(
        { manifest: loaded.manifest, predictor, dataset },
        { cacheDir: null },
      );
      expect(predictions[0]!.ids).toEqual([0, 1, 3].map((i) => whole.rows[i]!.id));
      expect(badRows).toEqual([
        { place: expect.stringContaining("eval.jsonl:3"), reason: "thumbnail_url: the image cannot be decoded" },
      ]);
    } finally {
      await predictor.close();
    }
  });

  it("count the dataset's bad rows too, and stop as soon as there are too many", async () => {
    const dataset = withRows(
      births.dataset,
      { 3: { history: [1] } },
      { maxBadRows: 1, badRows: [{ place: "x:1", reason: "malformed" }] },
    );
    births.asked.rows = 0;
    await expect(predictDataset({ ...births, dataset, chunkRows: 50 }, { cacheDir: null })).rejects.toMatchObject({
      code: "too-many-bad-rows",
    });
    expect(births.asked.rows).toBe(50);
  });

  it("need at least one row, labels that the head knows, and a head with labels", async () => {
    const none = { ...births.dataset, rows: [] };
    await expect(predictDataset({ ...births, dataset: none }, { cacheDir: null })).rejects.toMatchObject({
      code: "no-rows",
    });
    const all = withRows(
      { ...births.dataset, rows: births.dataset.rows.slice(0, 1) },
      { 0: { history: [] } },
      { maxBadRows: { fraction: 1 } },
    );
    await expect(predictDataset({ ...births, dataset: all }, { cacheDir: null })).rejects.toMatchObject({
      code: "no-rows",
    });
    const words = { ...births.dataset, rows: [{ ...births.dataset.rows[0]!, labels: { births: "many" } }] };
    await expect(predictDataset({ ...births, dataset: words }, { cacheDir: null })).rejects.toMatchObject({
      code: "label-mismatch",
    });
    await expect(predictDataset({ ...births, heads: ["deaths"] }, { cacheDir: null })).rejects.toMatchObject({
      name: "ConfigurationError",
      code: "no-labelled-head",
    });
  });

  it("stop when the caller does", async () => {
    const caller = new AbortController();
    await expect(
      predictDataset(
        { ...births, chunkRows: 100 },
        {
          cacheDir: null,
          signal: caller.signal,
          onProgress: ({ done }) => done === 200 && caller.abort(new Error("enough")),
        },
      ),
    ).rejects.toThrow("enough");
  });
});

describe("the cache", () => {
  it("answers an identical run with the same bytes, refused rows included, without asking the model", async () => {
    const cacheDir = folderWith({});
    const dataset = withRows(births.dataset, { 3: { history: [1] } }, { maxBadRows: 1 });
    const fresh = await predictDataset({ ...births, dataset }, { cacheDir });
    births.asked.rows = 0;
    const kept = await predictDataset({ ...births, dataset }, { cacheDir });
    expect(births.asked.rows).toBe(0);
    expect(kept).toEqual({ ...fresh, cachedRows: 730 });
    expect(
      Buffer.from(kept.predictions[0]!.scores.buffer).equals(Buffer.from(fresh.predictions[0]!.scores.buffer)),
    ).toBe(true);
  });

  it("is not trusted when damaged: truncated, altered and swapped chunks are computed again, with a note", async () => {
    const cacheDir = folderWith({});
    const fresh = await predictDataset({ ...births, chunkRows: 100 }, { cacheDir });
    const files = chunkFiles(cacheDir);
    expect(files).toHaveLength(8);
    truncateSync(files[0]!, 200);
    const text = readFileSync(files[1]!, "utf8");
    const at = text.lastIndexOf("A");
    writeFileSync(files[1]!, `${text.slice(0, at)}B${text.slice(at + 1)}`);
    writeFileSync(files[2]!, readFileSync(files[3]!));
    writeFileSync(files[4]!, "");
    births.asked.rows = 0;
    const again = await predictDataset({ ...births, chunkRows: 100 }, { cacheDir });
    expect(again.predictions).toEqual(fresh.predictions);
    expect(again.notes).toHaveLength(4);
    expect(again.notes[0]).toMatch(/^cached predictions of rows \d+ to \d+ were computed again: .*damaged/);
    expect(births.asked.rows).toBe(730 - again.cachedRows);
    expect((await predictDataset({ ...births, chunkRows: 100 }, { cacheDir })).notes).toEqual([]);
  });

  it("that cannot be written gives a note and still the result", async () => {
    const cacheDir = join(folderWith({ file: "" }), "file");
    const { predictions, notes } = await predictDataset(births, { cacheDir });
    expect(predictions[0]!.ids).toHaveLength(730);
    expect(notes.join("\n")).toMatch(/could not be cached|cannot be read/);
  });

  it("has a key that covers everything that an answer depends on", () => {
    const { manifest, dataset } = births;
    const parts = {
      manifest,
      model: births.predictor.describe(),
      datasetDigest: dataset.digest,
      heads: ["births"],
      cpuFlags: ["avx2", "fma"],
      chunkRows: 512,
      sluiceVersion: "1.0.0",
    };
    const key = predictionCacheKey(parts);
    const changes = [
      { model: { ...parts.model, sha256: "0".repeat(64) } },
      { model: { ...parts.model, filesDigest: "x" } },
      { model: { ...parts.model, onnxruntime: "9" } },
      { model: { ...parts.model, provider: "cuda" as const } },
      { model: { ...parts.model, threads: 7 } },
      {
        manifest: {
          ...manifest,
          artifact: { ...manifest.artifact, externalData: [{ path: "w", sha256: "0".repeat(64) }] },
        },
      },
      { manifest: { ...manifest, preprocess: {} } },
      { manifest: { ...manifest, postprocess: [] } },
      { manifest: { ...manifest, runtime: { ...manifest.runtime, batch: 7 } } },
      { datasetDigest: "x" },
      { heads: ["births", "more"] },
      { cpuFlags: ["avx2"] },
      { chunkRows: 100 },
      { sluiceVersion: "1.0.1" },
    ];
    expect(new Set([key, ...changes.map((change) => predictionCacheKey({ ...parts, ...change }))]).size).toBe(
      changes.length + 1,
    );
    expect(
      predictionCacheKey({
        ...parts,
        cpuFlags: ["fma", "avx2"],
        manifest: { ...manifest, description: "other words" } as typeof manifest,
      }),
    ).toBe(key);
  });
});

it("a killed run is resumed: only the rest is predicted, and the result is that of one run", async () => {
  const cacheDir = folderWith({});
  const child = spawn(process.execPath, [fileURLToPath(new URL("killed-run.ts", import.meta.url)), cacheDir], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
  expect(signal).toBe("SIGKILL");
  const done = chunkFiles(cacheDir).length * 64;
  expect(done).toBe(3 * 64);

  births.asked.rows = 0;
  const resumed = await predictDataset({ ...births, chunkRows: 64 }, { cacheDir });
  expect([births.asked.rows, resumed.cachedRows, resumed.notes]).toEqual([730 - done, done, []]);
  const whole = await predictDataset({ ...births, chunkRows: 64 }, { cacheDir: null });
  expect(resumed.predictions).toEqual(whole.predictions);
});
