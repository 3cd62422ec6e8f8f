import { join } from "node:path";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { pairPredictions } from "../../../eval/predictions/pair.ts";
import { quantileColumn, quantileLevel } from "../../../eval/predictions/forecast-columns.ts";
import type { Predictions } from "../../../eval/predictions/predictions.ts";
import { readPredictions } from "../../../eval/predictions/read.ts";
import { writePredictions } from "../../../eval/predictions/write.ts";
import { folderWith } from "../dataset/build.ts";

const csv = `id,label,score,series,step,q05,q95,naive_scale,naive2,region
a1,10,9.5,a,1,8,12,2,9,north
b1,20,21,b,1,18,24,4,22,south
a2,11,10,a,2,7,13,2,9,north
b2,22,21.5,b,2,17,25,4,22,south
`;
const records = csv
  .trim()
  .split("\n")
  .slice(1)
  .map((line) => {
    const [id, label, score, series, step, q05, q95, scale, naive2, region] = line.split(",");
    const numbers = { label, score, step, q05, q95, naive_scale: scale, naive2 };
    return {
      id,
      series,
      region,
      ...Object.fromEntries(Object.entries(numbers).map(([name, text]) => [name, Number(text)])),
    };
  });
const jsonl = records.map((record) => `${JSON.stringify(record)}\n`).join("");
const task = "forecasting" as const;

async function read(content: string, name = "f.csv", more = {}): Promise<Predictions> {
  return (await readPredictions(join(folderWith({ [name]: content }), name), { task, ...more })).predictions;
}

describe("a forecasting file", () => {
  it.each([
    ["f.csv", csv],
    ["f.jsonl", jsonl],
    ["f.csv", csv.replace("a1,10,", '"a1",10,')],
  ])("%s holds series, steps, quantiles and Naive2, and its series are the clusters", async (name, content) => {
    expect(await read(content, name)).toMatchObject({
      labels: Float64Array.of(10, 20, 11, 22),
      forecasts: {
        series: ["a", "b", "a", "b"],
        steps: Int32Array.of(1, 1, 2, 2),
        quantiles: { levels: [0.05, 0.95], values: Float64Array.of(8, 12, 18, 24, 7, 13, 17, 25) },
        naive2: Float64Array.of(9, 22, 9, 22),
      },
      groups: ["a", "b", "a", "b"],
      slices: { region: ["north", "south", "north", "south"] },
    });
  });

  it("keeps a group of its own in place of the series", async () => {
    const grouped = csv
      .split("\n")
      .map((line, i) => (line === "" ? "" : `${line},${i === 0 ? "group" : "shop"}`))
      .join("\n");
    expect((await read(grouped)).groups).toEqual(["shop", "shop", "shop", "shop"]);
  });

  it.each(["csv", "jsonl"])("is written as %s and read back the same", async (extension) => {
    const predictions = await read(csv);
    const folder = folderWith({});
    const file = join(folder, `p.${extension}`);
    await writePredictions(file, predictions);
    const again = (await readPredictions(file, { task })).predictions;
    expect({ ...again, ids: again.ids }).toEqual({ ...predictions, ids: predictions.ids });
    expect(readFileSync(file, "utf8")).not.toContain("group");
  });

  it("may name neither series nor steps; rows are then independent", async () => {
    const plain = await read("id,label,score\na,1,2\nb,2,2\n");
    expect(plain.forecasts).toBeUndefined();
    expect(plain.groups).toBeNull();
  });

  it("has steps as slices where they are asked for", async () => {
    const sliced = await read(csv, "f.csv", { slices: ["step", "series"] });
    expect(sliced.slices).toEqual({ step: ["1", "1", "2", "2"], series: ["a", "b", "a", "b"] });
    const file = join(folderWith({}), "p.csv");
    await writePredictions(file, sliced);
    expect((await readPredictions(file, { task, slices: ["step"] })).predictions.slices).toEqual({
      step: ["1", "1", "2", "2"],
    });
  });

  const head = "id,label,score,series,step";
  it.each([
    [
      "crossing quantiles",
      `${head},q95,q05\na,1,1,s,1,2,1\nb,1,1,s,2,1,2\n`,
      "crossing-quantiles",
      /f\.csv:3.*q95 is below q05.*q05 2, q95 1/s,
    ],
    [
      "a step twice",
      `${head}\na,1,1,s,1\nb,1,1,s,2\nc,1,1,s,1\n`,
      "forecast-step",
      /f\.csv:4.*step 1 of the series "s" is already taken by .*f\.csv:2/s,
    ],
    [
      "a step that is missing",
      `${head}\nz,1,1,r,1\na,1,1,s,1\nb,1,1,s,3\n`,
      "forecast-step",
      /f\.csv:3.*"s" has no row of step 2/s,
    ],
    ["a first step that is missing", `${head}\na,1,1,s,2\nb,1,1,s,3\n`, "forecast-step", /f\.csv:2.*no row of step 1/s],
    ["a step of 0", `${head}\na,1,1,s,0\n`, "forecast-step", /f\.csv:2.*whole number from 1/s],
    ["half a step", `${head}\na,1,1,s,1.5\n`, "forecast-step", /f\.csv:2.*whole number from 1/s],
    ["a quantile of one digit", `${head},q5\na,1,1,s,1,1\n`, "quantile-name", /column "q5".*q05 for 0.05/s],
    ["a quantile in per cent", `${head},q97.5\na,1,1,s,1,1\n`, "quantile-name", /column "q97.5"/],
    ["the quantile 0", `${head},q00\na,1,1,s,1,1\n`, "quantile-name", /column "q00"/],
    ["a level twice", `${head},q05,q050\na,1,1,s,1,1,1\n`, "quantile-name", /two columns are the quantile 0.05/],
    ["no step", "id,label,score,series\na,1,1,s\n", "missing-column", /no column "step"/],
    ["quantiles without series", "id,label,score,q05\na,1,1,1\n", "missing-column", /no column "series", "step"/],
    ["a step that is no number", `${head}\na,1,1,s,first\n`, "not-a-number", /f\.csv:2.*step is not a finite number/s],
    ["an empty series", `${head}\na,1,1,,1\n`, "empty-field", /f\.csv:2.*series is empty/s],
  ])("is refused with its place: %s", async (_, content, code, message) => {
    const refused = await read(content).then(
      () => null,
      (error: unknown) => error as Error & { code: string },
    );
    expect(refused).toMatchObject({ code });
    expect(String(refused)).toMatch(message);
  });

  it("is refused where a later record brings a quantile that the first has not", async () => {
    const more = `${jsonl}${JSON.stringify({ ...records[0], id: "c1", series: "c", q50: 1 })}\n`;
    await expect(read(more, "f.jsonl")).rejects.toMatchObject({ code: "malformed-row" });
  });
});

