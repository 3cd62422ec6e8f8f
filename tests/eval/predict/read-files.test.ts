import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { readPredictions } from "../../../eval/predictions/read.ts";
import type { ReadPredictionsOptions } from "../../../eval/predictions/table.ts";
import { folderWith } from "../dataset/build.ts";

const fixture = fileURLToPath(new URL("../dataset/fixtures/predictions.parquet", import.meta.url));

function read(content: string, options: Partial<ReadPredictionsOptions> = {}, name = "p.csv") {
  return readPredictions(join(folderWith({ [name]: content }), name), { task: "binary-classification", ...options });
}

describe("binary labels", () => {
  it.each([
    ["0\n1\n0", ["0", "1"], [0, 1, 0]],
    ["0.0\n1.0\n1", ["0", "1"], [0, 1, 1]],
    ["true\nFalse\ntrue", ["false", "true"], [1, 0, 1]],
    ["1\n1\n1", ["0", "1"], [1, 1, 1]],
  ])("%j", async (column, classes, labels) => {
    const { predictions, notes } = await read(
      `id,label,score\n${column
        .split("\n")
        .map((label, i) => `r${i},${label},0.5`)
        .join("\n")}\n`,
    );
    expect(predictions).toMatchObject({ classes });
    expect(Array.from(predictions.labels)).toEqual(labels);
    expect(notes).toEqual([]);
  });

  it("of two names the last in sorted order is positive, with a note, unless one is given", async () => {
    const file = "id,label,score\na,spam,0.9\nb,ham,0.2\n";
    const { predictions, notes } = await read(file);
    expect([predictions.classes, Array.from(predictions.labels)]).toEqual([
      ["ham", "spam"],
      [1, 0],
    ]);
    expect(notes).toEqual([
      'labels are "ham" and "spam"; "spam", the last in sorted order, is taken as positive (--positive chooses)',
    ]);
    const chosen = await read(file, { positive: "ham" });
    expect([chosen.predictions.classes, Array.from(chosen.predictions.labels), chosen.notes]).toEqual([
      ["spam", "ham"],
      [0, 1],
      [],
    ]);
    await expect(read(file, { positive: "hamm" })).rejects.toMatchObject({
      name: "ConfigurationError",
      diagnostic: { hint: "did you mean ham?", expected: "ham or spam" },
    });
  });

  it("0 can be the positive label, and a single name needs --positive", async () => {
    const { predictions } = await read("id,label,score\na,0,0.9\nb,1,0.2\n", { positive: "0" });
    expect([predictions.classes, Array.from(predictions.labels)]).toEqual([
      ["1", "0"],
      [1, 0],
    ]);
    await expect(read("id,label,score\na,spam,0.9\n")).rejects.toThrow(
      /p\.csv:2: every label is "spam"[^]*--positive spam/,
    );
    expect(Array.from((await read("id,label,score\na,spam,0.9\n", { positive: "spam" })).predictions.labels)).toEqual([
      1,
    ]);
    expect(Array.from((await read("id,label,score\na,spam,0.9\n", { positive: "ham" })).predictions.labels)).toEqual([
      0,
    ]);
  });

  it("a third label is refused, with its line", async () => {
    await expect(read("id,label,score\na,x,1\nb,y,1\nc,z,1\n")).rejects.toThrow(/p\.csv:4: label "z" does not belong/);
    await expect(read("id,label,score\na,0,1\nb,1,1\nc,2,1\n")).rejects.toThrow(/p\.csv:4: label "2"/);
  });
});

