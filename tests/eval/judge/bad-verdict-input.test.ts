import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { judgeCheck } from "../../../eval/judge/judge-check.ts";
import { judgeModel } from "../../../eval/judge/judge.ts";
import { planChecks } from "../../../eval/judge/plan-checks.ts";
import { measuredPair, qualityEvidence, type BaselinePredictions } from "../../../eval/judge/quality-evidence.ts";
import { catalog } from "../../../eval/metrics/catalog.ts";
import { pairPredictions } from "../../../eval/predictions/pair.ts";
import type { Predictions } from "../../../eval/predictions/predictions.ts";
import type { Check, VerdictWord } from "../../../eval/schema/verdict.ts";
import { gates } from "../../../models/core/manifest/gates.ts";
import { predictions } from "../report/builders.ts";

const rows = 80;
const labels = Array.from({ length: rows }, (_, i) => i % 2);
/** Two good models that answer alike: every comparison of unspoiled predictions passes. */
const sound = (shift: number): Predictions =>
  predictions(
    labels,
    labels.map((label, i) => 0.2 + 0.6 * label + ((i * 37 + shift) % 41) / 400),
    {
      ids: labels.map((_, i) => `r${i}`),
      datasetDigest: "1".repeat(64),
      slices: { source: labels.map((_, i) => (i % 4 < 2 ? "web" : "app")) },
    },
  );
const policy = gates.parse({
  minimumPerClass: 10,
  checks: [
    { kind: "non-inferiority", metric: "auroc", margin: 0.2, slices: ["source"] },
    { kind: "non-inferiority", metric: "log_loss", margin: 0.5 },
    { kind: "equivalence", metric: "brier", margin: 0.3 },
    { kind: "limit", metric: "accuracy", min: 0.6, confident: true },
    { kind: "limit", metric: "f1", min: 0.5 },
  ],
});

function judged(
  candidate: Predictions,
  baseline: Predictions,
  slices = { source: ["web", "app"] },
): { verdict: VerdictWord; checks: Check[] } {
  const pairing = pairPredictions(candidate, baseline);
  const other: BaselinePredictions =
    pairing.status === "paired"
      ? { kind: "paired", predictions: pairing.baseline }
      : { kind: "incomparable", why: pairing.reason };
  const pair = measuredPair(new Map([["", candidate]]), new Map([["", other]]), 1);
  const checks = planChecks(policy, slices, () => null, false).map((planned) =>
    judgeCheck(planned, qualityEvidence(planned, pair, policy.minimumPerClass), {
      direction: catalog.get(planned.policy.metric)?.direction ?? "higher",
      unit: "",
      onInsufficient: policy.onInsufficient,
      declaredAt: null,
    }),
  );
  return { verdict: judgeModel(checks).verdict, checks };
}

type Spoil = (one: Predictions, at: number) => Predictions;
const set = (values: Float64Array, at: number, to: number) => values.map((value, i) => (i === at ? to : value));
const without = (one: Predictions, keep: (row: number) => boolean): Predictions => ({
  ...one,
  ids: one.ids.filter((_, i) => keep(i)),
  labels: one.labels.filter((_, i) => keep(i)),
  scores: one.scores.filter((_, i) => keep(i)),
  slices: { source: (one.slices["source"] ?? []).filter((_, i) => keep(i)) },
});
const spoils: Record<string, Spoil> = {
  "a missing row": (one, at) => without(one, (row) => row !== at),
  "half of the rows missing": (one) => without(one, (row) => row % 2 === 0),
  "no rows": (one) => without(one, () => false),
  "a NaN score": (one, at) => ({ ...one, scores: set(one.scores, at, Number.NaN) }),
  "an infinite score": (one, at) => ({ ...one, scores: set(one.scores, at, Infinity) }),
  "a score that is no probability": (one, at) => ({ ...one, scores: set(one.scores, at, 1.5) }),
  "a NaN label": (one, at) => ({ ...one, labels: set(one.labels, at, Number.NaN) }),
  "a label of no class": (one, at) => ({ ...one, labels: set(one.labels, at, 7) }),
  "another label": (one, at) => ({ ...one, labels: set(one.labels, at, 1 - (one.labels[at] as number)) }),
  "two ids swapped across classes": (one, at) => ({
    ...one,
    ids: one.ids.map((id, i) =>
      i === at ? (one.ids[(at + 1) % rows] as string) : i === (at + 1) % rows ? (one.ids[at] as string) : id,
    ),
  }),
  "a duplicated id": (one, at) => ({
    ...one,
    ids: one.ids.map((id, i) => (i === at ? (one.ids[(at + 1) % rows] as string) : id)),
  }),
  "a duplicated row": (one, at) => ({
    ...one,
    ids: [...one.ids, one.ids[at] as string],
    labels: Float64Array.of(...one.labels, one.labels[at] as number),
    scores: Float64Array.of(...one.scores, one.scores[at] as number),
    slices: { source: [...(one.slices["source"] ?? []), one.slices["source"]?.[at] as string] },
  }),
  "scores turned around": (one) => ({ ...one, scores: one.scores.map((p) => 1 - p) }),
  "one class only": (one) => ({ ...one, labels: one.labels.map(() => 1) }),
  "another dataset": (one) => ({ ...one, datasetDigest: "0".repeat(64) }),
  "another task": (one) => ({ ...one, task: "regression" as const, classes: [] }),
};

