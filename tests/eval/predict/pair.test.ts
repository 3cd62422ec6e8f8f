import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pairPredictions } from "../../../eval/predictions/pair.ts";
import { binary, multiclass } from "./build.ts";

const rows = [
  ["a", 1, 0.9],
  ["b", 0, 0.2],
  ["c", 1, 0.4],
] as const;
const other = [
  ["c", 1, 0.7],
  ["a", 1, 0.8],
  ["b", 0, 0.1],
] as const;

const same = {
  weights: Float64Array.of(1, 1, 1),
  groups: ["g", "g", "g"],
  entities: ["e", "f", "e"],
  naiveScales: Float64Array.of(2, 2, 2),
  slices: { region: ["x", "y", "x"] },
};

describe("pairs", () => {
  it("put the baseline in the candidate's order", () => {
    const candidate = binary(rows, { slices: { region: ["x", "y", "x"] } });
    const pairing = pairPredictions(candidate, binary(other, { slices: { region: ["x", "x", "y"] } }));
    expect(pairing).toMatchObject({
      status: "paired",
      candidate,
      baseline: {
        ids: ["a", "b", "c"],
        scores: Float64Array.of(0.8, 0.1, 0.7),
        labels: Float64Array.of(1, 0, 1),
        slices: { region: ["x", "y", "x"] },
      },
    });
  });

  it("do not depend on the baseline's order of rows and classes", () => {
    const one = multiclass(
      ["x", "y", "z"],
      [
        ["a", 0, [1, 2, 3]],
        ["b", 2, [4, 5, 6]],
      ],
    );
    const two = multiclass(
      ["z", "x", "y"],
      [
        ["b", 0, [60, 40, 50]],
        ["a", 1, [30, 10, 20]],
      ],
    );
    expect(pairPredictions(one, two)).toMatchObject({
      status: "paired",
      baseline: { classes: ["x", "y", "z"], scores: Float64Array.of(10, 20, 30, 40, 50, 60) },
    });
    fc.assert(
      fc.property(fc.shuffledSubarray([...other], { minLength: 3 }), (shuffled) => {
        expect(pairPredictions(binary(rows), binary(shuffled))).toEqual(pairPredictions(binary(rows), binary(other)));
      }),
    );
  });
});

describe("incomparable", () => {
  it.each([
    ["rows", binary(rows.slice(0, 2)), /^different rows: only the candidate has c$/],
    [
      "rows on both sides",
      binary([
        ["a", 1, 0],
        ["b", 0, 0],
        ["d", 1, 0],
      ]),
      /only the candidate has c; only the baseline has d/,
    ],
    [
      "labels",
      binary([
        ["a", 0, 0.9],
        ["b", 0, 0.2],
        ["c", 0, 0.4],
      ]),
      /^different labels: a \(1 against 0\), c \(1 against 0\)$/,
    ],
    [
      "datasets",
      binary(rows, { datasetDigest: "f".repeat(64) }),
      /^different datasets: candidate eeeeeeeeeeee…, baseline ffffffffffff…/,
    ],
    ["tasks", binary(rows, { task: "regression", classes: [] }), /^different tasks/],
    ["weights", binary(rows, { ...same, weights: Float64Array.of(1, 1, 2) }), /^different weights: c \(1 against 2\)/],
    ["groups", binary(rows, { ...same, groups: ["g", "g", "h"] }), /^different groups: c \(g against h\)/],
    ["entities", binary(rows, { ...same, entities: ["e", "f", "f"] }), /^different entities: c \(e against f\)/],
    [
      "naive scales",
      binary(rows, { ...same, naiveScales: Float64Array.of(2, 2, 3) }),
      /^different naive scales: c \(2 against 3\)/,
    ],
    [
      "slices",
      binary(rows, { ...same, slices: { region: ["y", "x", "x"] } }),
      /^different values of the slice column "region": a \(x against y\), b \(y against x\)$/,
    ],
    ["weights that are missing", binary(rows, { ...same, weights: null }), /^only the candidate has weights$/],
    ["groups that are missing", binary(rows, { ...same, groups: null }), /^only the candidate has groups$/],
    ["slices that are missing", binary(rows, { ...same, slices: {} }), /^only the candidate has .* "region"$/],
    [
      "slices that are new",
      binary(rows, { ...same, slices: { ...same.slices, zone: ["1", "2", "3"] } }),
      /^only the baseline has .* "zone"$/,
    ],
  ])("%s differ", (_, baseline, reason) => {
    const candidate = binary(rows, { datasetDigest: "e".repeat(64), ...same });
    expect(pairPredictions(candidate, baseline)).toEqual({
      status: "incomparable",
      reason: expect.stringMatching(reason),
    });
  });

  it("classes differ", () => {
    expect(
      pairPredictions(multiclass(["x", "y"], [["a", 0, [1, 2]]]), multiclass(["x", "z"], [["a", 0, [1, 2]]])),
    ).toEqual({
      status: "incomparable",
      reason: "different classes: only the candidate has y; only the baseline has z",
    });
  });

  it("names three and counts the rest", () => {
    const many = Array.from({ length: 9 }, (_, i) => [`n${i}`, 1, 0.5] as const);
    expect(pairPredictions(binary([...rows, ...many]), binary(rows))).toEqual({
      status: "incomparable",
      reason: "different rows: only the candidate has n0, n1, n2, … (9 in all)",
    });
  });

  it("a digest on one side only is not a difference", () => {
    expect(pairPredictions(binary(rows, { datasetDigest: "e".repeat(64) }), binary(rows)).status).toBe("paired");
  });
});
