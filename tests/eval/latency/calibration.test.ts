import { describe, expect, it } from "vitest";
import { comparisonEvidence, selfComparisonNote, tailNote } from "../../../eval/gate/performance-evidence.ts";
import { judgeCheck } from "../../../eval/judge/judge-check.ts";
import type { CheckPolicy } from "../../../models/core/manifest/gates.ts";
import type { Round } from "../../../eval/latency/rounds.ts";
import { hodgesLehmann } from "../../../eval/latency/hodges-lehmann.ts";
import { roundContrast } from "../../../eval/latency/contrast.ts";
import { interimRounds, sequentialTest, type Question } from "../../../eval/latency/sequential-test.ts";
import { RandomStream } from "../../../eval/stats/random.ts";
import { simulatedRounds, type Noise } from "./simulated-machine.ts";

const ordinary: Noise = { process: 0.02, turn: 0.02, outliers: 0, pace: 0.1 };
const rough: Noise = { process: 0.02, turn: 0.05, outliers: 0.03, pace: 0.3 };
const question = (margin: number, kind: Question["kind"] = "non-inferiority"): Question => ({
  quantile: 0.5,
  kind,
  margin: { relative: margin },
  alpha: 0.05,
});

function gate(stream: number, effect: number, noise: Noise, asked: Question, maxRounds = 24) {
  const next = simulatedRounds(new RandomStream(20261121, stream), effect, noise);
  const test = sequentialTest([asked]);
  const rounds: Round[] = [];
  for (;;) {
    rounds.push(next());
    const last = rounds.length === maxRounds;
    const state = test(rounds, maxRounds, last);
    if (last || !state.open) return { ...state.summary(0), rounds };
  }
}

function rates(gates: number, effect: number, noise: Noise, asked: Question) {
  const count = { pass: 0, fail: 0, inconclusive: 0 };
  let covered = 0;
  let voided = 0;
  for (let i = 0; i < gates; i++) {
    const {
      results: [result],
      aa,
    } = gate(i, effect, noise, asked);
    count[result!.decision]++;
    if (aa.excludesOne) voided++;
    if (result!.interval !== null && result!.interval.low <= 1 + effect && 1 + effect <= result!.interval.high)
      covered++;
  }
  return {
    pass: count.pass / gates,
    fail: count.fail / gates,
    inconclusive: count.inconclusive / gates,
    covered: covered / gates,
    voided: voided / gates,
  };
}

/** Three standard errors above a rate: the most that `gates` simulations may show by chance. */
const atMost = (rate: number, gates: number) => rate + 3 * Math.sqrt((rate * (1 - rate)) / gates);

describe("the sequential test's error rates, simulated (seeded)", () => {
  const gates = 600;

  it.each([
    ["ordinary", ordinary],
    ["rough and drifting", rough],
  ])(
    "exactly at the margin, passes and fails occur at most at alpha each, and the interval covers: %s noise",
    (_, noise) => {
      const { pass, fail, covered, voided } = rates(gates, 0.03, noise, question(0.03));
      expect(pass).toBeLessThanOrEqual(atMost(0.05, gates));
      expect(fail).toBeLessThanOrEqual(atMost(0.05, gates));
      expect(covered).toBeGreaterThanOrEqual(0.9 - 3 * Math.sqrt(0.09 / gates));
      expect(voided).toBeLessThanOrEqual(atMost(0.002, gates));
    },
  );

  it("no change: passes nearly always, never fails", () => {
    const { pass, fail } = rates(300, 0, ordinary, question(0.03));
    expect(fail).toBe(0);
    expect(pass).toBeGreaterThan(0.97);
  });

  it("a slow-down of twice the margin: found nearly always, never passed", () => {
    const { pass, fail } = rates(300, 0.06, ordinary, question(0.03));
    expect(pass).toBe(0);
    expect(fail).toBeGreaterThan(0.97);
  });

  it("equivalence on either end of its margin passes at most at alpha", () => {
    for (const effect of [-0.03, 0.03])
      expect(rates(300, effect, ordinary, question(0.03, "equivalence")).pass).toBeLessThanOrEqual(atMost(0.05, 300));
  });

  it("a plain 5 % level at every look would exceed alpha; spending alpha over the looks does not", () => {
    let wrong = 0;
    for (let i = 0; i < 300; i++) {
      const next = simulatedRounds(new RandomStream(7, i), 0, ordinary);
      const effects: number[] = [];
      wrong += interimRounds(24).some((n) => {
        while (effects.length < n) effects.push(roundContrast(next(), 0.5).effect);
        return hodgesLehmann(effects, 0.05).high < 0;
      })
        ? 1
        : 0;
    }
    expect(wrong / 300).toBeGreaterThan(atMost(0.05, 300));
  });
});

