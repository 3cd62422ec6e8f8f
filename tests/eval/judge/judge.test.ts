import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Evidence } from "../../../eval/judge/evidence.ts";
import { judgeCheck } from "../../../eval/judge/judge-check.ts";
import { judgeModel, judgeRun } from "../../../eval/judge/judge.ts";
import { planChecks, type PlannedCheck } from "../../../eval/judge/plan-checks.ts";
import { check as checkSchema } from "../../../eval/schema/verdict.ts";
import { checkPolicy, gates as gatesSchema, type CheckPolicy } from "../../../models/core/manifest/gates.ts";

const context = { direction: "higher", unit: "", onInsufficient: "fail", declaredAt: null } as const;
const planned = (policy: object): PlannedCheck => {
  const gates = gatesSchema.parse({ checks: [policy] });
  return planChecks(gates, {}, () => "mood", false)[0] as PlannedCheck;
};
const nonInferior = planned({ kind: "non-inferiority", metric: "auroc", margin: 0.01 });
const interval = (low: number, high: number) => ({ low, high, level: 0.9, method: "DeLong" });

describe("planned checks", () => {
  it("make one check per slice value, and one that can never pass for a missing slice column", () => {
    const gates = gatesSchema.parse({
      alpha: 0.01,
      checks: [{ kind: "non-inferiority", metric: "auroc", margin: 0.01, slices: ["source", "language"] }],
    });
    const checks = planChecks(gates, { source: ["imdb", "yelp"] }, () => "mood", true);
    expect(checks.map((one) => one.slice)).toEqual(["source=imdb", "source=yelp", "language=*"]);
    expect(checks[0]).toMatchObject({ alpha: 0.01, level: 0.98 });
    expect(checks.map((one) => one.id)).toEqual([
      "auroc@mood[source=imdb]/non-inferiority#0",
      "auroc@mood[source=yelp]/non-inferiority#0",
      "auroc@mood[language=*]/non-inferiority#0",
    ]);
  });
});

describe("a check", () => {
  it("carries everything that is needed to redo it by hand", () => {
    const check = judgeCheck(
      nonInferior,
      {
        kind: "contrast",
        observed: 0.91,
        baseline: 0.912,
        difference: -0.002,
        interval: interval(-0.006, 0.002),
        n: 3000,
      },
      context,
    );
    expect(check).toMatchObject({
      metric: "auroc",
      slice: "all",
      kind: "non-inferiority",
      observed: 0.91,
      baseline: 0.912,
      difference: -0.002,
      interval: { low: -0.006, high: 0.002, level: 0.9, method: "DeLong" },
      margin: 0.01,
      scale: "absolute",
      limit: null,
      direction: "higher",
      n: 3000,
      verdict: "PASS",
    });
    expect(checkSchema.parse(check)).toEqual(check);
  });

  it.each<[string, Evidence, string, boolean]>([
    ["no baseline", { kind: "no-baseline", observed: 0.9, n: 10, why: "a first version" }, "INCONCLUSIVE", true],
    ["another dataset", { kind: "incomparable", observed: 0.9, n: 10, why: "row 3 differs" }, "INCOMPARABLE", false],
    ["a metric that is undefined", { kind: "missing", n: 10, why: "one class only" }, "ERROR", false],
    [
      "too few rows",
      {
        kind: "insufficient",
        observed: 0.9,
        baseline: 0.9,
        difference: 0,
        interval: interval(-0.001, 0.001),
        n: 10,
        why: "3 positives",
      },
      "INCONCLUSIVE",
      false,
    ],
    [
      "NaN in the difference",
      {
        kind: "contrast",
        observed: 0.9,
        baseline: 0.9,
        difference: Number.NaN,
        interval: interval(-0.001, 0.001),
        n: 10,
      },
      "ERROR",
      false,
    ],
    [
      "an inverted interval",
      { kind: "contrast", observed: 0.9, baseline: 0.9, difference: 0, interval: interval(0.001, -0.001), n: 10 },
      "ERROR",
      false,
    ],
    [
      "no rows",
      { kind: "contrast", observed: 0.9, baseline: 0.9, difference: 0, interval: interval(-0.001, 0.001), n: 0 },
      "ERROR",
      false,
    ],
    [
      "a value where a comparison is due",
      { kind: "value", observed: 0.9, baseline: null, interval: interval(0.8, 0.95), n: 10 },
      "ERROR",
      false,
    ],
  ])("with %s never passes", (_, evidence, verdict, advisory) => {
    expect(judgeCheck(nonInferior, evidence, context)).toMatchObject({ verdict, advisory });
  });

  it("below the minimum of rows is advisory when the policy only warns", () => {
    const evidence: Evidence = {
      kind: "insufficient",
      observed: null,
      baseline: null,
      difference: null,
      interval: null,
      n: 3,
      why: "3 rows",
    };
    expect(judgeCheck(nonInferior, evidence, { ...context, onInsufficient: "warn" })).toMatchObject({
      verdict: "INCONCLUSIVE",
      advisory: true,
    });
  });
});

