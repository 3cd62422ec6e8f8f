import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Sample } from "../../../eval/metrics/catalog.ts";
import { RandomStream } from "../../../eval/stats/random.ts";
import { metric, options, sample, value } from "./samples.ts";

type Payment = readonly [day: string, card: string, label: number, score: number];

const payments = (rows: readonly Payment[]): Sample =>
  sample(
    rows.map(([, , label]) => label),
    rows.map(([, , , score]) => score),
    2,
    { groups: rows.map(([day]) => day), entities: rows.map(([, card]) => card) },
  );

const reason = (of: Sample, per: "row" | "entity" = "entity") => {
  const result = metric("precision_at_k").measure(of, { ...options, k: 2, per });
  return result.status === "undefined" ? result.reason : "";
};

const { rows, values } = JSON.parse(readFileSync(new URL("fixtures/card-precision.json", import.meta.url), "utf8")) as {
  rows: [number, number, number, number][];
  values: Record<string, { entity: number; row: number }>;
};

describe("precision at k per entity", () => {
  it("agrees with card precision by NumPy", () => {
    const given = payments(rows.map(([day, card, label, score]) => [`d${day}`, `c${card}`, label, score] as const));
    for (const [k, { entity, row }] of Object.entries(values)) {
      expect(value("precision_at_k", given, { k: Number(k), per: "entity" }), k).toBeCloseTo(entity, 12);
      expect(value("precision_at_k", given, { k: Number(k) }), k).toBeCloseTo(row, 12);
      expect(value("precision_at_k", given, { k: Number(k), per: "row" }), k).toBeCloseTo(row, 12);
    }
  });

  it.each<[string, Payment[], number, number]>([
    [
      "gives one place to the payments of one card",
      // Rows: 0.9, 0.8 of one stolen card. Entities: that card, then one without fraud.
      [
        ["mon", "stolen", 1, 0.9],
        ["mon", "stolen", 1, 0.8],
        ["mon", "other", 0, 0.7],
      ],
      2,
      1 / 2,
    ],
    [
      "counts a card as found where any payment of its day is a fraud, not only the one that was flagged",
      [
        ["mon", "stolen", 0, 0.9],
        ["mon", "stolen", 1, 0.1],
        ["mon", "other", 0, 0.5],
      ],
      1,
      1,
    ],
    [
      "looks at each day by itself: a card may be found on two days",
      [
        ["mon", "stolen", 1, 0.9],
        ["tue", "stolen", 1, 0.9],
        ["tue", "other", 0, 0.95],
      ],
      1,
      1 / 2,
    ],
    [
      "lets cards that are tied at the last place share it",
      [
        ["mon", "a", 1, 0.9],
        ["mon", "b", 1, 0.5],
        ["mon", "c", 0, 0.5],
        ["mon", "c", 0, 0.2],
      ],
      2,
      (1 + 1 / 2) / 2,
    ],
    ["divides a day with fewer cards by k too", [["mon", "a", 1, 0.2]], 4, 1 / 4],
  ])("%s", (_, given, k, expected) => {
    expect(value("precision_at_k", payments(given), { k, per: "entity" })).toBeCloseTo(expected, 12);
  });

  it("is that of rows where every card pays once a day", () => {
    const random = new RandomStream(3);
    const given = payments(
      Array.from({ length: 300 }, (_, i) => [`d${i % 7}`, `c${i}`, random.uniform() < 0.2 ? 1 : 0, random.uniform()]),
    );
    expect(value("precision_at_k", given, { k: 5, per: "entity" })).toBe(value("precision_at_k", given, { k: 5 }));
  });

  it("has intervals of the level that they state, where neither model is better and cards pay unequally often", () => {
    const random = new RandomStream(31);
    const draw = (days: number, models: number): Sample[] => {
      const [groups, entities, labels]: [string[], string[], number[]] = [[], [], []];
      const scores: number[][] = Array.from({ length: models }, () => []);
      for (let day = 0; day < days; day++)
        for (let card = 0; card < 12 + (day % 5) * 6; card++) {
          const stolen = random.uniform() < 0.12;
          for (let i = 0; i <= card % 4; i++) {
            const label = stolen && random.uniform() < 0.7 ? 1 : 0;
            groups.push(`d${day}`);
            entities.push(`c${card}`);
            labels.push(label);
            for (const own of scores) own.push(0.7 * label + random.uniform() + random.uniform());
          }
        }
      return scores.map((own) => sample(labels, own, 2, { groups, entities }));
    };
    const asked = { ...options, k: 5, per: "entity" } as const;
    const truth = value("precision_at_k", draw(6000, 1)[0]!, asked);
    const repeats = 400;
    let [differences, covered] = [0, 0];
    for (let i = 0; i < repeats; i++) {
      const [one, other] = draw(28, 2) as [Sample, Sample];
      const contrast = metric("precision_at_k").contrast(one, other, asked);
      const measured = metric("precision_at_k").measure(one, asked);
      if (contrast.status !== "ok" || measured.status !== "ok") throw new Error("undefined");
      if (contrast.interval.low <= 0 && contrast.interval.high >= 0) differences++;
      if (measured.interval!.low <= truth && measured.interval!.high >= truth) covered++;
    }
    expect(differences / repeats).toBeGreaterThan(0.84);
    expect(differences / repeats).toBeLessThan(0.95);
    expect(covered / repeats).toBeGreaterThan(0.84);
    expect(covered / repeats).toBeLessThan(0.96);
  });

  it("says why there is none without entities, without groups, with weights, and of no rows", () => {
    const given = payments([
      ["mon", "a", 1, 0.9],
      ["mon", "b", 0, 0.1],
    ]);
    const { entities: _, ...without } = given;
    expect(reason(without)).toMatch(/no entities: `dataset\.entity`, or the column entity/);
    expect(reason(without, "row")).toBe("");
    expect(reason({ ...given, groups: null })).toMatch(/no groups/);
    expect(reason({ ...given, weights: Float64Array.of(1, 1) })).toMatch(/weights/);
    expect(reason({ ...given, scores: Float64Array.of(Number.NaN, 1) })).not.toBe("");
    expect(reason(payments([]))).toMatch(/no rows/);
  });

  it("has a signature of its own, and is listed where entities are there", () => {
    const given = payments([["mon", "a", 1, 0.9]]);
    const { signature, variants } = metric("precision_at_k");
    expect(signature!(given, { k: 5, per: "entity" })).toBe("k:5|per:entity");
    expect(signature!(given, { k: 5, per: "row" })).toBe("k:5");
    expect(signature!(given, {})).toBe("k:10");
    expect(variants!(given)).toEqual([{ per: "entity" }]);
    const { entities: _, ...without } = given;
    expect(variants!(without)).toEqual([]);
  });
});
