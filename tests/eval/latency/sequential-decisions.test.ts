import { describe, expect, it } from "vitest";
import { roundContrast } from "../../../eval/latency/contrast.ts";
import { nominalLevels, pocockSpending } from "../../../eval/latency/group-sequential-boundary.ts";
import { hodgesLehmann } from "../../../eval/latency/hodges-lehmann.ts";
import { queriesNeeded } from "../../../eval/latency/queries-needed.ts";
import { arms, type Arm, type Block, type Round } from "../../../eval/latency/rounds.ts";
import { interimRounds, sequentialTest, type Question } from "../../../eval/latency/sequential-test.ts";
import { RandomStream } from "../../../eval/stats/random.ts";
import { simulatedRounds } from "./simulated-machine.ts";

const quiet = { process: 0.01, turn: 0.002, outliers: 0, pace: 0.01 };
const question = (more: Partial<Question> = {}): Question => ({
  quantile: 0.5,
  kind: "non-inferiority",
  margin: { relative: 0.05 },
  alpha: 0.05,
  ...more,
});
const rounds = (count: number, effect: number, seed = 3): Round[] =>
  Array.from({ length: count }, simulatedRounds(new RandomStream(seed), effect, quiet));
const effects = (seen: readonly Round[]) => seen.map((round) => roundContrast(round, 0.5).effect);

/** The result after each of these numbers of rounds was shown, of so many planned. */
function tested(one: Question, all: readonly Round[], shown: readonly number[], planned: number, last: boolean) {
  const test = sequentialTest([one]);
  let state = test(all.slice(0, shown[0]), planned, last && shown.length === 1);
  for (const [i, count] of shown.entries())
    if (i > 0) state = test(all.slice(0, count), planned, last && i === shown.length - 1);
  return { open: state.open, ...state.summary(1000).results[0]! };
}

describe("the level of a look", () => {
  it.each([0.05, 0.01, 0.2, 0.05])(
    "is that of the question's own alpha, whatever another one asked before: %d",
    (alpha) => {
      const all = rounds(10, 0);
      const { low, high } = hodgesLehmann(effects(all), alpha);
      expect(tested(question({ alpha }), all, [10], 10, true).interval).toMatchObject({
        low: Math.exp(low),
        high: Math.exp(high),
        level: 1 - 2 * alpha,
      });
    },
  );

  it("is all that is left of alpha when no round follows, as at the time cap", () => {
    const all = rounds(8, 0);
    const { low, high } = hodgesLehmann(effects(all), 0.05);
    expect(tested(question(), all, [8], 100, true).interval).toMatchObject({
      low: Math.exp(low),
      high: Math.exp(high),
    });
  });

  it("after earlier looks is what they have left", () => {
    const all = rounds(9, 0.05);
    const level = nominalLevels([7 / 40, 1], 0.05, pocockSpending).at(-1)!;
    const { low, high } = hodgesLehmann(effects(all), level);
    const found = tested(question({ margin: { relative: 0.05 } }), all, [7, 9], 40, true);
    expect(found).toMatchObject({ looks: 2, interval: { low: Math.exp(low), high: Math.exp(high) } });
    expect(level).toBeLessThan(0.05);
  });

  it("of an early look spends a part of alpha, so that it is stricter than at the end", () => {
    const all = rounds(14, 0.05);
    const level = nominalLevels(
      [7, 9, 11, 14].map((n) => n / 100),
      0.05,
      pocockSpending,
    ).at(-1)!;
    const { low } = hodgesLehmann(effects(all), level);
    expect(tested(question(), all, [7, 9, 11, 14], 100, false).interval!.low).toBe(Math.exp(low));
  });
});

