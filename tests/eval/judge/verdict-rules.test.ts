import { describe, expect, it } from "vitest";
import { applyWaivers, nameOf } from "../../../eval/judge/apply-waivers.ts";
import { judgeModel, judgeRun } from "../../../eval/judge/judge.ts";
import { planChecks } from "../../../eval/judge/plan-checks.ts";
import { policyChanges } from "../../../eval/judge/policy-changes.ts";
import type { Check, VerdictWord } from "../../../eval/schema/verdict.ts";
import type { Waiver } from "../../../eval/schema/waivers.ts";
import type { Gates } from "../../../models/core/manifest/gates.ts";

const check = (verdict: VerdictWord, more: Partial<Check> = {}) =>
  ({
    metric: "mae",
    slice: "all",
    kind: "limit",
    head: null,
    advisory: false,
    reason: `it is ${verdict}`,
    verdict,
    ...more,
  }) as Check;
const waiver = (more: Partial<Waiver> = {}) =>
  ({ metric: "mae", slice: "all", reason: "known", expires: "2026-06-30", ...more }) as Waiver;
const today = "2026-06-30";

describe("a waiver", () => {
  it.each<[string, Check, Waiver, Partial<Check> | null]>([
    ["of a FAIL holds on its last day", check("FAIL"), waiver(), { advisory: true, verdict: "FAIL" }],
    ["of an INCONCLUSIVE check", check("INCONCLUSIVE"), waiver(), { advisory: true, verdict: "INCONCLUSIVE" }],
    [
      "that expired the day before is a FAIL",
      check("INCONCLUSIVE"),
      waiver({ expires: "2026-06-29" }),
      { advisory: false, verdict: "FAIL" },
    ],
    ["covers no ERROR", check("ERROR"), waiver(), null],
    ["covers no INCOMPARABLE", check("INCOMPARABLE"), waiver(), null],
    ["leaves a PASS alone", check("PASS"), waiver(), null],
    ["leaves an advisory check alone", check("FAIL", { advisory: true }), waiver(), null],
    ["of another metric does not fit", check("FAIL"), waiver({ metric: "rmse" }), null],
    ["of another slice does not fit", check("FAIL"), waiver({ slice: "year=2003" }), null],
    ["of another kind does not fit", check("FAIL"), waiver({ kind: "superiority" }), null],
    ["of another head does not fit", check("FAIL", { head: "a" }), waiver({ head: "b" }), null],
    [
      "of this kind and head fits",
      check("FAIL", { head: "a" }),
      waiver({ kind: "limit", head: "a" }),
      { advisory: true },
    ],
  ])("%s", (_, one, given, wanted) => {
    const { checks, notes } = applyWaivers([one], [given], today);
    if (wanted === null) {
      expect(checks).toEqual([one]);
      expect(notes).toHaveLength(1);
    } else {
      expect(checks[0]).toMatchObject(wanted);
      expect(notes).toEqual([]);
    }
  });

  it("that expires last counts, and the other is told of", () => {
    const { checks, notes } = applyWaivers(
      [check("FAIL")],
      [waiver({ expires: "2026-07-01", reason: "short" }), waiver({ expires: "2026-08-01", reason: "long" })],
      today,
    );
    expect(checks[0]?.waiver).toEqual({ reason: "long", expires: "2026-08-01" });
    expect(notes).toEqual([
      "Unused waiver, valid until 2026-07-01, for mae: its check does not decide anyway, or a later waiver covers it.",
    ]);
  });

  it.each<[string, Check[], string]>([
    ["no check fits it", [], "no check fits it."],
    ["its check passes", [check("PASS")], "its check passes."],
    ["its check is an ERROR", [check("ERROR")], "its check is ERROR, which no waiver covers."],
    [
      "its check is INCOMPARABLE",
      [check("PASS"), check("INCOMPARABLE")],
      "its check is INCOMPARABLE, which no waiver covers.",
    ],
    [
      "its check decides nothing",
      [check("FAIL", { advisory: true })],
      "its check does not decide anyway, or a later waiver covers it.",
    ],
  ])("that is not used says why: %s", (_, checks, why) => {
    expect(applyWaivers(checks, [waiver({ expires: "2026-01-01" })], today).notes).toEqual([
      `Unused waiver, expired on 2026-01-01, for mae: ${why}`,
    ]);
  });

  it("is named by what it covers", () => {
    expect(nameOf(waiver({ head: "h", slice: "year=2003", kind: "limit" }))).toBe("mae@h on year=2003 (limit)");
  });
});

