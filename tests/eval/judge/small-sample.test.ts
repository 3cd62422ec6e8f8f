import { describe, expect, it } from "vitest";
import { separationOf } from "../../../bench/stats/binormal.ts";
import { drawBinary } from "../../../bench/stats/binormal.ts";
import { drawRegression } from "../../../bench/stats/regressors.ts";
import { planChecks } from "../../../eval/judge/plan-checks.ts";
import { measuredPair, qualityEvidence } from "../../../eval/judge/quality-evidence.ts";
import { smallSample, smallSampleNote } from "../../../eval/judge/small-sample.ts";
import { fewClusters } from "../../../eval/power/few-clusters.ts";
import { fewLargeErrors } from "../../../eval/power/few-large-errors.ts";
import { gates } from "../../../models/core/manifest/gates.ts";
import { predictions } from "../report/builders.ts";

const binary = (n: number, share: number) => {
  const model = { separation: separationOf(0.9), shift: 0 };
  return drawBinary({ share, correlation: 0.9, candidate: model, baseline: model }, n, 1, 0).samples("brier").candidate;
};
const errors = (n: number, spread: number) =>
  drawRegression({ spread, correlation: 0.9, candidate: 1, baseline: 1 }, n, 1, 0).samples("mae").candidate;

describe("a small sample", () => {
  it("has fewer than 100 rows of the rarer class, for metrics that depend on them", () => {
    expect(smallSample("auroc", [binary(1_000, 0.05)])).toMatch(/^\d\d positives and \d+ negatives$/);
    expect(smallSample("auroc", [binary(1_000, 0.95)])).toMatch(/negatives$/);
    expect(smallSample("f1", [binary(200, 0.3)])).not.toBeNull();
    expect(smallSample("log_loss", [binary(10_000, 0.05)])).toBeNull();
    // The error rates of Tango's interval and of ECE stayed at or below alpha on every simulated sample.
    expect(smallSample("accuracy", [binary(200, 0.05)])).toBeNull();
    expect(smallSample("ece", [binary(200, 0.05)])).toBeNull();
  });

  it("for squared errors is one that few rows dominate, however many there are", () => {
    expect(smallSample("rmse", [errors(2_000, 0)])).toBeNull();
    expect(smallSample("rmse", [errors(200, 0)])).toMatch(/^its squared errors rest on about \d+ rows$/);
    expect(smallSample("r2", [errors(1_000, 0.8)])).not.toBeNull();
    expect(smallSample("rmse", [errors(2_000, 0), errors(1_000, 0.8)])).not.toBeNull();
    expect(smallSample("median_absolute_error", [errors(200, 0)])).toBeNull();
    expect(smallSample("mae", [errors(40, 0)])).toBe("40 rows");
  });

  it("for mean errors is one whose variance few rows dominate, in the unit that is averaged", () => {
    const { candidate: one, baseline: two } = drawRegression(
      { spread: 0, correlation: 0.95, candidate: 1.05, baseline: 1 },
      1_000,
      1,
      0,
    ).samples("mae");
    const { candidate: wild, baseline: other } = drawRegression(
      { spread: 0.8, correlation: 0.95, candidate: 1.05, baseline: 1 },
      1_000,
      1,
      0,
    ).samples("mae");
    expect(smallSample("mae", [one, two])).toBeNull();
    expect(smallSample("mae", [one])).toBeNull();
    expect(smallSample("mae", [wild, other])).toMatch(/^its differences rest on about \d+ rows$/);
    expect(smallSample("mae", [wild])).toMatch(/^its errors rest on about \d+ rows$/);
    // One series whose scale is a thousandth of the others' dominates a mean of scaled errors.
    const scaled = { ...one, naiveScales: one.labels.map((_, i) => (i % 100 === 0 ? 0.001 : 1)) };
    expect(smallSample("mase", [scaled])).toMatch(/rest on about \d rows$/);
    expect(smallSample("mase", [{ ...one, naiveScales: one.labels.map(() => 3) }])).toBeNull();
  });

  it("for average precision has fewer than 1,000 rows of the rarer class", () => {
    expect(smallSample("average_precision", [binary(1_000, 0.5)])).not.toBeNull();
    expect(smallSample("average_precision", [binary(10_000, 0.3)])).toBeNull();
  });

  it("is reported in one note, with at most five by name", () => {
    expect(smallSampleNote([])).toBeNull();
    const one = { metric: "auroc", slice: "source=imdb", caution: "40 positives and 900 negatives" };
    expect(smallSampleNote([one])).toContain(
      "Small-sample warning: auroc on source=imdb (40 positives and 900 negatives): on so few rows",
    );
    expect(smallSampleNote(Array.from({ length: 8 }, (_, i) => ({ ...one, slice: `source=${i}` })))).toContain(
      "and 3 more",
    );
  });

  it("is reported only where an interval decides", () => {
    const { labels, scores } = binary(400, 0.12);
    const candidate = predictions(labels, scores);
    const baseline = {
      kind: "paired" as const,
      predictions: predictions(
        labels,
        scores.map((p) => Math.min(0.999, p * 1.01)),
      ),
    };
    const pair = measuredPair(new Map([["", candidate]]), new Map([["", baseline]]), 1);
    const cautionOf = (check: object) => {
      const [planned] = planChecks(gates.parse({ checks: [check] }), {}, () => null, false);
      if (planned === undefined) throw new Error("nothing planned");
      const evidence = qualityEvidence(planned, pair, 30);
      return "caution" in evidence;
    };
    expect(cautionOf({ kind: "non-inferiority", metric: "log_loss", margin: 0.1 })).toBe(true);
    expect(cautionOf({ kind: "limit", metric: "auroc", min: 0.5, confident: true })).toBe(true);
    expect(cautionOf({ kind: "limit", metric: "auroc", min: 0.5 })).toBe(false);
    expect(cautionOf({ kind: "non-inferiority", metric: "accuracy", margin: 0.1 })).toBe(false);
  });
});