/** Rounds in which every turn of the candidate takes `candidateMs` and of the baseline `baselineMs`, up to a little noise. */
function steady(count: number, candidateMs: number, baselineMs: number, queries = 10): Round[] {
  const random = new RandomStream(8);
  const record = <Value>(value: (arm: Arm) => Value) =>
    Object.fromEntries(arms.map((arm) => [arm, value(arm)])) as Record<Arm, Value>;
  return Array.from({ length: count }, () => {
    const ms = (arm: Arm) => (arm.startsWith("candidate") ? candidateMs : baselineMs) * (1 + 1e-4 * random.uniform());
    const blocks: Block[] = Array.from({ length: 5 }, () => record((arm) => [ms(arm), ms(arm)] as const));
    return { blocks, queriesMs: record((arm) => Float64Array.from({ length: queries }, () => ms(arm))) };
  });
}

describe("a margin in milliseconds", () => {
  it.each([
    [4, 2, 1.9, "fail"],
    [4, 2, 2.1, "pass"],
    [1, 2, 0.1, "pass"],
  ] as const)(
    "is of the baseline's latency: %d ms against %d ms, margin %d ms: %s",
    (candidate, baseline, ms, decision) => {
      const found = tested(question({ margin: { ms } }), steady(20, candidate, baseline), [20], 20, true);
      expect(found.relativeMargin).toBeCloseTo(ms / baseline, 3);
      expect(found.baselineMs).toBeCloseTo(baseline, 3);
      expect(found.ratio).toBeCloseTo(candidate / baseline, 3);
      expect(found.decision).toBe(decision);
    },
  );
});

describe("when the test ends", () => {
  it("looks only where a look is due, and stays open until one decides", () => {
    const all = rounds(20, 0.3);
    const test = sequentialTest([question()]);
    const open = Array.from({ length: 9 }, (_, i) => test(all.slice(0, i + 1), 40, false).open);
    // The first look is after seven rounds.
    expect(open).toEqual([true, true, true, true, true, true, false, false, false]);
    expect(interimRounds(40)[0]).toBe(7);
  });

  it("keeps the decision that stopped it, whatever comes after", () => {
    const test = sequentialTest([question(), question({ margin: { relative: 0.2 } })]);
    const slow = rounds(7, 0.2);
    expect(test(slow, 40, false).open).toBe(true);
    const { results } = test([...slow, ...rounds(2, -0.9, 5)], 40, true).summary(0);
    expect(results[0]).toMatchObject({ decision: "fail", rounds: 7, looks: 1 });
    expect(results[1]).toMatchObject({ rounds: 9, looks: 2 });
  });

  it("a tail does not decide before both models have enough queries", () => {
    const tail = question({ quantile: 0.95 });
    const enough = Math.ceil(queriesNeeded(0.95) / 40);
    const few = tested(tail, steady(20, 4, 2, enough - 1), [20], 20, true);
    expect(few.decision).toBe("inconclusive");
    expect(few.reason).toContain(`p95 needs ${queriesNeeded(0.95)} queries per model`);
    expect(few.open).toBe(true);
    expect(tested(tail, steady(20, 4, 2, enough), [20], 20, true)).toMatchObject({ decision: "fail", open: false });
  });

  it("a model that differs from itself voids every decision", () => {
    const twin = steady(20, 4, 2).map((round) => ({
      ...round,
      blocks: round.blocks.map((block) => ({ ...block, candidateTwin: [6, 6] as const })),
    }));
    const found = tested(question(), twin, [20], 20, true);
    expect(found.decision).toBe("inconclusive");
    expect(found.reason).toContain("this runner is too noisy: the same model against itself");
  });
});

it("a summary has the ratio and percentiles of each model, candidate over baseline", () => {
  const { ratios, candidate, baseline } = sequentialTest([question()])(steady(10, 3, 2, 50), 10, true).summary(0);
  expect(ratios.map(({ quantile, ratio, queriesNeeded: needed }) => [quantile, ratio.toFixed(2), needed])).toEqual([
    [0.5, "1.50", null],
    [0.95, "1.50", 57_344],
    [0.99, "1.50", 270_336],
  ]);
  expect([candidate.p50Ms.toFixed(2), baseline.p50Ms.toFixed(2)]).toEqual(["3.00", "2.00"]);
  expect([candidate.queries, baseline.queries]).toEqual([1000, 1000]);
});
