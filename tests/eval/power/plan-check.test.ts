import { describe, expect, it } from "vitest";
import { separationOf } from "../../../bench/stats/binormal.ts";
import { normals } from "../../../bench/stats/normals.ts";
import { catalog } from "../../../eval/metrics/catalog.ts";
import { sampleOf } from "../../../eval/metrics/measure.ts";
import { planCheck, type PowerQuestion, type PowerRequest } from "../../../eval/power/plan-check.ts";
import { selectRows } from "../../../eval/predictions/select-rows.ts";
import { resampledError } from "../../../eval/power/resampled-error.ts";
import { standardErrorOf } from "../../../eval/power/standard-error.ts";
import { plannedPower } from "../../../eval/schema/plan.ts";
import { decideNonInferiority } from "../../../eval/stats/decide.ts";
import { RandomStream } from "../../../eval/stats/random.ts";
import { checkPolicy } from "../../../models/core/manifest/gates.ts";
import { predictions } from "../report/builders.ts";

/** Two binormal classifiers of AUROC 0.9 with latent correlation 0.9, on n rows, a fifth of them positive. */
function pair(n: number, stream: number) {
  const noise = normals(new RandomStream(21, stream), 2 * n);
  const labels = Array.from({ length: n }, (_, i) => (i % 5 === 0 ? 1 : 0));
  const score = (i: number, own: number) => separationOf(0.9) * (labels[i] as number) + own;
  const first = labels.map((_, i) => score(i, noise[2 * i] as number));
  const second = labels.map((_, i) =>
    score(i, 0.9 * (noise[2 * i] as number) + Math.sqrt(1 - 0.81) * (noise[2 * i + 1] as number)),
  );
  return { candidate: predictions(labels, first), baseline: predictions(labels, second) };
}
const question = (policy: object): PowerQuestion => ({
  id: "x",
  policy: checkPolicy.parse(policy),
  head: null,
  slice: "all",
  alpha: 0.05,
  level: 0.9,
});
const request: PowerRequest = { minimumPerClass: 30, onInsufficient: "fail", seed: 3, correlation: 0.9 };
const nonInferior = (margin: number) => question({ kind: "non-inferiority", metric: "auroc", margin });