describe("only a complete set of passing checks is PASS", () => {
  it("two unspoiled models pass, whatever the order of their rows", () => {
    expect(judged(sound(0), sound(3)).verdict).toBe("PASS");
    // Digests are compared only when both sides have one.
    expect([sound(0), sound(3)].map((one) => one.datasetDigest)).toEqual(["1".repeat(64), "1".repeat(64)]);
    fc.assert(
      fc.property(
        fc.shuffledSubarray(
          labels.map((_, i) => i),
          { minLength: rows },
        ),
        (order) => {
          const one = sound(3);
          const shuffled: Predictions = {
            ...one,
            ids: order.map((i) => one.ids[i] as string),
            labels: Float64Array.from(order, (i) => one.labels[i] as number),
            scores: Float64Array.from(order, (i) => one.scores[i] as number),
            slices: { source: order.map((i) => one.slices["source"]?.[i] as string) },
          };
          expect(judged(sound(0), shuffled).checks).toEqual(judged(sound(0), one).checks);
        },
      ),
      { numRuns: 20 },
    );
  });

  it.each(Object.entries(spoils))("%s in the candidate, in any row, never passes", (_, spoil) => {
    fc.assert(
      fc.property(fc.nat(rows - 1), (at) => {
        const { verdict, checks } = judged(spoil(sound(0), at), sound(3));
        expect(verdict).not.toBe("PASS");
        expect(checks.length).toBe(6);
      }),
      { numRuns: 15 },
    );
  });

  it("any combination of these, on either side, never passes", () => {
    const some = fc.subarray(Object.values(spoils), { minLength: 1 });
    fc.assert(
      fc.property(
        some,
        fc.array(fc.nat(rows - 1), { minLength: 16, maxLength: 16 }),
        fc.boolean(),
        (chosen, places, onBaseline) => {
          const spoiled = chosen.reduce(
            (one, spoil, i) => spoil(one, Math.min(places[i] as number, Math.max(0, one.ids.length - 1))),
            sound(0),
          );
          // A baseline that is merely worse does not make the candidate fail, but a spoiled one makes the comparison
          // impossible or undefined.
          const { verdict, checks } = onBaseline ? judged(sound(3), spoiled) : judged(spoiled, sound(3));
          if (verdict !== "PASS") return;
          expect(onBaseline).toBe(true);
          expect(checks.every((check) => check.verdict === "PASS" && check.observed !== null && check.n > 0)).toBe(
            true,
          );
          expect(chosen).toEqual([spoils["scores turned around"]]);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it("figures that are not numbers, have no rows or no interval never pass, even when the decision was made elsewhere", () => {
    const [planned] = planChecks(policy, { source: [] }, () => null, false).filter(
      (one) => one.policy.metric === "log_loss",
    );
    const number = fc.oneof(fc.double({ min: -1, max: 1 }), fc.constantFrom(Number.NaN, Infinity, -Infinity));
    const decision = fc.option(
      fc.record({
        outcome: fc.constantFrom("pass" as const, "fail" as const),
        reason: fc.constant("decided elsewhere"),
      }),
      { nil: undefined },
    );
    fc.assert(
      fc.property(
        fc.record({
          observed: number,
          baseline: number,
          difference: number,
          low: number,
          high: number,
          level: fc.constantFrom(0.9, 0, 1, Number.NaN),
          n: fc.constantFrom(80, 0, -1, 1.5, Number.NaN),
          decision,
        }),
        ({ low, high, level, decision: elsewhere, ...figures }) => {
          const check = judgeCheck(
            planned!,
            {
              kind: "contrast",
              ...figures,
              interval: { low, high, level, method: "test" },
              ...(elsewhere === undefined ? {} : { decision: elsewhere }),
            },
            { direction: "lower", unit: "", onInsufficient: "fail", declaredAt: null },
          );
          const sound =
            [figures.observed, figures.baseline, figures.difference, low, high].every(Number.isFinite) &&
            low <= high &&
            level === 0.9 &&
            figures.n === 80;
          expect(check.verdict === "ERROR").toBe(!sound);
          if (check.verdict === "PASS")
            expect(elsewhere === undefined ? high < 0.5 : elsewhere.outcome === "pass").toBe(true);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("a slice column that the rows do not have never passes", () => {
    expect(judged(sound(0), sound(3), { source: ["web", "app", "kiosk"] }).verdict).toBe("ERROR");
    expect(judged(sound(0), sound(3), { source: [] }).verdict).toBe("ERROR");
  });
});