describe("the verdict of a model", () => {
  it.each<[string, Check[], VerdictWord, string]>([
    ["without checks", [], "ERROR", "the gate has no checks"],
    [
      "with advisory ones alone",
      [check("PASS", { advisory: true })],
      "INCONCLUSIVE",
      "no check could decide: every one is relative and there is no baseline, or too small",
    ],
    [
      "with waived ones alone",
      [check("FAIL", { advisory: true, waiver: { reason: "", expires: "" } })],
      "INCONCLUSIVE",
      "no check decides: waivers leave none",
    ],
    ["of one PASS", [check("PASS")], "PASS", "the deciding check passes"],
    [
      "of PASSes beside what does not decide",
      [
        check("PASS"),
        check("PASS"),
        check("FAIL", { advisory: true, waiver: { reason: "", expires: "" } }),
        check("INCONCLUSIVE", { advisory: true, reason: "no baseline yet" }),
        check("INCONCLUSIVE", { advisory: true }),
      ],
      "PASS",
      "all 2 deciding checks pass; 1 without a baseline; 1 could not decide; 1 waived",
    ],
    ["of one FAIL", [check("FAIL", { slice: "year=2003" })], "FAIL", "mae on year=2003: it is FAIL"],
    [
      "is the worst of several, told first, with a count of each word",
      [check("PASS"), check("INCONCLUSIVE"), check("FAIL"), check("FAIL"), check("INCOMPARABLE")],
      "FAIL",
      "mae: it is FAIL (of 5 deciding checks 2 FAIL, 1 INCOMPARABLE, 1 INCONCLUSIVE)",
    ],
    [
      "is an ERROR where one is",
      [check("FAIL"), check("ERROR")],
      "ERROR",
      "mae: it is ERROR (of 2 deciding checks 1 ERROR, 1 FAIL)",
    ],
  ])("%s", (_, checks, verdict, reason) => {
    expect(judgeModel(checks)).toEqual({ verdict, reason });
  });
});

describe("the verdict of a run", () => {
  const model = (id: string, verdict: VerdictWord) => ({ model: { id }, verdict, reason: `so is ${id}` }) as never;
  it.each<[string, [string, VerdictWord][], VerdictWord, string]>([
    ["of no model", [], "ERROR", "no model was evaluated"],
    ["of one model is its own", [["a", "FAIL"]], "FAIL", "so is a"],
    [
      "of models that pass",
      [
        ["a", "PASS"],
        ["b", "PASS"],
      ],
      "PASS",
      "all 2 models pass",
    ],
    [
      "is the worst, and names all that do not pass",
      [
        ["a", "INCONCLUSIVE"],
        ["b", "PASS"],
        ["c", "FAIL"],
      ],
      "FAIL",
      "a INCONCLUSIVE: so is a · c FAIL: so is c",
    ],
  ])("%s", (_, models, verdict, reason) => {
    expect(judgeRun(models.map(([id, word]) => model(id, word)))).toEqual({ verdict, reason });
  });
});

describe("what a candidate changes in its gates", () => {
  it.each<[string, unknown, unknown, unknown]>([
    ["nothing", { a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }, []],
    ["a leaf", { a: [1, { b: 2 }] }, { a: [1, { b: 3 }] }, [{ path: "gates.a[1].b", base: 2, candidate: 3 }]],
    ["one more", { a: [1] }, { a: [1, 2] }, [{ path: "gates.a[1]", base: null, candidate: 2 }]],
    ["one less", { a: 1, b: 2 }, { a: 1 }, [{ path: "gates.b", base: 2, candidate: null }]],
    ["a list for an object", { a: [1] }, { a: { 0: 1 } }, [{ path: "gates.a", base: [1], candidate: { 0: 1 } }]],
    ["a value for a list", { a: [1] }, { a: null }, [{ path: "gates.a", base: [1], candidate: null }]],
    ["all of it", null, { a: 1 }, [{ path: "gates", base: null, candidate: { a: 1 } }]],
  ])("%s", (_, base, candidate, wanted) => {
    expect(policyChanges(base, candidate)).toEqual(wanted);
  });
});

describe("planned checks", () => {
  const gates = (more: object) =>
    ({ alpha: 0.05, checks: [{ metric: "recall", kind: "limit", slices: [], ...more }] }) as unknown as Gates;
  const plan = (more: object, nameHeads = false, slices: Record<string, string[]> = { year: ["2002", "2003"] }) =>
    planChecks(gates(more), slices, () => "h", nameHeads);

  it("are one per slice value, and one that can never pass for a column that is not there", () => {
    expect(plan({}).map(({ id, slice }) => [id, slice])).toEqual([["recall/limit#0", "all"]]);
    expect(plan({ slices: ["year", "team"] }).map(({ id, slice }) => [id, slice])).toEqual([
      ["recall[year=2002]/limit#0", "year=2002"],
      ["recall[year=2003]/limit#0", "year=2003"],
      ["recall[team=*]/limit#0", "team=*"],
    ]);
  });

  it("are named by head and options", () => {
    expect(plan({ threshold: 0.7, at: 0.1, k: 5 }, true)[0]?.id).toBe("recall(threshold=0.7,at=0.1,k=5)@h/limit#0");
  });

  it("have the gate's alpha unless they have their own, and an interval of 1 - 2 alpha", () => {
    expect(plan({})[0]).toMatchObject({ alpha: 0.05, level: 0.9, head: "h", index: 0 });
    expect(plan({ alpha: 0.01 })[0]).toMatchObject({ alpha: 0.01, level: 0.98 });
  });
});