describe("the sequential test", () => {
  it("gives the same result for the same rounds, however they are passed in", () => {
    const first = gate(3, 0, ordinary, question(0.05));
    const test = sequentialTest([question(0.05)]);
    let again: ReturnType<typeof test> | null = null;
    for (let n = 1; n <= first.rounds.length; n++) again = test(first.rounds.slice(0, n), 24, n === 24);
    expect(again?.summary(0).results).toEqual(first.results);
  });

  it("swapping the roles inverts the ratio and keeps the spread", () => {
    const {
      rounds,
      results: [plain],
    } = gate(4, 0.1, ordinary, question(0.05), 7);
    const swapped = rounds.map(({ blocks, queriesMs }) => ({
      queriesMs,
      blocks: blocks.map((b) => ({
        baseline: b.candidate,
        baselineTwin: b.candidateTwin,
        candidate: b.baseline,
        candidateTwin: b.baselineTwin,
      })),
    }));
    const other = sequentialTest([question(0.05)])(swapped, 7, true).summary(0).results[0];
    expect(other!.ratio * plain!.ratio).toBeCloseTo(1, 10);
    expect(other!.interval!.low * plain!.interval!.high).toBeCloseTo(1, 10);
  });

  it("is inconclusive, with the reason, when there are too few rounds for an interval", () => {
    const {
      results: [result],
    } = gate(1, 0.5, ordinary, question(0.05), 4);
    expect(result).toMatchObject({ decision: "inconclusive", interval: null, rounds: 4 });
    expect(result!.reason).toContain("too few");
  });

  it("is inconclusive when a model differs from itself, whatever the ratio says", () => {
    const next = simulatedRounds(new RandomStream(9), 0, ordinary);
    const rounds = Array.from({ length: 12 }, next).map((round): Round => ({
      ...round,
      blocks: round.blocks.map((b) => ({
        ...b,
        baselineTwin: [1.2 * b.baselineTwin[0], 1.2 * b.baselineTwin[1]],
        candidateTwin: [1.2 * b.candidateTwin[0], 1.2 * b.candidateTwin[1]],
      })),
    }));
    const {
      results: [result],
      aa,
    } = sequentialTest([question(0.05)])(rounds, 12, true).summary(0);
    expect(aa.excludesOne).toBe(true);
    expect(aa.ratio).toBeGreaterThan(1.15);
    expect(result!.decision).toBe("inconclusive");
    expect(result!.reason).toContain("too noisy");
  });

  it("lets a tail decide only when there are enough queries, and takes a margin in ms", () => {
    const tail = { ...question(0.05), quantile: 0.99 as const };
    const {
      results: [few],
    } = gate(2, 0.5, ordinary, tail);
    expect(few).toMatchObject({ decision: "inconclusive" });
    expect(few!.reason).toContain("270336 queries");
    const {
      results: [wide],
    } = gate(2, 0.1, ordinary, { ...question(0), margin: { ms: 0.5 } });
    expect(wide!.decision).toBe("pass");
    expect(wide!.relativeMargin).toBeCloseTo(0.5, 0);
  });

  it("reports the tails with their own intervals beside the result that decided", () => {
    const held = gate(2, 0.1, ordinary, question(0.3));
    expect(tailNote(held)).toMatch(
      /^Tail latency, candidate against baseline, over \d+ queries each: p95 1?\d\.\d\d % \(-?\d+\.\d\d % to \d+\.\d\d %; 57,344 queries would let it decide\), p99 /,
    );
    for (const { quantile, ratio, interval } of held.ratios)
      if (quantile !== 0.5 && interval !== null) expect(interval.low <= ratio && ratio <= interval.high).toBe(true);
  });

  it("says how many rounds kept their processes on the same processors", () => {
    const next = simulatedRounds(new RandomStream(5), 0, ordinary);
    const summary = sequentialTest([question(0.05)])([next(), next()], 24, true).summary(0);
    const note = (...kept: boolean[]) =>
      selfComparisonNote({
        ...summary,
        rounds: kept.map((sameProcessors) => ({ ...next(), sameProcessors })),
        blocks: 18,
        elapsedMs: 4_000,
      });
    expect(note(true, true)).toMatch(
      /^Each model against a second process of itself \(A\/A\): .*, over 2 rounds and 18 blocks in 4 s; p50 .* ms; processes kept on the same processors in every round\.$/,
    );
    expect(note(true, false)).toContain("in 1 of 2 rounds.");
    expect(note(false, false)).toContain("in no round, which costs precision.");
  });

  it("hands its decision to the check, and a margin in ms can be recomputed from the figures of the deciding look", () => {
    const inMs: Question = { ...question(0), margin: { ms: 0.05 } };
    const outcomes = new Set<string>();
    for (let stream = 0; stream < 40; stream++) {
      // The second question is never decided, so rounds continue and the machine's pace drifts after the first is
      // decided.
      const next = simulatedRounds(new RandomStream(7, stream), stream % 2 === 0 ? 0 : 0.12, {
        ...ordinary,
        pace: 0.5,
      });
      const test = sequentialTest([inMs, question(0, "equivalence")]);
      const rounds: Round[] = [];
      while (rounds.length < 23) {
        rounds.push(next());
        test(rounds, 24, false);
      }
      rounds.push(next());
      const held = test(rounds, 24, true).summary(0);
      const [result] = held.results;
      const evidence = comparisonEvidence(held, result!);
      const policy: CheckPolicy = { kind: "non-inferiority", metric: "latency_p50_ms", slices: [], margin: 0.05 };
      const check = judgeCheck(
        { id: "latency", index: 0, policy, head: null, slice: "all", alpha: 0.05, level: 0.9 },
        evidence,
        { direction: "lower", unit: "ms", onInsufficient: "fail", declaredAt: null },
      );
      expect(check.verdict).toBe({ pass: "PASS", fail: "FAIL", inconclusive: "INCONCLUSIVE" }[result!.decision]);
      if (check.verdict === "PASS") expect(check.interval!.high).toBeLessThan(0.05 * (1 + 1e-12));
      if (check.verdict === "FAIL") expect(check.interval!.low).toBeGreaterThan(0.05 * (1 - 1e-12));
      if (check.verdict !== "INCONCLUSIVE") expect(check.reason).toContain(result!.reason);
      outcomes.add(check.verdict);
    }
    expect(outcomes).toContain("PASS");
    expect(outcomes).toContain("FAIL");
  });

  it("never decides on broken timings", () => {
    const next = simulatedRounds(new RandomStream(11), 0, ordinary);
    const broken = Array.from({ length: 10 }, next).map((round): Round => ({
      ...round,
      blocks: round.blocks.map((b) => ({ ...b, candidate: [Number.NaN, Number.NaN] })),
    }));
    expect(sequentialTest([question(0.05)])(broken, 10, true).summary(0).results[0]!.decision).toBe("inconclusive");
  });
});