describe("errors name file and line", () => {
  it.each([
    [
      "NaN score",
      "id,label,score\na,1,0.5\nb,1,NaN\n",
      "not-a-number",
      /p\.csv:3: score is not a finite number[^]*received: NaN/,
    ],
    ["infinite score", "id,label,score\na,1,inf\n", "not-a-number", /p\.csv:2/],
    ["score beyond a double", "id,label,score\na,1,1e999\n", "not-a-number", /p\.csv:2/],
    ["empty score", "id,label,score\na,1,\n", "not-a-number", /p\.csv:2: score[^]*received: nothing/],
    ["empty id", "id,label,score\n,1,0.5\n", "empty-field", /p\.csv:2: id is empty/],
    ["empty label", "id,label,score\na,,0.5\n", "empty-field", /p\.csv:2: label is empty/],
    ["negative weight", "id,label,score,weight\na,1,0.5,-1\n", "not-a-number", /p\.csv:2: weight is negative/],
    ["empty entity", "id,label,score,entity\na,1,0.5,\n", "empty-field", /p\.csv:2: entity is empty/],
    ["empty group", "id,label,score,group\na,1,0.5,\n", "empty-field", /p\.csv:2: group is empty/],
    [
      "duplicate id",
      "id,label,score\na,1,0.5\nb,0,0.5\na,1,0.5\n",
      "duplicate-id",
      /p\.csv:4: id "a" is already taken by .*p\.csv:2/,
    ],
    ["short row", "id,label,score\na,1\n", "malformed-row", /p\.csv:2: 2 cells where the header has 3/],
    ["empty file", "", "no-rows", /no rows/],
    ["header only", "id,label,score\n", "no-rows", /no rows/],
    [
      "missing column",
      "id,label,scores\na,1,0.5\n",
      "missing-column",
      /no column "score"[^]*columns id, label, scores[^]*is "scores" meant to be "score"/,
    ],
    [
      "several missing columns",
      "row_id,target,pred_score\na,1,0.5\n",
      "missing-column",
      /no column "id", "label", "score"/,
    ],
  ])("%s", async (_, content, code, message) => {
    const error = await read(content).catch((reason: Error) => reason);
    expect(error).toMatchObject({ name: "EvaluationError", code, message: expect.stringMatching(message) });
  });

  it("JSON Lines: malformed lines, and fields that appear or disappear", async () => {
    await expect(read('{"id":"a","label":1,"score":0.5}\n{"id":\n', {}, "p.jsonl")).rejects.toThrow(
      /p\.jsonl:2: malformed JSON/,
    );
    const [withRegion, without] = ['{"id":"a","label":1,"score":0.5,"region":"x"}', '{"id":"b","label":1,"score":0.5}'];
    for (const [lines, region] of [
      [
        [withRegion, without],
        ["x", "(missing)"],
      ],
      [
        [without, withRegion],
        ["(missing)", "x"],
      ],
    ] as const)
      for (const wanted of [{}, { slices: ["region"] }]) {
        const { predictions, notes } = await read(lines.join("\n"), wanted, "p.jsonl");
        expect(predictions.slices).toEqual({ region });
        expect(notes).toEqual([expect.stringMatching(/1 row without a value.* region=\(missing\)/)]);
      }
    await expect(read(`${without}\n`, { slices: ["region"] }, "p.jsonl")).rejects.toMatchObject({
      code: "missing-column",
    });
    await expect(
      read('{"id":"a","label":1,"score":0.5}\n{"id":"b","label":1,"score":0.5,"weight":2}\n', {}, "p.jsonl"),
    ).rejects.toThrow(/p\.jsonl:2: the row's fields/);
    await expect(read('{"id":"a","label":1,"score":null}\n', {}, "p.jsonl")).rejects.toThrow(/p\.jsonl:1: score/);
  });

  it("multiclass: a label without a column, and too few columns", async () => {
    const options = { task: "multiclass-classification" as const };
    await expect(read("id,label,p_a,p_b\nx,c,0.5,0.5\n", options)).rejects.toThrow(/p\.csv:2: no column "p_c"/);
    await expect(read("id,label,score\nx,c,0.5\n", options)).rejects.toMatchObject({
      code: "missing-column",
      message: expect.stringContaining("p_CLASS"),
    });
    await expect(read("id,label,score\nx,c,0.5\n", { task: "translation" })).rejects.toMatchObject({
      code: "missing-column",
      message: expect.stringContaining('no column "reference", "hypothesis"'),
    });
  });
});

describe("columns", () => {
  it("other columns are slices, or only the requested ones", async () => {
    const file = "id,label,score,region,text\na,1,0.5,,hello\nb,0,0.5,south,bye\n";
    expect((await read(file)).predictions.slices).toEqual({ region: ["(missing)", "south"], text: ["hello", "bye"] });
    expect((await read(file, { slices: ["region"] })).predictions.slices).toEqual({ region: ["(missing)", "south"] });
    await expect(read(file, { slices: ["regoin"] })).rejects.toMatchObject({
      code: "missing-column",
      diagnostic: { hint: expect.stringContaining('"region"') },
    });
  });

  it("scores that are not probabilities are mentioned in a note", async () => {
    expect((await read("id,label,score\na,1,0.5\nb,0,3.5\n")).notes).toEqual([
      expect.stringMatching(/not all probabilities .*p\.csv:3: 3\.5/),
    ]);
  });

  it("Parquet: integers, doubles and texts", async () => {
    const { predictions } = await readPredictions(fixture, { task: "binary-classification" });
    expect(predictions.ids).toHaveLength(2500);
    expect(predictions.scores[1234]).toBe(((1234 * 7919) % 2500) / 2500);
    expect(Array.from(predictions.labels.slice(0, 4))).toEqual([0, 1, 1, 0]);
    expect(predictions.slices["region"]!.slice(0, 2)).toEqual(["south", "north"]);
  });
});
