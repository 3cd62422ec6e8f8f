import { expect, it } from "vitest";
import type { Evidence } from "../../../eval/judge/evidence.ts";
import { judgePredictions } from "../../../eval/judge/judge-predictions.ts";
import { planChecks } from "../../../eval/judge/plan-checks.ts";
import { measuredPair, type BaselinePredictions } from "../../../eval/judge/quality-evidence.ts";
import { gates as gatesSchema } from "../../../models/core/manifest/gates.ts";
import { RandomStream } from "../../../eval/stats/random.ts";
import { predictions } from "../report/builders.ts";

const random = new RandomStream(6);
const labels = Float64Array.from({ length: 800 }, (_, i) => i % 2);
const good = labels.map((label) => 0.3 + 0.4 * label + 0.2 * (random.uniform() - 0.5));
const flipped = good.map((score, i) => (i % 5 === 0 ? 1 - score : score));
const of = (scores: Float64Array, rows = labels) => predictions(rows, scores);
const paired = (scores: Float64Array): BaselinePredictions => ({ kind: "paired", predictions: of(scores) });

/** The verdict on these predictions, of one check. */
function judged(
  candidate: Float64Array,
  baseline: BaselinePredictions,
  check: object,
  { more = {}, rows = labels, measured = null as Evidence | null, waivers = [] as never[] } = {},
) {
  const gates = gatesSchema.parse({ checks: [check], ...more });
  const planned = planChecks(gates, {}, () => null, false);
  return judgePredictions(measuredPair(new Map([["", of(candidate, rows)]]), new Map([["", baseline]]), 1), planned, {
    gates,
    waivers: { waivers, today: "2026-06-30" },
    ...(measured === null ? {} : { measuredElsewhere: new Map([[planned[0]!.id, measured]]) }),
  });
}
const none: BaselinePredictions = { kind: "none", why: "no baseline: the first version" };
const nonInferior = { kind: "non-inferiority", metric: "accuracy", margin: 0.05 };

it.each<[string, Float64Array, BaselinePredictions, object, string]>([
  ["as good as the baseline", good, paired(good.map((score) => Math.min(1, score + 0.001))), nonInferior, "PASS"],
  ["worse than the margin", flipped, paired(good), nonInferior, "FAIL"],
  ["better than the baseline", good, paired(flipped), { ...nonInferior, kind: "superiority" }, "PASS"],
  ["no better, where it must be", flipped, paired(good), { ...nonInferior, kind: "superiority" }, "FAIL"],
  ["without a baseline", good, none, nonInferior, "INCONCLUSIVE"],
  ["with another baseline's data", good, { kind: "incomparable", why: "other rows" }, nonInferior, "INCOMPARABLE"],
  ["above its limit", good, none, { kind: "limit", metric: "accuracy", min: 0.9 }, "PASS"],
  ["below its limit", flipped, none, { kind: "limit", metric: "accuracy", min: 0.9 }, "FAIL"],
])("a candidate %s", (_, candidate, baseline, check, verdict) => {
  expect(judged(candidate, baseline, check).verdict).toBe(verdict);
});

it("too few rows of a class decide nothing, also where the metric has no value on them", () => {
  const alone = new Float64Array(40).fill(1);
  const of40 = (score: number) => new Float64Array(40).fill(score);
  const limit = { kind: "limit", metric: "auroc", min: 0.5 };
  const found = judged(of40(0.9), none, limit, { rows: alone });
  expect(found.checks[0]).toMatchObject({
    verdict: "INCONCLUSIVE",
    reason: expect.stringContaining("too few rows") as string,
  });
  const enough = judged(new Float64Array(800).fill(0.9), none, limit, {
    rows: new Float64Array(800).fill(1),
    more: { minimumPerClass: 0 },
  });
  expect(enough.checks[0]).toMatchObject({ verdict: "ERROR" });
});

it("a threshold of the check is the one that counts", () => {
  const at = (threshold: number) =>
    judged(good, none, { kind: "limit", metric: "accuracy", min: 0.9, threshold }).verdict;
  expect([at(0.5), at(0.01)]).toEqual(["PASS", "FAIL"]);
});

it("what was measured elsewhere counts in place of the predictions", () => {
  const limit = { kind: "limit", metric: "accuracy", min: 0.9 };
  const measured: Evidence = { kind: "value", observed: 0.2, baseline: null, interval: null, n: 10 };
  expect(judged(good, none, limit, { measured }).checks[0]).toMatchObject({ observed: 0.2, verdict: "FAIL", n: 10 });
});

it("waivers are applied before the verdict, and told of when they fit nothing", () => {
  const waiver = { metric: "accuracy", slice: "all", reason: "known", expires: "2026-12-31" } as never;
  const found = judged(flipped, paired(good), nonInferior, { waivers: [waiver] });
  expect(found).toMatchObject({ verdict: "INCONCLUSIVE", reason: "no check decides: waivers leave none" });
  expect(found.checks[0]).toMatchObject({ verdict: "FAIL", advisory: true });
  expect(judged(good, paired(good), nonInferior, { waivers: [waiver] }).notes.waivers).toHaveLength(1);
});

it("a contrast against a limit, or a limit without a margin's figures, is an ERROR", () => {
  const contrast: Evidence = {
    kind: "contrast",
    observed: 0.9,
    baseline: 0.9,
    difference: 0,
    interval: { low: -0.01, high: 0.01, level: 0.9, method: "m" },
    n: 10,
  } as Evidence;
  const value: Evidence = { kind: "value", observed: 0.9, baseline: null, interval: null, n: 10 };
  expect(
    judged(good, none, { kind: "limit", metric: "accuracy", min: 0.5 }, { measured: contrast }).checks[0],
  ).toMatchObject({
    verdict: "ERROR",
    reason: "a limit is judged by the candidate's own value",
  });
  expect(judged(good, none, nonInferior, { measured: value }).checks[0]?.verdict).toBe("ERROR");
});

it("small samples are warned of by name", () => {
  const margin = { kind: "non-inferiority", metric: "f1", margin: 0.5 };
  expect(judged(good, paired(flipped), margin).notes.smallSamples).toBeNull();
  const rows = labels.slice(0, 120);
  const baseline: BaselinePredictions = { kind: "paired", predictions: of(flipped.slice(0, 120), rows) };
  expect(judged(good.slice(0, 120), baseline, margin, { rows }).notes.smallSamples).toContain(
    "f1 (60 positives and 60 negatives)",
  );
});
