import { describe, expect, it } from "vitest";
import { linearManifest } from "../../cli/repository.ts";
import { manifest } from "../../../models/core/manifest/manifest.ts";
import { onCommonRows } from "../../../eval/gate/common-rows.ts";
import type { Predictions } from "../../../eval/predictions/predictions.ts";

const { preprocess } = manifest.parse(linearManifest());
const on = (...ids: string[]): Predictions => ({
  head: "value",
  task: "regression",
  ids,
  labels: Float64Array.from(ids, (id) => id.charCodeAt(0)),
  scores: Float64Array.from(ids, (id) => -id.charCodeAt(0)),
  classes: [],
  slices: { name: ids.map((id) => `is ${id}`) },
  groups: null,
  weights: null,
  datasetDigest: null,
});
const dataset = (a: unknown) => ({
  rows: ["x", "y", "z"].map((id) => ({ id, row: { a, b: 1, c: 1 } })),
});

describe("the rows that both models answer", () => {
  it("are the baseline's, in the candidate's order, where the candidate answers more", () => {
    expect(onCommonRows(on("z", "y", "x"), on("x", "z"), preprocess, dataset(null))).toEqual(on("z", "x"));
  });

  it.each([
    ["the same", ["x", "y"], ["y", "x"]],
    ["fewer", ["x"], ["x", "y"]],
    ["others, too", ["x", "y", "z"], ["x", "w"]],
  ])("are not looked for where the candidate answers %s", (_, ours, theirs) => {
    expect(onCommonRows(on(...ours), on(...theirs), preprocess, dataset(null))).toBeNull();
  });

  it.each<[unknown, boolean]>([
    [1, true],
    ["", true],
    ["much", true],
    ["1", false],
    ["1,5", false],
    [true, false],
    [[1], false],
  ])("are not believed where the candidate's types make the baseline refuse %j", (cell, believed) => {
    const found = onCommonRows(on("x", "y"), on("x"), preprocess, dataset(cell));
    expect(found !== null).toBe(believed);
  });

  it("are looked for among altered copies for themselves", () => {
    const copied = (one: Predictions, ...copies: string[]): Predictions => ({ ...one, copies: on(...copies) });
    const rows = { ...dataset(null), copies: dataset(null) };
    expect(onCommonRows(copied(on("x"), "x", "y"), copied(on("x"), "y"), preprocess, rows)).toEqual(
      copied(on("x"), "y"),
    );
    expect(onCommonRows(copied(on("x", "y"), "x"), copied(on("x"), "x"), preprocess, rows)).toEqual(
      copied(on("x"), "x"),
    );
    expect(onCommonRows(copied(on("x"), "x"), copied(on("x"), "x"), preprocess, rows)).toBeNull();
  });
});
