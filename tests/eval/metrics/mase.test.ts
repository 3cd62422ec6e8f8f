import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { measure, measurerOf } from "../../../eval/metrics/measure.ts";
import { measuredPair, qualityEvidence } from "../../../eval/judge/quality-evidence.ts";
import { judgeCheck } from "../../../eval/judge/judge-check.ts";
import { planChecks } from "../../../eval/judge/plan-checks.ts";
import { gates } from "../../../models/core/manifest/gates.ts";
import type { Predictions } from "../../../eval/predictions/predictions.ts";
import { unscaledNote } from "../../../eval/metrics/mase.ts";
import { selectRows } from "../../../eval/predictions/select-rows.ts";
import { metric, numberA, numberB, options, sample, value } from "./samples.ts";

/**
 * Quarterly Australian beer production, megalitres, from 1992 on (Australian Bureau of Statistics; `ausbeer` in R's
 * fpp2).
 */
const training = [
  443, 410, 420, 532, 433, 421, 410, 512, 449, 381, 423, 531, 426, 408, 416, 520, 409, 398, 398, 507, 432, 398, 406,
  526, 428, 397, 403, 517, 435, 383, 424, 521, 421, 402, 414, 500, 451, 380, 416, 492, 428, 408, 406, 506, 435, 380,
  421, 490, 435, 390, 412, 454, 416, 403, 408, 482, 438, 386, 405, 491, 427, 383, 394, 473,
];
const test = [420, 390, 410, 488, 415, 398, 419, 488, 414, 374];
const naiveError = (series: readonly number[], season: number) =>
  series.slice(season).reduce((sum, y, t) => sum + Math.abs(y - (series[t] as number)), 0) / (series.length - season);
const mean = training.reduce((sum, y) => sum + y, 0) / training.length;

