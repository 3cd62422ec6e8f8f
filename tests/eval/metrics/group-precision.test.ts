import { describe, expect, it } from "vitest";
import { RandomStream } from "../../../eval/stats/random.ts";
import type { Sample } from "../../../eval/metrics/catalog.ts";
import { metric, options, sample, value } from "./samples.ts";

const grouped = (rows: readonly (readonly [group: string, label: number, score: number])[]): Sample =>
  sample(
    rows.map(([, label]) => label),
    rows.map(([, , score]) => score),
    2,
    { groups: rows.map(([group]) => group) },
  );

/** Groups of 30 rows with a positive now and then, and scores that follow the labels by `skill`. */
function days(random: RandomStream, count: number, skills: readonly number[]): Sample[] {
  const groups: string[] = [];
  const labels: number[] = [];
  const scores: number[][] = skills.map(() => []);
  for (let day = 0; day < count; day++)
    // Some days are busier than others.
    for (let i = 0; i < 20 + (day % 5) * 15; i++) {
      const label = random.uniform() < 0.1 ? 1 : 0;
      const hardness = random.uniform();
      groups.push(`day ${day}`);
      labels.push(label);
      skills.forEach((skill, k) => scores[k]!.push(skill * label + hardness + random.uniform()));
    }
  return scores.map((own) => sample(labels, own, 2, { groups }));
}

describe("precision at k of binary answers in groups", () => {
  it.each<[string, Sample, number, number]>([
    [
      "is the mean over groups of the positives among the first k",
      // a: 0.9 (1), 0.8 (0) → 1/2; b: 0.7 (0), 0.6 (0) → 0.
      grouped([
        ["a", 0, 0.8],
        ["b", 0, 0.7],
        ["a", 1, 0.9],
        ["b", 0, 0.6],
        ["a", 1, 0.1],
      ]),
      2,
      1 / 4,
    ],
    [
      "lets rows tied at the last place share it",
      // 0.9 (1), then one place for 0.5 (1), 0.5 (0), 0.5 (0).
      grouped([
        ["a", 0, 0.5],
        ["a", 1, 0.9],
        ["a", 1, 0.5],
        ["a", 0, 0.5],
      ]),
      2,
      (1 + 1 / 3) / 2,
    ],
    ["divides a group with fewer rows by k too", grouped([["a", 1, 0.2]]), 4, 1 / 4],
    [
      "counts a group without positives as 0",
      grouped([
        ["a", 1, 0.9],
        ["b", 0, 0.9],
      ]),
      1,
      1 / 2,
    ],
  ])("%s", (_, rows, k, expected) => {
    expect(value("precision_at_k", rows, { k })).toBeCloseTo(expected, 12);
  });

  it("is what the mean over all orders of the tied rows gives", () => {
    const random = new RandomStream(5);
    const rows = Array.from({ length: 60 }, (_, i) => ({
      group: `g${i % 4}`,
      label: random.uniform() < 0.4 ? 1 : 0,
      score: Math.floor(random.uniform() * 5) / 5,
    }));
    const given = grouped(rows.map(({ group, label, score }) => [group, label, score] as const));
    let sum = 0;
    const orders = 4000;
    for (let order = 0; order < orders; order++)
      for (const group of ["g0", "g1", "g2", "g3"])
        sum += rows
          .filter((row) => row.group === group)
          .map(({ label, score }) => ({ label, score, tie: random.uniform() }))
          .toSorted((a, b) => b.score - a.score || a.tie - b.tie)
          .slice(0, 6)
          .reduce((hits, { label }) => hits + label / 6, 0);
    expect(value("precision_at_k", given, { k: 6 })).toBeCloseTo(sum / orders / 4, 2);
  });

  it("has intervals of the level that they state, where neither model is better", () => {
    const random = new RandomStream(21);
    const truth = (() => {
      const [all] = days(random, 20_000, [0.8]);
      return value("precision_at_k", all!, { k: 5 });
    })();
    let [differences, values] = [0, 0];
    const repeats = 400;
    for (let i = 0; i < repeats; i++) {
      const [one, other] = days(random, 28, [0.8, 0.8]) as [Sample, Sample];
      const contrast = metric("precision_at_k").contrast(one, other, { ...options, k: 5 });
      const measured = metric("precision_at_k").measure(one, { ...options, k: 5 });
      if (contrast.status !== "ok" || measured.status !== "ok") throw new Error("undefined");
      if (contrast.interval.low <= 0 && contrast.interval.high >= 0) differences++;
      if (measured.interval!.low <= truth && measured.interval!.high >= truth) values++;
    }
    // 90 % ± three standard errors of 400 repeats, and what 28 groups cost.
    expect(differences / repeats).toBeGreaterThan(0.84);
    expect(differences / repeats).toBeLessThan(0.95);
    expect(values / repeats).toBeGreaterThan(0.84);
    expect(values / repeats).toBeLessThan(0.96);
  });

  it("says why there is none without groups, with weights, and for other tasks", () => {
    const rows = grouped([
      ["a", 1, 0.9],
      ["b", 0, 0.9],
    ]);
    const reason = (of: Sample) => {
      const result = metric("precision_at_k").measure(of, options);
      return result.status === "undefined" ? result.reason : "";
    };
    expect(reason({ ...rows, groups: null })).toMatch(/no groups.*dataset\.group/);
    expect(reason({ ...rows, weights: Float64Array.of(1, 2) })).toMatch(/weights/);
    expect(reason(sample([1, 2], [1, 2], 0, { groups: ["a", "b"] }))).toMatch(/two classes/);
    expect(reason(grouped([]))).toMatch(/no rows/);
  });
});
