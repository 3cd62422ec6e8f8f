import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadManifest } from "../../../models/core/predictor/load.ts";
import { openPredictor } from "../../../models/core/predictor/predictor.ts";
import type { ClassificationResult, HeadResult, RegressionResult } from "../../../models/core/postprocess/result.ts";
import { softmax } from "../../../models/core/postprocess/softmax.ts";
import { compileStep } from "../../../models/core/preprocess/compile-step.ts";
import { readModelFiles } from "../../../models/core/predictor/model-files.ts";
import { offline } from "./build.ts";

const models = join(import.meta.dirname, "../../../models");
const read = (path: string) => JSON.parse(readFileSync(join(models, path), "utf8")) as unknown;
const ready = (id: string) =>
  existsSync(join(models, id, "model.yaml")) && existsSync(join(models, id, "train/reference.json"));

/** What each training script computed with its own code, row by row. The core must get the same numbers. */
async function answers(id: string, rows: Record<string, unknown>[]): Promise<Record<string, HeadResult>[]> {
  const predictor = await openPredictor(await loadManifest(join(models, id)), {}, offline);
  try {
    return (await predictor.predict(rows)).map((one) => {
      if (!one.ok) throw one.error;
      return one.heads;
    });
  } finally {
    await predictor.close();
  }
}

async function prepared(id: string, rows: Record<string, unknown>[]) {
  const loaded = await loadManifest(join(models, id));
  const { steps: files } = await readModelFiles(loaded);
  const [[name, definition]] = Object.entries(loaded.manifest.preprocess) as [
    [string, Parameters<typeof compileStep>[0]],
  ];
  const step = compileStep(definition, files[name]!, String);
  return Promise.all(rows.map(async (row) => step.prepare(row)));
}

describe.skipIf(!ready("births"))("births, against its training script", () => {
  const reference = ready("births")
    ? (read("births/train/reference.json") as {
        row: Record<string, unknown>;
        features: number[];
        prediction: number;
      }[])
    : [];

  it("makes the same features", async () => {
    const rows = await prepared(
      "births",
      reference.map(({ row }) => row),
    );
    rows.forEach((row, i) => {
      if (row.kind !== "numbers") throw new Error(`unexpected ${row.kind}`);
      reference[i]!.features.forEach((expected, j) =>
        expect(Math.abs(row.values[j]! - expected)).toBeLessThanOrEqual(1e-6 * (1 + Math.abs(expected))),
      );
      expect(row.values).toHaveLength(reference[i]!.features.length);
    });
  });

  it("makes the same predictions, to a hundredth of a birth", async () => {
    const found = await answers(
      "births",
      reference.map(({ row }) => row),
    );
    found.forEach((heads, i) =>
      expect((Object.values(heads)[0] as RegressionResult).value).toBeCloseTo(reference[i]!.prediction, 2),
    );
  });
});

describe.skipIf(!ready("mood"))("mood, against its training script", () => {
  const reference = ready("mood")
    ? (read("mood/train/reference.json") as { rows: { text: string; ids: number[]; logits: number[] }[] }).rows
    : [];

  it("makes the same tokens", async () => {
    const rows = await prepared(
      "mood",
      reference.map(({ text }) => ({ text })),
    );
    expect(rows.map((row) => row.kind === "tokens" && row.ids)).toEqual(reference.map(({ ids }) => ids));
  });

  it("makes the same probabilities", async () => {
    const found = await answers(
      "mood",
      reference.map(({ text }) => ({ text })),
    );
    found.forEach((heads, i) =>
      expect((Object.values(heads)[0] as ClassificationResult).score).toBeCloseTo(softmax(reference[i]!.logits)[1]!, 5),
    );
  });
});
