import { afterAll, expect, it } from "vitest";
import { openPredictor, type Predictor } from "../../../../models/core/predictor/predictor.ts";
import type { RankingResult } from "../../../../models/core/postprocess/result.ts";
import { modelFolder, offline } from "../build.ts";
import { rankingToy } from "../kinds.ts";
import { digestOf, noon, tableOf } from "./tables.ts";

const users = tableOf(
  ["a", "b", "c"],
  [
    { key: "anna", at: noon, values: [3, -1, 0.5] },
    { key: "ben", at: noon, values: [-2, 4, -0.25] },
  ],
);
const opened: Predictor[] = [];
afterAll(async () => {
  for (const one of opened) await one.close();
});
async function open(toy: ReturnType<typeof rankingToy>, files: Record<string, Uint8Array | string> = {}) {
  const predictor = await openPredictor(modelFolder(toy.manifest, { ...toy.files, ...files }), {}, offline);
  opened.push(predictor);
  return predictor;
}

it("a user known by key gets the list that the same numbers in the row get, without what was seen", async () => {
  const toy = rankingToy(true);
  const given = await open(toy);
  const known = await open(
    {
      ...toy,
      manifest: {
        ...toy.manifest,
        preprocess: {
          user: {
            kind: "lookup",
            key: ["user"],
            store: { path: "users.features", sha256: digestOf(users) },
            missing: { fill: 0 },
            features: { a: {}, b: {}, c: {} },
          },
        },
        inputs: toy.manifest.inputs.map((input) => ({ ...input, from: "user.features" })),
        serving: { examples: [] },
      },
    },
    { "users.features": users },
  );
  const listOf = async (predictor: Predictor, row: object) =>
    ((await predictor.predictOne(row as Record<string, unknown>))["pages"] as RankingResult).items;
  for (const seen of [[], ["a", "c"]]) {
    expect(await listOf(known, { user: "anna", seen })).toEqual(await listOf(given, { a: 3, b: -1, c: 0.5, seen }));
    expect(await listOf(known, { user: "ben", seen })).toEqual(await listOf(given, { a: -2, b: 4, c: -0.25, seen }));
    expect(await listOf(known, { user: "nobody", seen })).toEqual(await listOf(given, { a: 0, b: 0, c: 0, seen }));
  }
});