describe("a planned check", () => {
  it("passes an unchanged candidate 80 % of the time at the smallest change, as simulated gates do", () => {
    // Planned on 25 times the rows, where the standard error is known well, and scaled by √25.
    const large = pair(20_000, 0);
    const smallestChange =
      5 * (planCheck(nonInferior(1), large.candidate, large.baseline, request).smallestChange as number);
    const auroc = catalog.get("auroc");
    let passed = 0;
    for (let gate = 1; gate <= 400; gate++) {
      const drawn = pair(800, gate);
      const result = auroc?.contrast(sampleOf(drawn.candidate, rowsOf(800)), sampleOf(drawn.baseline, rowsOf(800)), {
        level: 0.9,
        seed: 1,
      });
      if (result?.status === "ok" && decideNonInferiority(result.interval, smallestChange, "higher") === "pass")
        passed++;
    }
    // The simulation's own standard error is two percentage points.
    expect(passed / 400).toBeGreaterThan(0.72);
    expect(passed / 400).toBeLessThan(0.88);
  });

  it("does so over 8 clusters, whose interval is t", () => {
    const [count, size] = [8, 10];
    /** Two models that err alike, more on some clusters than on others and each more on some of its own. */
    const clustered = (stream: number) => {
      const shared = normals(new RandomStream(33, stream), 3 * count);
      const own = normals(new RandomStream(34, stream), 3 * count * size);
      const model = (m: number) =>
        Array.from({ length: count * size }, (_, i) => {
          const cluster = Math.floor(i / size);
          const of = (k: number) =>
            0.5 * (shared[k * count + cluster] as number) + (own[k * count * size + i] as number);
          return 9 + of(0) + 0.5 * of(m);
        });
      const labels = new Array<number>(count * size).fill(0);
      const groups = labels.map((_, i) => `g${Math.floor(i / size)}`);
      const of = (m: number) => ({
        ...predictions(labels, model(m)),
        task: "regression" as const,
        classes: [],
        groups,
      });
      return { candidate: of(1), baseline: of(2) };
    };
    const asked = question({ kind: "non-inferiority", metric: "mae", margin: 1 });
    const planned = Array.from({ length: 20 }, (_, i) => clustered(1e6 + i)).map(
      (one) => planCheck(asked, one.candidate, one.baseline, request).smallestChange as number,
    );
    const smallestChange = planned.reduce((sum, change) => sum + change / planned.length, 0);
    let passed = 0;
    for (let gate = 0; gate < 400; gate++) {
      const one = clustered(gate);
      const rows = rowsOf(count * size);
      const result = catalog
        .get("mae")
        ?.contrast(sampleOf(one.candidate, rows), sampleOf(one.baseline, rows), { level: 0.9, seed: 1 });
      if (result?.status === "ok" && decideNonInferiority(result.interval, smallestChange, "lower") === "pass")
        passed++;
    }
    // With the normal quantile in place of t and its corrections it was 64 %.
    expect(passed / 400).toBeGreaterThan(0.72);
    expect(passed / 400).toBeLessThan(0.88);
  });

  it("takes (z + z) standard errors of the pair's DeLong interval, and says how many rows a margin needs", () => {
    const { candidate, baseline } = pair(800, 0);
    const contrast = catalog
      .get("auroc")
      ?.contrast(sampleOf(candidate, rowsOf(800)), sampleOf(baseline, rowsOf(800)), { level: 0.9, seed: 1 });
    const se = contrast?.status === "ok" ? standardErrorOf(contrast.interval) : Number.NaN;
    const plan = planCheck(nonInferior(0.001), candidate, baseline, request);
    expect(plannedPower.parse(plan)).toEqual(plan);
    expect(plan.standardError).toBeCloseTo(se, 14);
    expect(plan.smallestChange).toBeCloseTo((1.6448536269514722 + 0.8416212335729143) * se, 12);
    expect(plan.method).toContain("DeLong");
    expect(plan.rowsNeeded).toBe(Math.ceil(800 * ((plan.smallestChange as number) / 0.001) ** 2));
    expect(plan.refused).toMatch(
      /^a margin of 0\.001 cannot be reached with 800 rows: a candidate without any change would pass \d+ % of the time\. About [\d,]+ rows of this kind would do, or a margin of 0\.0\d+$/,
    );
    expect(planCheck(nonInferior(0.1), candidate, baseline, request)).toMatchObject({ refused: null });
  });

  it("is not refused with the margin that its refusal suggests", () => {
    const { candidate, baseline } = pair(800, 0);
    const { refused } = planCheck(nonInferior(0.001), candidate, baseline, request);
    const enough = Number(/or a margin of ([\d.]+)$/.exec(refused ?? "")?.[1]);
    expect(planCheck(nonInferior(enough), candidate, baseline, request).refused).toBeNull();
  });

  it("assumes a second model like the only one, and is less certain the less they are correlated", () => {
    const { candidate } = pair(800, 0);
    const of = (correlation: number) => planCheck(nonInferior(0.02), candidate, null, { ...request, correlation });
    expect(of(0.99).method).toContain("the other assumed like it, correlation 0.99");
    expect((of(0.5).standardError as number) / (of(0.98).standardError as number)).toBeCloseTo(5, 12);
    const relative = planCheck(
      question({ kind: "non-inferiority", metric: "auroc", margin: { relative: 0.02 } }),
      candidate,
      null,
      request,
    );
    const own = catalog.get("auroc")?.measure(sampleOf(candidate, rowsOf(800)), { level: 0.9, seed: 1 });
    expect(
      (planCheck(nonInferior(0.02), candidate, null, request).standardError as number) /
        (relative.standardError as number),
    ).toBeCloseTo(own?.status === "ok" ? own.value : Number.NaN, 12);
  });

  it("simulates a standard error that has no closed form, seeded", () => {
    const { candidate, baseline } = pair(300, 0);
    const plan = (seed: number) =>
      planCheck(question({ kind: "non-inferiority", metric: "average_precision", margin: 0.1 }), candidate, baseline, {
        ...request,
        seed,
      });
    expect(plan(1)).toEqual(plan(1));
    expect(plan(1).standardError).not.toBe(plan(2).standardError);
    expect(plan(1)).toMatchObject({ method: "simulated: bootstrap of the rows" });
  });

  it("refuses a slice below the minimum unless it only warns, and always refuses a margin of 0", () => {
    const { candidate, baseline } = pair(100, 0);
    expect(planCheck(nonInferior(0.5), candidate, baseline, request).refused).toBe(
      "20 positives and 80 negatives, and 30 of each class are needed: about 150 rows of this kind would do",
    );
    expect(planCheck(nonInferior(0.5), candidate, baseline, { ...request, onInsufficient: "warn" }).refused).toBeNull();
    const enough = pair(800, 0);
    expect(planCheck(nonInferior(0), enough.candidate, enough.baseline, request).refused).toContain(
      "No number of rows shows a difference of exactly 0",
    );
    expect(
      planCheck({ ...nonInferior(0.1), slice: "source=none" }, enough.candidate, enough.baseline, request).refused,
    ).toContain("no row of the dataset");
  });

  it("refuses what too few clusters can never decide, unless it only warns, and says what would help", () => {
    const { candidate, baseline } = pair(800, 0);
    const grouped = (count: number) => {
      // Rows of one class share the remainder of five, so clusters are blocks of rows.
      const groups = Array.from({ length: 800 }, (_, i) => `g${Math.floor((i * count) / 800)}`);
      return { candidate: { ...candidate, groups }, baseline: { ...baseline, groups } };
    };
    const plan = (count: number, policy: object, onInsufficient: "fail" | "warn" = "fail") =>
      planCheck(question(policy), grouped(count).candidate, grouped(count).baseline, { ...request, onInsufficient });
    const contrast = { kind: "non-inferiority", metric: "auroc", margin: 0.5 };
    const limit = { kind: "limit", metric: "auroc", min: 0.1 };
    expect(plan(4, contrast)).toMatchObject({
      standardError: null,
      passes: null,
      refused: expect.stringMatching(/^too few clusters to decide: 4 clusters of dataset.group, and at least 5 are/),
    });
    expect(plan(4, contrast, "warn")).toMatchObject({ method: expect.stringMatching(/4 clusters/), refused: null });
    expect(plan(5, contrast).refused).toBeNull();
    expect(plan(19, { ...limit, confident: true }).refused).toMatch(/at least 20 are needed for a confident limit/);
    expect(plan(20, { ...limit, confident: true }).refused).toBeNull();
    expect(plan(4, limit).refused).toBeNull();
  });

  it("never refuses superiority, a limit, or a figure that is not estimated from rows", () => {
    const { candidate, baseline } = pair(800, 0);
    for (const policy of [
      { kind: "superiority", metric: "auroc" },
      { kind: "limit", metric: "auroc", min: 0.999, confident: true },
      { kind: "limit", metric: "latency_p50_ms", max: 1 },
    ]) {
      expect(planCheck(question(policy), candidate, baseline, request).refused).toBeNull();
    }
  });
});