describe("mase", () => {
  it.each([
    ["the mean", test.map(() => mean), 34.83, 2.44],
    ["the last value", test.map(() => training.at(-1) as number), 57.4, 4.01],
    ["the same quarter of the last year", test.map((_, t) => training.at((t % 4) - 4) as number), 13.4, 0.94],
  ])(
    "equals the value in Hyndman and Athanasopoulos (Forecasting: Principles and Practice, 2nd ed., 3.4) for a forecast by %s",
    (_, forecast, maePrinted, masePrinted) => {
      const rows = sample(test, forecast, 0, {
        naiveScales: new Float64Array(test.length).fill(naiveError(training, 4)),
      });
      expect(value("mae", rows).toFixed(2)).toBe(maePrinted.toFixed(2));
      expect(value("mase", rows).toFixed(2)).toBe(masePrinted.toFixed(2));
    },
  );

  it.skipIf(!existsSync("/usr/bin/python3"))(
    "agrees with the definition implemented in Python: two series, weighted",
    () => {
      const script = `
import json, sys
d = json.load(sys.stdin)
scales = {name: sum(abs(a - b) for a, b in zip(y[d["m"]:], y)) / (len(y) - d["m"]) for name, y in d["training"].items()}
rows = [(w, abs(y - f) / scales[s]) for y, f, w, s in zip(d["y"], d["f"], d["w"], d["series"])]
print(json.dumps({"scales": scales, "mase": sum(w * q for w, q in rows) / sum(w for w, _ in rows)}))`;
      const other = training.map((y, t) => 2 * y + 7 * Math.sin(t));
      const y = [...test, ...test.map((one) => 2 * one)];
      const f = y.map((one, i) => one + 10 * Math.cos(i));
      const w = y.map((_, i) => 1 + (i % 3));
      const series = y.map((_, i) => (i < test.length ? "one" : "two"));
      const theirs = JSON.parse(
        execFileSync("/usr/bin/python3", ["-c", script], {
          input: JSON.stringify({ m: 4, training: { one: training, two: other }, y, f, w, series }),
          encoding: "utf8",
          timeout: 60_000,
        }),
      ) as { scales: Record<string, number>; mase: number };
      const rows = sample(y, f, 0, {
        weights: Float64Array.from(w),
        naiveScales: Float64Array.from(series, (name) => theirs.scales[name] as number),
      });
      expect(naiveError(other, 4)).toBeCloseTo(theirs.scales["two"] as number, 12);
      expect(value("mase", rows)).toBeCloseTo(theirs.mase, 12);
    },
  );

  it("with one scale for all rows is MAE divided by that scale, in value, interval and paired contrast", () => {
    const scaled = (rows: typeof numberA) => ({ ...rows, naiveScales: new Float64Array(rows.labels.length).fill(4) });
    const [mase, mae] = (["mase", "mae"] as const).map((name) =>
      metric(name).contrast(scaled(numberA), scaled(numberB), options),
    );
    if (mase?.status !== "ok" || mae?.status !== "ok") throw new Error("undefined");
    for (const [ours, theirs] of [
      [mase.difference, mae.difference],
      [mase.candidate, mae.candidate],
      [mase.interval.low, mae.interval.low],
      [mase.interval.high, mae.interval.high],
    ] as const)
      expect(4 * ours).toBeCloseTo(theirs, 12);
  });

  it("leaves out rows whose scale is 0, counts the others and says so", () => {
    const naiveScales = Float64Array.from(numberA.naiveScales!, (scale, i) => (i % 3 === 0 ? 0 : scale));
    const kept = Int32Array.from(numberA.labels.keys()).filter((i) => i % 3 !== 0);
    const [one, two] = [numberA, numberB].map((rows) => ({ ...rows, naiveScales }));
    const others = [numberA, numberB].map((rows) => selectRows(rows, kept));
    expect(metric("mase").measure(one!, options)).toEqual(metric("mase").measure(others[0]!, options));
    expect(metric("mase").contrast(one!, two!, options)).toEqual(
      metric("mase").contrast(others[0]!, others[1]!, options),
    );
    expect(metric("mase").measure(one!, options)).toMatchObject({ status: "ok", n: kept.length });
    expect(unscaledNote({ naiveScales: Float64Array.of(0, 0, 2), groups: ["a", "b", "c"] })).toBe(
      'The naive scale of 2 of 3 rows is 0 (2 series, the first is "a"): the training data never changes there, no error can be scaled by it, and mase leaves those rows out.',
    );
    expect(unscaledNote({ naiveScales: Float64Array.of(1, 2), groups: null })).toBeNull();
  });

  it("is undefined without a scale, and when every scale is 0 or one is not a number, naming the row", () => {
    const reason = (naiveScales?: Float64Array) => {
      const result = metric("mase").measure(
        sample([1, 2, 3], [1, 2, 4], 0, naiveScales === undefined ? {} : { naiveScales }),
        options,
      );
      return result.status === "undefined" ? result.reason : "";
    };
    expect(reason()).toMatch(/no naive scale is declared.*model\.yaml.*naive_scale.*--naive-scale/);
    expect(reason(Float64Array.of(0, 0, 0))).toMatch(/every row is 0: the training data of its series never changes/);
    expect(reason(Float64Array.of(1, -1, 1))).toMatch(/row 1 is -1/);
    expect(reason(Float64Array.of(1, 1, Number.NaN))).toMatch(/row 2 is NaN/);
    expect(reason(Float64Array.of(1, 1))).toBe("2 naive scales for 3 rows");
  });

  it("is listed when the scale is declared; a check that asks for it without a scale is ERROR", () => {
    const n = 40;
    const rows = (more: Partial<Predictions>): Predictions => ({
      head: "h",
      task: "forecasting",
      ids: Array.from({ length: n }, (_, i) => `r${i}`),
      labels: Float64Array.from({ length: n }, (_, i) => i),
      scores: Float64Array.from({ length: n }, (_, i) => i + Math.sin(i)),
      classes: [],
      slices: { half: Array.from({ length: n }, (_, i) => (i < 20 ? "one" : "two")) },
      groups: null,
      weights: null,
      datasetDigest: null,
      ...more,
    });
    const scaled = rows({ naiveScales: Float64Array.from({ length: n }, (_, i) => (i < 20 ? 1 : 2)) });
    const listed = (predictions: Predictions) =>
      measure(measurerOf(predictions, 1), "h", { level: 0.9 })
        .filter((one) => one.metric === "mase")
        .map((one) => one.slice);
    expect(listed(scaled)).toEqual(["all", "half=one", "half=two"]);
    expect(listed(rows({}))).toEqual([]);
    const [planned] = planChecks(
      gates.parse({ checks: [{ kind: "non-inferiority", metric: "mase", margin: 0.1 }] }),
      {},
      () => "h",
      false,
    );
    const judged = (predictions: Predictions) =>
      judgeCheck(
        planned!,
        qualityEvidence(
          planned!,
          measuredPair(new Map([["h", predictions]]), new Map([["h", { kind: "paired", predictions }]]), 1),
          30,
        ),
        { direction: "lower", unit: "", onInsufficient: "fail", declaredAt: null },
      );
    expect(judged(rows({}))).toMatchObject({
      verdict: "ERROR",
      reason: expect.stringContaining("no naive scale") as string,
    });
    expect(judged(scaled)).toMatchObject({ verdict: "PASS" });
  });
});
