import { describe, expect, it } from "vitest";
import { rankByScore } from "./rank-by-score.ts";
import { answerSample, ranking, reference } from "./answer-samples.ts";
import { metric, options, value } from "./samples.ts";

const { users, mean, trecEval } = reference.ranking;

/** Score descending; ties by id, as the reference says. */
const byId = (scores: Record<string, number>): string[] => rankByScore(scores, (a, b) => (a < b ? -1 : 1));
const answersOf = (some: typeof users, order = byId) =>
  ranking(
    some.map(({ relevant }) => Object.keys(relevant)),
    some.map(({ scores }) => order(scores)),
    { gains: some.map(({ relevant }) => Object.values(relevant)) },
  );
const sample = answerSample(answersOf(users));

describe("metrics of rankings", () => {
  it.each([5, 10, 20])("equal the formulas of ranx at %i, as a mean and user by user", (k) => {
    const names = {
      ndcg_at_k: "ndcg_linear",
      recall_at_k: "recall",
      precision_at_k: "precision",
      map_at_k: "ap_over_R",
      mrr: "reciprocal_rank",
      hit_rate_at_k: "hit",
    } as const;
    for (const [name, key] of Object.entries(names) as [keyof typeof names, string][]) {
      expect(value(name, sample, { k }), name).toBeCloseTo(mean[`@${k}`]![key]!, 12);
      for (const user of users)
        expect(value(name, answerSample(answersOf([user])), { k }), `${name} ${user.user}`).toBeCloseTo(
          user.expected[`@${k}`]![key]!,
          12,
        );
    }
    expect(value("ndcg_at_k", sample, { k, gain: "exponential" })).toBeCloseTo(mean[`@${k}`]!["ndcg_exponential"]!, 12);
  });

  it("equal trec_eval, which breaks ties by descending id and prints four decimals", () => {
    const trec = answerSample(answersOf(users, (scores) => rankByScore(scores, (a, b) => (a > b ? -1 : 1))));
    const all = trecEval["all"]!;
    for (const k of [5, 10, 20]) {
      expect(value("ndcg_at_k", trec, { k })).toBeCloseTo(all[`ndcg_cut_${k}`]!, 4);
      expect(value("recall_at_k", trec, { k })).toBeCloseTo(all[`recall_${k}`]!, 4);
      expect(value("precision_at_k", trec, { k })).toBeCloseTo(all[`P_${k}`]!, 4);
      expect(value("map_at_k", trec, { k })).toBeCloseTo(all[`map_cut_${k}`]!, 4);
      expect(value("hit_rate_at_k", trec, { k })).toBeCloseTo(all[`success_${k}`]!, 4);
    }
    expect(value("mrr", trec)).toBeCloseTo(all["recip_rank"]!, 4);
  });

  it("leaves users without a relevant item out and counts the others", () => {
    const two = answerSample(ranking([["a"], [], ["b"]], [["a"], ["a"], ["c"]], { gains: [[1], [], [0]] }));
    expect(metric("hit_rate_at_k").measure(two, options)).toMatchObject({ status: "ok", value: 1, n: 1 });
    const nobody = answerSample(ranking([[], []], [["a"], ["b"]]));
    for (const name of ["ndcg_at_k", "recall_at_k", "precision_at_k", "map_at_k", "mrr", "hit_rate_at_k"] as const) {
      expect(metric(name).measure(nobody, options)).toMatchObject({ status: "undefined", reason: /relevant/ });
      expect(metric(name).contrast(nobody, nobody, options)).toMatchObject({ status: "undefined" });
    }
  });

  it("gives a short list no more than a long one, and an empty list nothing", () => {
    const short = answerSample(ranking([["a"]], [["a"]]));
    expect(value("precision_at_k", short, { k: 10 })).toBe(0.1);
    const empty = answerSample(ranking([["a"]], [[]]));
    for (const name of ["ndcg_at_k", "precision_at_k", "map_at_k", "mrr"] as const) expect(value(name, empty)).toBe(0);
  });

  it("has an interval for one user, of what a user not seen could change", () => {
    const one = answerSample(ranking([["a"]], [["a", "b"]]));
    expect(metric("recall_at_k").measure(one, options)).toMatchObject({ status: "ok", value: 1, n: 1 });
  });

  it("has SciPy's paired BCa interval over users", () => {
    // A list of 1,000 places whose recall at 1,000 is a given number of thousandths.
    const { baseline, candidate, mean_difference, scipy_BCa90 } = reference.pairedUsers;
    const items = Array.from({ length: 1000 }, (_, i) => `i${i}`);
    const of = (values: number[]) =>
      answerSample(
        ranking(
          values.map(() => items),
          values.map((part) => items.slice(0, Math.round(1000 * part))),
        ),
      );
    const found = metric("recall_at_k").contrast(of(candidate), of(baseline), { ...options, k: 1000 });
    expect(found).toMatchObject({ status: "ok", difference: expect.closeTo(mean_difference, 12) as number });
    if (found.status !== "ok") return;
    // 0.0005 as the reference says; the interval is then lengthened for skewness, where it sees any.
    expect(Math.abs(found.interval.low - scipy_BCa90[0])).toBeLessThan(0.0008);
    expect(Math.abs(found.interval.high - scipy_BCa90[1])).toBeLessThan(0.0008);
  });
});

describe("coverage at k", () => {
  const lists = Object.values(reference.coverage.lists);
  const covered = (some: string[][], size?: number) =>
    answerSample(
      ranking(
        some.map(() => []),
        some,
        size === undefined ? {} : { catalogueSize: size },
      ),
    );
  it("is RecBole's share of the whole catalogue", () => {
    expect(value("coverage_at_k", covered(lists, reference.coverage.catalogue), { k: 5 })).toBeCloseTo(
      reference.coverage.value,
      12,
    );
  });
  it("is undefined without the size of the catalogue, and then not listed", () => {
    const unknown = covered(lists);
    expect(metric("coverage_at_k").measure(unknown, options)).toMatchObject({
      status: "undefined",
      reason: /--catalogue-size/,
    });
    expect(metric("coverage_at_k").listed?.(unknown)).toBe(false);
  });
  it("does not credit a user of weight 0", () => {
    const weighted = { ...covered([["a"], ["b"]], 4), weights: Float64Array.of(1, 0) };
    expect(value("coverage_at_k", weighted)).toBe(0.25);
  });
  it("compares two models on the same users", () => {
    const [one, two] = [
      covered(lists, 30),
      covered(
        lists.map(([first]) => [first!]),
        30,
      ),
    ];
    const found = metric("coverage_at_k").contrast(one, two, { ...options, k: 5 });
    expect(found).toMatchObject({ status: "ok", n: lists.length });
    if (found.status === "ok") expect(found.difference).toBeCloseTo(found.candidate - found.baseline, 12);
    expect(metric("coverage_at_k").contrast(one, { ...two, ...covered(lists) }, options).status).toBe("undefined");
  });
});
