import { describe, expect, it } from "vitest";
import { answerWorld } from "../../../bench/stats/answer-worlds.ts";
import { drawSeries } from "../../../bench/stats/series-world.ts";
import type { Sample } from "../../../eval/metrics/definition.ts";
import { largestFactor } from "../../../eval/metrics/uneven-interval.ts";
import { fewClusters } from "../../../eval/power/few-clusters.ts";
import { selectRows } from "../../../eval/predictions/select-rows.ts";
import { jackknifeError } from "../../../eval/stats/jackknife.ts";
import { studentQuantile } from "../../../eval/stats/student.ts";
import type { MetricName } from "../../../models/core/manifest/gates.ts";
import { metric, options } from "./samples.ts";

type Pair = { candidate: Sample; baseline: Sample };

function contrast(name: MetricName, { candidate, baseline }: Pair) {
  const result = metric(name).contrast(candidate, baseline, options);
  if (result.status !== "ok") throw new Error(result.reason);
  return result;
}

/** Half-width of t over clusters: the jackknife that leaves one out, clusters - 1 degrees of freedom. */
function halfOfT(name: MetricName, { candidate, baseline }: Pair): number {
  const groups = candidate.groups as string[];
  const names = [...new Set(groups)];
  const leftOut = names.map((group) => {
    const rows = Int32Array.from(groups.keys()).filter((i) => groups[i] !== group);
    const [x, y] = [candidate, baseline].map((of) =>
      metric(name).measure(selectRows(of, rows), { ...options, intervals: false }),
    );
    return x?.status === "ok" && y?.status === "ok" ? x.value - y.value : Number.NaN;
  });
  return studentQuantile(0.95, names.length - 1) * jackknifeError(Float64Array.from(leftOut));
}

describe("differences over clusters with heavy tails", () => {
  const series = drawSeries({ series: 12, spread: 1.2, skewed: true }, 3, 0);
  const answers = (task: "ranking" | "token-classification" | "text-generation"): Pair =>
    answerWorld(task, 8, 400).draw({ rows: 120, clusterSize: 10, weights: 0 }, 4, 0);
  it.each<[MetricName, Pair]>([
    ["mae", series],
    ["mase", series],
    ["smape", series],
    ["owa", series],
    ["quantile_loss", series],
    ["ndcg_at_k", answers("ranking")],
    ["entity_f1", answers("token-classification")],
    ["wer", answers("text-generation")],
    ["bleu", answers("text-generation")],
  ])("%s: no end nearer than t over clusters, and at most 1.15 times its width", (name, pair) => {
    const { difference, interval } = contrast(name, pair);
    const half = halfOfT(name, pair);
    // Users without a relevant item leave clusters of slightly uneven size.
    expect(difference - interval.low).toBeGreaterThan(0.97 * half);
    expect(interval.high - difference).toBeGreaterThan(0.97 * half);
    expect(interval.high - interval.low).toBeLessThan(2 * (largestFactor + 1e-9) * half);
  });
  it("are those of series and answers: rows of a regression keep their interval", () => {
    const plain = ({ candidate, baseline }: Pair): Pair => {
      const { forecasts: _, ...one } = candidate;
      const { forecasts: __, ...two } = baseline;
      return { candidate: one, baseline: two };
    };
    const width = (pair: Pair) => {
      const { low, high } = contrast("mae", pair).interval;
      return high - low;
    };
    let wider = 0;
    for (let gate = 0; gate < 20; gate++) {
      const pair = drawSeries({ series: 40, spread: 1.2 }, 5, gate);
      wider += width(pair) / width(plain(pair)) / 20;
    }
    expect(wider).toBeGreaterThan(1.005);
    expect(wider).toBeLessThan(1.1);
  });
  it("let few losses of exactly the margin through: 40 series of very different size, 400 gates, seeded", () => {
    const world = { series: 40, spread: 1.2 };
    const gates = 400;
    for (const name of ["mae", "quantile_loss"] as const) {
      let truth = 0;
      for (let draw = 0; draw < 20; draw++) {
        const { candidate, baseline } = drawSeries({ ...world, series: 4000 }, 70, draw);
        const value = (of: Sample): number => {
          const found = metric(name).measure(of, { ...options, intervals: false });
          return found.status === "ok" ? found.value / 20 : Number.NaN;
        };
        truth += value(candidate) - value(baseline);
      }
      let passes = 0;
      for (let gate = 0; gate < gates; gate++)
        if (contrast(name, drawSeries(world, 71, gate)).interval.high < truth) passes++;
      // 6 % of 400 are 24; 41 and more are seen once in 1,000 times.
      expect(passes, name).toBeLessThan(41);
    }
  });
});

describe("the least number of clusters", () => {
  const of = (count: number): Sample => ({
    ...answerWorld("text-generation", 8, 400).draw({ rows: 120, clusterSize: 1, weights: 0 }, 4, 0).candidate,
    groups: Array.from({ length: 120 }, (_, i) => `g${i % count}`),
  });
  it.each<[MetricName, number]>([
    ["wer", 12],
    ["cer", 12],
    ["bleu", 12],
    ["chrf", 12],
    ["mrr", 8],
    ["ndcg_at_k", 5],
    ["entity_f1", 5],
    ["quantile_loss", 5],
  ])("%s: %d", (name, least) => {
    expect(fewClusters(name, of(least - 1), false)).toContain(`at least ${least} are needed`);
    expect(fewClusters(name, of(least), false)).toBeNull();
  });
});