describe("quantile columns", () => {
  it.each([
    ["q05", 0.05],
    ["q50", 0.5],
    ["q975", 0.975],
    ["q0.10", 0.1],
    ["q5", null],
    ["q100", 0.1],
    ["q2.5", null],
  ])("%s is the level %s", (name, level) => expect(quantileLevel(name)).toBe(level));
  it.each([0.05, 0.1, 0.5, 0.975, 0.999])("the level %d is written so that it is read back", (level) =>
    expect(quantileLevel(quantileColumn(level))).toBe(level),
  );
});

describe("pairs of forecasts", () => {
  const lines = csv.trim().split("\n");
  const reordered = [lines[0], ...lines.slice(1).toReversed()].join("\n");
  it("put the baseline's quantiles in the candidate's order", async () => {
    const pairing = pairPredictions(
      await read(csv),
      await read(reordered.replace("a1,10,9.5,a,1,8", "a1,10,9.5,a,1,6")),
    );
    expect(pairing).toMatchObject({
      status: "paired",
      baseline: { forecasts: { quantiles: { values: Float64Array.of(6, 12, 18, 24, 7, 13, 17, 25) } } },
    });
  });
  it.each([
    ["series", csv.replace(/,a,/g, ",c,"), /^different series: a1 \(a against c\)/],
    ["steps", csv.replace("a,1,8", "a,2,8").replace("a,2,7", "a,1,7"), /^different steps: a1 \(1 against 2\)/],
    ["forecasts of Naive2", csv.replace("22,south", "23,south"), /^different forecasts of Naive2: b1/],
    ["series on one side", "id,label,score\na1,10,1\nb1,20,1\na2,11,1\nb2,22,1\n", /series/],
  ])("are incomparable with other %s", async (_, other, reason) => {
    const [one, two] = [await read(csv, "f.csv", { slices: [] }), await read(other, "f.csv", { slices: [] })];
    expect(pairPredictions(one, two)).toMatchObject({
      status: "incomparable",
      reason: expect.stringMatching(reason) as string,
    });
  });
});
