import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { loadManifest } from "../../models/core/load.ts";
import { STANDARD_ANSWER } from "../../models/core/media-type.ts";
import { openPredictor, type Predictor } from "../../models/core/predictor.ts";
import type { Row } from "../../models/core/preprocess/row-error.ts";
import { offline } from "../core/build.ts";
import { json, root, serve, type ServerProcess } from "./harness.ts";

const WORDS = "the battery lasts two days and screen is gorgeous never going back cold food an hour of waiting".split(" ");
const ROWS: Record<"births" | "mood" | "virality", Row[]> = {
  virality: readFileSync(join(root, "models/virality/data/eval.jsonl"), "utf8").trim().split("\n").map((line) => JSON.parse(line) as Row).filter((_, i) => i % 25 === 0),
  births: readFileSync(join(root, "models/births/data/eval.jsonl"), "utf8").trim().split("\n").map((line) => JSON.parse(line) as Row).filter((_, i) => i % 6 === 0),
  mood: Array.from({ length: 120 }, (_, i) => ({ text: Array.from({ length: 1 + ((i * 7) % 60) }, (__, j) => WORDS[(i * 5 + j * 3) % WORDS.length]).join(" ") })),
};

const MODELS = ["births", "mood", "virality"] as const;
/** A model may have a JSON of its own; the heads are in the one that all share. */
const STANDARD = { accept: STANDARD_ANSWER };
let server: ServerProcess;
const predictors = {} as Record<keyof typeof ROWS, Predictor>;
beforeAll(async () => {
  server = await serve(["models/births", "models/mood", "models/virality"]);
  for (const id of MODELS) predictors[id] = await openPredictor(await loadManifest(join(root, "models", id)), {}, offline);
});

describe.each(MODELS)("%s through HTTP", (id) => {
  it("is the core's own prediction, bit for bit", async () => {
    for (const row of ROWS[id]) {
      const answer = await json(await server.post(`/models/${id}/predict`, row, STANDARD));
      expect(answer["heads"]).toEqual(await predictors[id].predictOne(row));
    }
  });

  it("stays within the manifest's tolerance when requests are batched together", async () => {
    const { manifest } = await loadManifest(join(root, "models", id));
    const alone = await Promise.all(ROWS[id].map((row) => predictors[id].predictOne(row)));
    const together = await Promise.all(ROWS[id].map(async (row) => (await json(await server.post(`/models/${id}/predict`, row, STANDARD)))["heads"]));
    const batch = await json(await server.post(`/models/${id}/predict/batch`, { rows: ROWS[id] }, STANDARD)) as unknown as { predictions: { heads: object }[] };
    const number = (heads: unknown) => {
      const [head] = Object.values(heads as Record<string, { value?: number; score?: number }>);
      return (head!.value ?? head!.score)!;
    };
    const near = (a: number, b: number) => Math.abs(a - b) <= manifest.runtime.batchTolerance * Math.max(1, Math.abs(b));
    alone.forEach((heads, i) => {
      expect(near(number(together[i]), number(heads))).toBe(true);
      expect(near(number(batch.predictions[i]!.heads), number(heads))).toBe(true);
    });
  });

  it("gives the graph's numbers over the Open Inference Protocol", async () => {
    const metadata = await json(await server.get(`/v2/models/${id}`)) as unknown as { inputs: { name: string; shape: number[] }[] };
    expect(metadata.inputs.map(({ name }) => name)).toEqual(predictors[id].describe().inputs.map(({ name }) => name));
  });
});
