import { describe, expect, it } from "vitest";
import type { Prepared } from "../../../models/core/preprocess/compiled.ts";
import { compileSeriesStep } from "../../../models/core/preprocess/series.ts";
import { compileFeatures, featuresOf } from "../../../models/profile/features.ts";
import type { ManifestInput } from "../../../models/core/manifest/manifest.ts";
import type { Row } from "../../../models/core/row.ts";
import { linearManifest, modelFolder, predictorOf, sequenceManifest } from "../core/build.ts";

/** The features that a predictor reads of rows, by name. */
async function read(manifest: ManifestInput, rows: readonly Row[]) {
  const { features } = featuresOf(modelFolder(manifest).manifest.preprocess);
  const predictor = await predictorOf(manifest);
  return (await predictor.features(rows)).map((values) =>
    values === null ? null : Object.fromEntries(features.map(({ name }, i) => [name, values[i]])),
  );
}

describe("features", () => {
  const tabular = linearManifest({
    preprocess: {
      row: {
        kind: "tabular",
        columns: {
          age: { type: "number", missing: { fill: 40 } },
          member: { type: "string" },
        },
        derive: { older: "age + 1" },
        features: [
          { column: "older", encode: "standardize", mean: 50, std: 10 },
          { column: "member", encode: "one-hot", categories: ["yes", "no"], unknown: "zeros" },
        ],
      },
    },
  });

  it("of a table are values before scaling, categories by place, and what was missing or unseen", async () => {
    expect(
      await read(tabular, [
        { age: 30, member: "no" },
        { age: null, member: "perhaps" },
        { age: "x", member: "no" },
      ]),
    ).toEqual([
      { "row.older": 31, "row.member": 1, "row.member unseen": 0, "row.age missing": 0 },
      { "row.older": 41, "row.member": -1, "row.member unseen": 1, "row.age missing": 1 },
      null,
    ]);
  });

  it("of a text are its length, its unknown words, and whether it was cut", async () => {
    const manifest = sequenceManifest("sequence.onnx", {
      preprocess: { tokens: { kind: "text", tokenizer: "tokenizer.json", maxTokens: 6 } },
    });
    expect(await read(manifest, [{ text: "t1 t2" }, { text: "t1 nonsense t3 t4 t5 t6" }])).toEqual([
      { "tokens.characters": 5, "tokens.tokens": 4, "tokens.unknown": 0, "tokens cut": 0 },
      { "tokens.characters": 23, "tokens.tokens": 6, "tokens.unknown": 1 / 6, "tokens cut": 1 },
    ]);
  });

  it("of one model are 300 at most, and the rest is counted", () => {
    const columns = Array.from({ length: 310 }, (_, i) => `c${i}`);
    const wide = {
      kind: "tabular" as const,
      columns: Object.fromEntries(
        columns.map((name) => [name, { type: "number" as const, missing: "reject" as const }]),
      ),
      derive: {},
      features: columns.map((column) => ({ column, encode: "number" as const })),
    };
    const { features, left } = featuresOf({ row: wide });
    expect({ features: features.length, left }).toEqual({ features: 300, left: 10 });
  });

  it("of a series are its length, mean, spread and last value, and whether it was cut", () => {
    const step = { kind: "series" as const, field: "history", maxLength: 3, minLength: 1, pad: 0 };
    const compiled = compileSeriesStep(step, () => "");
    const read = compileFeatures({ history: step }, {});
    const of = (history: number[]) => [...read({ history }, { history: compiled.prepare({ history }) as Prepared })];
    expect(featuresOf({ history: step }).features.map(({ name }) => name)).toEqual([
      "history.length",
      "history.mean",
      "history.std",
      "history.last",
      "history cut",
    ]);
    expect(of([4, 6])).toEqual([2, 5, 1, 6, 0]);
    expect(of([100, 1, 2, 3])).toEqual([3, 2, expect.closeTo(Math.sqrt(2 / 3)) as number, 3, 1]);
  });

  it("are read in a prediction of the rows that are asked about, and are those read alone", async () => {
    const predictor = await predictorOf(linearManifest());
    const rows = [1, 2, 3, 4].map((a) => ({ a, b: 10 * a, c: 0 }));
    const taken = new Map<number, number[]>();
    await predictor.predict(rows, {
      observe: { wants: (index) => index % 2 === 1, take: (index, features) => taken.set(index, [...features]) },
    });
    const alone = await predictor.features(rows);
    expect([...taken]).toEqual([1, 3].map((index) => [index, [...alone[index]!]]));
  });
});
