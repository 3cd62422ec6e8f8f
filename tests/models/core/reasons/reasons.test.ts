import { describe, expect, it } from "vitest";
import type { ManifestInput } from "../../../../models/core/manifest/manifest.ts";
import type { RowResult } from "../../../../models/core/predictor/predictor.ts";
import { linearManifest, modelFolder, predictorOf, refusal } from "../build.ts";
import { rowOf, treeManifest, treeRows } from "./trees.ts";

const reasons = { kind: "tree-paths" } as const;
const features = (result: RowResult | undefined) => (result?.ok === true ? result.features : undefined);
const rows = treeRows.map(rowOf);

/** The contributions by column, one-hot numbers together, as the reference has them. */
const byColumn = (i: number) => {
  const [amount, distance, pos, atm, online, seen] = treeRows[i]!.contributions as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return { amount, distance, channel: pos + atm + online, seen };
};

describe("reasons of trees in answers", () => {
  it("are there for no answer unless model.yaml asks for them", async () => {
    const predictor = await predictorOf(treeManifest());
    for (const result of await predictor.predict(rows)) expect(result).not.toHaveProperty("features");
  });

  it("name the columns that add or take most, as in the reference, for answers with the positive label", async () => {
    const predictor = await predictorOf(treeManifest({ reasons: { ...reasons, top: 4 } }));
    const results = await predictor.predict(rows, { batch: 7 });
    const alerts = results.flatMap((result, i) => (result.ok && features(result) !== undefined ? [i] : []));
    expect(alerts).toEqual(treeRows.flatMap(({ probability }, i) => (probability > 0.5 ? [i] : [])));
    expect(alerts.length).toBeGreaterThan(5);
    for (const i of alerts) {
      const expected = Object.entries(byColumn(i))
        .filter(([, contribution]) => contribution !== 0)
        .toSorted(([, a], [, b]) => Math.abs(b) - Math.abs(a));
      const found = features(results[i])!;
      expect(found.map(({ feature }) => feature)).toEqual(expected.map(([name]) => name));
      found.forEach(({ feature, value, contribution }, k) => {
        expect(contribution).toBeCloseTo(expected[k]![1], 3);
        const given = rows[i]![feature as keyof (typeof rows)[number]];
        expect(value).toBe(typeof given === "number" ? Number(given.toPrecision(7)) : given);
      });
    }
  });

  it("are the same alone and in batches, at most `top`, and for every answer where all are asked for", async () => {
    const predictor = await predictorOf(treeManifest({ reasons: { ...reasons, top: 2, answers: "all" } }));
    const together = await predictor.predict(rows);
    for (const [i, row] of rows.entries()) {
      const [alone] = await predictor.predict([row]);
      expect(alone).toEqual(together[i]);
      expect(features(alone)!.length).toBeLessThanOrEqual(2);
    }
  });

  it("follow the answer after the rules", async () => {
    const rules = { version: "1.0.0", list: [{ id: "all", when: "amount >= 0", override: { label: "yes" } }] };
    const predictor = await predictorOf(treeManifest({ reasons, rules }));
    const results = await predictor.predict(rows);
    expect(results.every((result) => features(result)!.length > 0)).toBe(true);
  });

  it("leave out a bad row, and tell of the others", async () => {
    const predictor = await predictorOf(treeManifest({ reasons: { ...reasons, answers: "all" } }));
    const [bad, good] = await predictor.predict([{ amount: "much" }, rows[0]!]);
    expect(bad).toMatchObject({ ok: false });
    expect(features(good)!.length).toBeGreaterThan(0);
  });

  it("name the numbers of a tensor by their place", async () => {
    const { preprocess, inputs, ...rest } = treeManifest({ reasons: { ...reasons, answers: "all", top: 1 } });
    const tensor: Partial<ManifestInput> = {
      preprocess: { numbers: { kind: "tensor", field: "numbers", shape: [6] } },
      inputs: [{ ...inputs[0]!, from: "numbers.values" }],
    };
    expect(preprocess).toHaveProperty("payment");
    const row = treeRows.find(({ features: all }) => !all.includes(null))!;
    const predictor = await predictorOf({ ...rest, ...tensor } as ManifestInput);
    const [result] = await predictor.predict([{ numbers: row.features }]);
    const [largest] = [...row.contributions.entries()].toSorted(([, a], [, b]) => Math.abs(b) - Math.abs(a));
    expect(features(result)).toEqual([
      {
        feature: `numbers[${largest![0]}]`,
        value: Number(row.features[largest![0]]!.toPrecision(7)),
        contribution: expect.closeTo(largest![1], 3) as number,
      },
    ]);
  });
});

describe("reasons that cannot be computed", () => {
  it.each<[string, ManifestInput, RegExp]>([
    ["without training rows", treeManifest({ reasons }, "tree-paths-without-rows.onnx"), /no nodes_hitrates/],
    [
      "of a graph without trees",
      linearManifest({ reasons: { ...reasons, answers: "all" } }),
      /the one TreeEnsembleRegressor of a graph/,
    ],
  ])("are an error when the model opens: %s", async (_, manifest, problem) => {
    const error = await refusal(() => predictorOf(manifest));
    expect(error.diagnostic).toMatchObject({ code: "reasons-graph", place: expect.stringMatching(/model\.yaml:\d+/) });
    expect(error.message).toMatch(problem);
  });

  it.each<[string, Partial<ManifestInput>, RegExp]>([
    ["a head that is not there", { reasons: { ...reasons, head: "froud" } }, /no head "froud"/],
    ["another kind", { reasons: { kind: "shap" as never } }, /tree-paths/],
    ["no feature at all", { reasons: { ...reasons, top: 0 } }, /reasons\.top|top/],
    [
      "a positive label where there is none",
      { reasons, task: "regression", postprocess: [{ name: "fraud", from: "probability", kind: "regression" }] },
      /fraud has no positive label[^]*answers: all/,
    ],
  ])("are an error of model.yaml: %s", async (_, changes, problem) => {
    const error = await refusal(() => modelFolder(treeManifest(changes)));
    expect(error.message).toMatch(problem);
  });
});