describe("what no interval can decide", () => {
  const paired = (more: { groups: string[] | null; weights?: Float64Array | null }) => {
    const { labels, scores } = binary(400, 0.4);
    const of = (values: Float64Array) => ({ ...predictions(labels, values), weights: null, ...more });
    return measuredPair(
      new Map([["", of(scores)]]),
      new Map([["", { kind: "paired" as const, predictions: of(scores.map((p) => Math.min(0.999, p * 1.01))) }]]),
      1,
    );
  };
  const evidenceOf = (pair: ReturnType<typeof paired>, check: object) => {
    const [planned] = planChecks(gates.parse({ checks: [check] }), {}, () => null, false);
    if (planned === undefined) throw new Error("nothing planned");
    return qualityEvidence(planned, pair, 30);
  };
  const groupsOf = (count: number) => Array.from({ length: 400 }, (_, i) => `g${i % count}`);
  const accuracy = { kind: "non-inferiority", metric: "accuracy", margin: 0.5 };

  it("is fewer than five clusters: the reason names them and what would help", () => {
    for (const count of [1, 2, 3, 4])
      expect(evidenceOf(paired({ groups: groupsOf(count) }), accuracy)).toMatchObject({
        kind: "insufficient",
        why: `too few clusters to decide: ${count === 1 ? "1 cluster" : `${count} clusters`} of dataset.group, and at least 5 are needed; add rows of other clusters (more rows of these do not help), or take dataset.group away if the rows are independent`,
      });
    expect(evidenceOf(paired({ groups: groupsOf(5) }), accuracy)).toMatchObject({ kind: "contrast" });
    expect(evidenceOf(paired({ groups: null }), accuracy)).toMatchObject({ kind: "contrast" });
  });
  it("does not keep a limit on the observed value from being judged, which reads no interval", () => {
    const pair = paired({ groups: groupsOf(3) });
    expect(evidenceOf(pair, { kind: "limit", metric: "accuracy", min: 0.5 })).toMatchObject({ kind: "value" });
    expect(evidenceOf(pair, { kind: "limit", metric: "accuracy", min: 0.5, confident: true })).toMatchObject({
      kind: "insufficient",
    });
  });
  it("is fewer than 20 clusters for a confident limit, where a comparison is decided from five on", () => {
    const limit = { kind: "limit", metric: "accuracy", min: 0.5, confident: true };
    expect(evidenceOf(paired({ groups: groupsOf(19) }), limit)).toMatchObject({
      kind: "insufficient",
      why: expect.stringMatching(/19 clusters of dataset.group, and at least 20 are needed for a confident limit/),
    });
    expect(evidenceOf(paired({ groups: groupsOf(20) }), limit)).toMatchObject({ kind: "value" });
    expect(evidenceOf(paired({ groups: groupsOf(19) }), accuracy)).toMatchObject({ kind: "contrast" });
  });
  it("counts the clusters of each class where a metric compares classes, and leaves out rows of weight 0", () => {
    const one = binary(400, 0.4);
    const groups = Array.from(one.labels, (label, i) => (label === 1 ? `p${i % 3}` : `n${i % 20}`));
    expect(fewClusters("auroc", { ...one, groups }, false)).toMatch(/the positives are in 3 clusters/);
    expect(fewClusters("log_loss", { ...one, groups }, false)).toBeNull();
    const weights = Float64Array.from({ length: 400 }, (_, i) => (i % 10 < 3 ? 1 : 0));
    expect(fewClusters("accuracy", { ...one, groups: groupsOf(10), weights }, false)).toMatch(/: 3 clusters/);
    expect(fewClusters("ece", { ...one, groups: groupsOf(11) }, false)).toMatch(/at least 12/);
  });
  it("is a sum of squares that rests on a few errors", () => {
    const wild = { ...errors(400, 0), scores: errors(400, 0).labels.map((label, i) => label + (i < 4 ? 100 : 1)) };
    expect(fewLargeErrors("rmse", [errors(400, 0), wild])).toMatch(
      /400 rows rest on about 4 of them, and 30 are needed/,
    );
    expect(fewLargeErrors("rmse", [errors(400, 0)])).toBeNull();
    expect(fewLargeErrors("mae", [wild])).toBeNull();
  });
  it("a limit on few clusters carries the warning", () => {
    expect(smallSample("accuracy", [{ ...binary(400, 0.4), groups: groupsOf(12) }])).toBe("12 clusters");
    expect(smallSample("accuracy", [{ ...binary(400, 0.4), groups: groupsOf(40) }])).toBeNull();
  });
});
