import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { loadManifest } from "../../../models/core/predictor/load.ts";
import { STANDARD_ANSWER } from "../../../models/core/media-type.ts";
import { openPredictor, type Predictor } from "../../../models/core/predictor/predictor.ts";
import type { Row } from "../../../models/core/row.ts";
import { offline } from "../../models/core/build.ts";
import { json, root, serve, type ServerProcess } from "./harness.ts";

const WORDS = "the battery lasts two days and screen is gorgeous never going back cold food an hour of waiting".split(
  " ",
);
const heldOut = (id: string, every: number): Row[] =>
  readFileSync(join(root, "models", id, "data/eval.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Row)
    .filter((_, i) => i % every === 0);
const ROWS: Record<string, Row[]> = {
  births: heldOut("births", 6),
  emoji: heldOut("emoji", 4),
  virality: heldOut("virality", 25),
  recommendation: heldOut("recommendation", 25),
  mood: Array.from({ length: 120 }, (_, i) => ({
    text: Array.from({ length: 1 + ((i * 7) % 60) }, (__, j) => WORDS[(i * 5 + j * 3) % WORDS.length]).join(" "),
  })),
};

/** A model may have a JSON of its own; the heads are in the standard answer. */
const STANDARD = { accept: STANDARD_ANSWER };
let server: ServerProcess;
const predictors: Record<string, Predictor> = {};
beforeAll(async () => {
  // All rows are sent at once. On a busy machine they may wait, but none is refused.
  server = await serve(
    Object.keys(ROWS).map((id) => `models/${id}`),
    ["--max-queue-wait-ms", "25000"],
  );
  for (const id of Object.keys(ROWS))
    predictors[id] = await openPredictor(await loadManifest(join(root, "models", id)), {}, offline);
});

it("is checked for every model of this repository that can be served locally", () => {
  const { models } = parse(readFileSync(join(root, "sluice.yaml"), "utf8")) as { models: string[] };
  const local = models.filter(
    (dir) =>
      (parse(readFileSync(join(root, dir, "model.yaml"), "utf8")) as { backend?: string }).backend !== "hf-inference",
  );
  expect(Object.keys(ROWS).map((id) => `models/${id}`)).toEqual(expect.arrayContaining(local));
});

describe.each(Object.keys(ROWS))("%s through HTTP", (id) => {
  it("is the core's own prediction, bit for bit", async () => {
    for (const row of ROWS[id]!) {
      const answer = await json(await server.post(`/models/${id}/predict`, row, STANDARD));
      expect(answer["heads"]).toEqual(await predictors[id]!.predictOne(row));
    }
  });

  it("stays within the manifest's tolerance when requests are batched together", async () => {
    const { manifest } = await loadManifest(join(root, "models", id));
    const alone = await Promise.all(ROWS[id]!.map((row) => predictors[id]!.predictOne(row)));
    const together = await Promise.all(
      ROWS[id]!.map(async (row) => (await json(await server.post(`/models/${id}/predict`, row, STANDARD)))["heads"]),
    );
    const batch = (await json(
      await server.post(`/models/${id}/predict/batch`, { rows: ROWS[id] }, STANDARD),
    )) as unknown as { predictions: { heads: object }[] };
    const numbers = (heads: unknown) =>
      Object.values(heads as Record<string, { value?: number; score?: number; items?: { score: number }[] }>).flatMap(
        ({ value, score, items }) => items?.map((one) => one.score) ?? [(value ?? score)!],
      );
    const near = (a: unknown, b: unknown) =>
      numbers(b).every(
        (wanted, i) =>
          Math.abs(numbers(a)[i]! - wanted) <= manifest.runtime.batchTolerance * Math.max(1, Math.abs(wanted)),
      );
    alone.forEach((heads, i) => {
      expect(near(together[i], heads)).toBe(true);
      expect(near(batch.predictions[i]!.heads, heads)).toBe(true);
    });
  });

  it("gives the graph's numbers over the Open Inference Protocol", async () => {
    const metadata = (await json(await server.get(`/v2/models/${id}`))) as unknown as {
      inputs: { name: string; shape: number[] }[];
    };
    expect(metadata.inputs.map(({ name }) => name)).toEqual(predictors[id]!.describe().inputs.map(({ name }) => name));
  });
});
