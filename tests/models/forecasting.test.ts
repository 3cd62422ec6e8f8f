import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadManifest } from "../../models/core/predictor/load.ts";
import { openPredictor, type Predictor } from "../../models/core/predictor/predictor.ts";
import type { SeriesResult } from "../../models/core/postprocess/result.ts";
import { json, root, serve, type ServerProcess } from "../spaces/server/harness.ts";
import { offline } from "./core/build.ts";

type EvalRow = {
  id: string;
  series: string;
  origin: string;
  history: number[];
  actual: number[];
  naive2: number[];
  naive_scale: number;
};
type Figures = { smape: number; mase: number; owa: number; coverage_95: number; coverage_99: number };

const read = (path: string): string => readFileSync(join(root, "models/forecasting", path), "utf8");
const rows = read("data/eval.jsonl")
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line) as EvalRow);
const known = new Map(
  read("data/series.jsonl")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { series: string; start: string; values: number[] })
    .map((one) => [one.series, one]),
);
const trained = JSON.parse(read("train/metrics.json")) as {
  seasonal_naive: { smape: number };
  versions: Record<string, Figures & { m3_monthly?: { smape: number } }>;
};
const reference = JSON.parse(read("train/reference.json")) as { id: string; forecast: number[][] }[];
const byId = new Map(rows.map((row) => [row.id, row]));

const months = (heads: unknown): SeriesResult => (heads as { months: SeriesResult }).months;
const mean = (values: readonly number[]) => values.reduce((sum, one) => sum + one, 0) / values.length;
const smape = (actual: readonly number[], forecast: readonly number[]) =>
  mean(actual.map((y, t) => (200 * Math.abs(y - forecast[t]!)) / (Math.abs(y) + Math.abs(forecast[t]!))));
const scaled = ({ actual, naive_scale }: EvalRow, forecast: readonly number[]) =>
  mean(actual.map((y, t) => Math.abs(y - forecast[t]!) / naive_scale));

const predictors: Predictor[] = [];
afterAll(async () => void (await Promise.all(predictors.map(async (one) => one.close()))));
async function opened(folder: string): Promise<Predictor> {
  const predictor = await openPredictor(await loadManifest(join(root, folder)), {}, offline);
  predictors.push(predictor);
  return predictor;
}

describe("the data of models/forecasting", () => {
  it("are origins of real series, whose history ends where the series does at that month", () => {
    expect([rows.length, new Set(rows.map(({ series }) => series)).size, known.size]).toEqual([481, 163, 163]);
    for (const { series, origin, history, actual } of rows) {
      const { start, values } = known.get(series)!;
      const [[y0, m0], [y1, m1]] = [start, origin].map((text) => text.split("-").map(Number)) as [number[], number[]];
      const at = (y1! - y0!) * 12 + m1! - m0! + 1;
      expect(history).toEqual(values.slice(Math.max(0, at - 144), at));
      expect(actual).toEqual(values.slice(at, at + 18));
    }
  });

  it("take less than 3 MB, and so do the weights of both versions", () => {
    const bytes = (paths: string[]) =>
      paths.reduce((sum, path) => sum + Buffer.byteLength(readFileSync(join(root, "models/forecasting", path))), 0);
    expect(bytes(["data/eval.jsonl", "data/series.jsonl"])).toBeLessThan(3e6);
    expect(bytes(["model.onnx", "production/model.onnx"])).toBeLessThan(3e6);
  });
});

describe.each([
  ["1.0.0", "models/forecasting/production"],
  ["1.1.0", "models/forecasting"],
])("forecasting %s", (version, folder) => {
  let answers: SeriesResult[];
  beforeAll(async () => {
    const results = await (await opened(folder)).predict(rows);
    answers = results.map((one) => {
      if (!one.ok) throw one.error;
      return months(one.heads);
    });
  });

  it("has the figures that its training script wrote down", () => {
    const { smape: error, mase, owa, coverage_95: covered } = trained.versions[version]!;
    const errors = mean(rows.map(({ actual }, i) => smape(actual, answers[i]!.values)));
    const own = mean(rows.map((row, i) => scaled(row, answers[i]!.values)));
    const [errors2, scaled2] = [
      mean(rows.map(({ actual, naive2 }) => smape(actual, naive2))),
      mean(rows.map((row) => scaled(row, row.naive2))),
    ];
    expect(errors).toBeCloseTo(error, 3);
    expect(own).toBeCloseTo(mase, 3);
    expect((errors / errors2 + own / scaled2) / 2).toBeCloseTo(owa, 4);
    const inside = rows.flatMap(({ actual }, i) => {
      const [low, high] = [0.025, 0.975].map((level) => answers[i]!.quantiles!.find((one) => one.level === level)!);
      return actual.map((y, t) => Number(y >= low!.values[t]! && y <= high!.values[t]!));
    });
    expect(mean(inside)).toBeCloseTo(covered, 3);
  });

  it("is at least 15 % better than repeating the last year", () => {
    const repeated = mean(
      rows.map(({ history, actual }) =>
        smape(
          actual,
          actual.map((_, t) => history.at((t % 12) - 12)!),
        ),
      ),
    );
    expect(repeated).toBeCloseTo(trained.seasonal_naive.smape, 6);
    expect(mean(rows.map(({ actual }, i) => smape(actual, answers[i]!.values)))).toBeLessThan(0.85 * repeated);
  });

  it("forecasts the same for a series in other units", async () => {
    const smaller = { history: rows[0]!.history.map((one) => one / 1000) };
    months(await (await opened(folder)).predictOne(smaller)).values.forEach((one, t) =>
      expect(one * 1000).toBeCloseTo(answers[0]!.values[t]!, 2),
    );
  });
});