describe("a simulated standard error", () => {
  it("of a mean agrees with theory, for rows and for clusters", () => {
    const n = 400;
    const noise = normals(new RandomStream(4), n);
    const labels = Float64Array.from(noise);
    const mean = (rows: Int32Array) => rows.reduce((sum, row) => sum + (labels[row] as number), 0) / rows.length;
    const deviation = Math.sqrt(labels.reduce((sum, value) => sum + value * value, 0) / n - mean(rowsOf(n)) ** 2);
    expect((resampledError({ labels, groups: null }, 1, mean) as number) / (deviation / Math.sqrt(n))).toBeCloseTo(
      1,
      0.7,
    );
    const groups = Array.from(labels, (_, i) => String(Math.floor(i / 100)));
    const clustered = Float64Array.from(labels, (_, i) => Math.floor(i / 100));
    const ofClusters = resampledError(
      { labels: clustered, groups },
      1,
      (rows) => rows.reduce((sum, row) => sum + (clustered[row] as number), 0) / rows.length,
    ) as number;
    expect(ofClusters / (Math.sqrt(1.25) / 2)).toBeCloseTo(1, 0.7);
  });

  it("is null when nothing varies or the figure is mostly undefined", () => {
    const labels = Float64Array.of(1, 2, 3);
    expect(resampledError({ labels, groups: null }, 1, () => 7)).toBeNull();
    expect(
      resampledError({ labels, groups: null }, 1, (rows) => (rows.includes(0) ? Number.NaN : (rows[0] as number))),
    ).toBeNull();
  });

  it("picks rows with their class columns and weights", () => {
    const sample = {
      labels: Float64Array.of(0, 1, 2),
      scores: Float64Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9),
      classCount: 3,
      weights: Float64Array.of(1, 2, 3),
      groups: null,
    };
    expect(selectRows(sample, Int32Array.of(2, 0))).toEqual({
      ...sample,
      labels: Float64Array.of(2, 0),
      scores: Float64Array.of(7, 8, 9, 1, 2, 3),
      weights: Float64Array.of(3, 1),
    });
  });
});

function rowsOf(n: number): Int32Array {
  return Int32Array.from({ length: n }, (_, i) => i);
}