// Anything that a broken measurement could return.
const rough = fc.oneof(fc.double(), fc.constantFrom(Number.NaN, Infinity, -Infinity, 0, -0));
const roughInterval = fc.record({
  low: rough,
  high: rough,
  level: fc.oneof(rough, fc.constant(0.9)),
  method: fc.constant("m"),
});
const roughN = fc.oneof(fc.integer({ min: -5, max: 100 }), rough);
const anyEvidence: fc.Arbitrary<Evidence> = fc.oneof(
  fc.record({
    kind: fc.constant("value" as const),
    observed: rough,
    baseline: fc.option(rough),
    interval: fc.option(roughInterval),
    n: roughN,
  }),
  fc.record({
    kind: fc.constant("contrast" as const),
    observed: rough,
    baseline: rough,
    difference: rough,
    interval: roughInterval,
    n: roughN,
  }),
  fc.record({ kind: fc.constant("no-baseline" as const), observed: fc.option(rough), n: roughN, why: fc.string() }),
  fc.record({ kind: fc.constant("incomparable" as const), observed: fc.option(rough), n: roughN, why: fc.string() }),
  fc.record({
    kind: fc.constant("insufficient" as const),
    observed: fc.option(rough),
    baseline: fc.option(rough),
    difference: fc.option(rough),
    interval: fc.option(roughInterval),
    n: roughN,
    why: fc.string(),
  }),
  fc.record({
    kind: fc.constant("undecided" as const),
    observed: rough,
    baseline: rough,
    difference: rough,
    interval: fc.option(roughInterval),
    n: roughN,
    why: fc.string(),
  }),
  fc.record({ kind: fc.constant("missing" as const), n: roughN, why: fc.string() }),
);
const anyPolicy: fc.Arbitrary<CheckPolicy> = fc
  .oneof(
    fc.record({
      kind: fc.constant("limit"),
      metric: fc.constant("auroc"),
      min: fc.double({ min: -1, max: 1, noNaN: true }),
      confident: fc.boolean(),
    }),
    ...["non-inferiority", "superiority", "equivalence"].map((kind) =>
      fc.record({
        kind: fc.constant(kind),
        metric: fc.constant("mae"),
        margin: fc.oneof(
          fc.double({ min: 0, max: 1, noNaN: true }),
          fc.record({ relative: fc.double({ min: 0, max: 1, noNaN: true }) }),
        ),
      }),
    ),
  )
  .map((policy) => checkPolicy.parse(policy));

describe("whatever the evidence", () => {
  it("PASS always has finite figures, rows, and a rule that holds; every check fits the published schema", () => {
    fc.assert(
      fc.property(
        anyPolicy,
        anyEvidence,
        fc.constantFrom("higher" as const, "lower" as const),
        (policy, evidence, direction) => {
          const one = { id: "x", policy, index: 0, head: null, slice: "all", alpha: 0.05, level: 0.9 };
          const check = judgeCheck(one, evidence, { ...context, direction });
          expect(checkSchema.safeParse(check).success).toBe(true);
          if (check.verdict !== "PASS") return;
          expect(check.n).toBeGreaterThan(0);
          expect(check.observed).not.toBeNull();
          expect(check.advisory).toBe(false);
          if (policy.kind === "limit") {
            const bound = policy.confident ? (check.interval?.low ?? Number.NaN) : (check.observed as number);
            expect(bound).toBeGreaterThanOrEqual(policy.min as number);
          } else {
            expect(check.baseline).not.toBeNull();
            const { low, high } = check.interval as { low: number; high: number };
            const margin = check.margin as number;
            const gainLow = direction === "higher" ? low : -high;
            if (policy.kind === "non-inferiority") expect(gainLow).toBeGreaterThan(-margin);
            if (policy.kind === "superiority") expect(gainLow).toBeGreaterThan(margin);
            if (policy.kind === "equivalence") expect(Math.max(-low, high)).toBeLessThan(margin);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("a model passes only when it has deciding checks and all of them pass", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(anyPolicy, anyEvidence), { maxLength: 6 }), (pairs) => {
        const checks = pairs.map(([policy, evidence], index) =>
          judgeCheck(
            { id: String(index), policy, index, head: null, slice: "all", alpha: 0.05, level: 0.9 },
            evidence,
            context,
          ),
        );
        const deciding = checks.filter((one) => !one.advisory);
        expect(judgeModel(checks).verdict === "PASS").toBe(
          deciding.length > 0 && deciding.every((one) => one.verdict === "PASS"),
        );
      }),
    );
  });

  it("a run of no models is an ERROR", () => {
    expect(judgeRun([]).verdict).toBe("ERROR");
  });
});