describe("forecasting, served", () => {
  let server: ServerProcess;
  beforeAll(async () => {
    server = await serve(["models/forecasting"]);
  });
  const ask = async (row: object) => json(await server.post("/predict", row));
  const forecast = async (row: object) => months((await ask(row))["heads"]);

  it("answers what its training script computed, row by row, alone and in a batch", async () => {
    expect(reference.length).toBeGreaterThan(20);
    const wanted = reference.map(({ id }) => ({ history: byId.get(id)!.history }));
    const batch = (await json(await server.post("/models/forecasting/predict/batch", { rows: wanted }))) as unknown as {
      predictions: { heads: unknown }[];
    };
    for (const [i, { forecast: expected }] of reference.entries()) {
      const alone = await forecast(wanted[i]!);
      for (const { values, quantiles } of [alone, months(batch.predictions[i]!.heads)]) {
        expected.forEach((step, t) => {
          expect(values[t]! / step[3]! - 1).toBeCloseTo(0, 4);
          step.forEach((value, q) => expect(quantiles![q]!.values[t]! / value - 1).toBeCloseTo(0, 4));
        });
      }
    }
  });

  it("takes one more observation and answers from it, without any fitting in between", async () => {
    const { history, actual } = byId.get("births-all@2012-12")!;
    const [before, after] = [await forecast({ history }), await forecast({ history: [...history, actual[0]!] })];
    expect(after.values[0]).not.toBe(before.values[1]);
    // January is known now: the forecasts go on from February.
    const error = (of: SeriesResult, from: number) => smape(actual.slice(1, 6), of.values.slice(from, from + 5));
    expect(error(after, 0)).toBeLessThan(5);
    expect(error(before, 1)).toBeLessThan(5);
    expect(await forecast({ history })).toEqual(before);
  });

  it("flags a month that is far outside its interval, and none of those as they came", async () => {
    const { history, actual } = byId.get("births-all@2012-12")!;
    expect((await forecast({ history, observed: actual.slice(0, 6) })).flagged).toEqual([]);
    const odd = actual.slice(0, 6).map((value, t) => (t === 3 ? value * 1.4 : value));
    const { flagged, quantiles } = await forecast({ history, observed: odd });
    expect(flagged).toEqual([
      { step: 4, value: odd[3], low: quantiles![0]!.values[3], high: quantiles!.at(-1)!.values[3] },
    ]);
    expect((await forecast({ history })).flagged).toBeUndefined();
  });

  it.each([
    ["history", { history: [1, 2, 3] }],
    ["history[40]", { history: Array.from({ length: 60 }, (_, t) => (t === 40 ? -1 : 5)) }],
    ["observed", { history: new Array<number>(60).fill(5), observed: new Array<number>(19).fill(5) }],
  ])("refuses a wrong %s", async (field, row) => {
    expect(await ask(row)).toMatchObject({ status: 422, errors: [{ field }] });
  });

  it.each([
    ["a constant", (t: number) => 7 + 0 * t],
    ["nothing but zeros", (t: number) => 0 * t],
    ["mostly zeros", (t: number) => (t % 9 === 0 ? 3 : 0)],
    ["enormous", (t: number) => 1e30 * (1 + (t % 12))],
  ])("answers for a series of %s with finite numbers in order", async (_, value) => {
    const { values, quantiles } = await forecast({ history: Array.from({ length: 60 }, (__, t) => value(t)) });
    expect(values).toHaveLength(18);
    for (let q = 1; q < quantiles!.length; q++)
      quantiles![q]!.values.forEach((one, t) => expect(one).toBeGreaterThanOrEqual(quantiles![q - 1]!.values[t]!));
  });
});
