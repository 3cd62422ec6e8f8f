import { describe, expect, test } from "vitest";
import { activatedTwice } from "../../../eval/judge/activated-twice.ts";
import { scoreNotes } from "../../../eval/judge/score-notes.ts";
import { measurerOf } from "../../../eval/metrics/measure.ts";
import type { Predictions } from "../../../eval/predictions/predictions.ts";
import { RandomStream } from "../../../eval/stats/random.ts";
import { sigmoid } from "../../../models/core/postprocess/sigmoid.ts";
import { softmax } from "../../../models/core/postprocess/softmax.ts";

const uniform = (seed: number) => {
  const random = new RandomStream(seed, 0);
  return () => random.next() / 2 ** 32;
};

function predictions(classes: string[], labels: number[], scores: number[]): Predictions {
  return {
    head: "mood",
    task: classes.length === 2 ? "binary-classification" : "multiclass-classification",
    ids: labels.map(String),
    labels: Float64Array.from(labels),
    scores: Float64Array.from(scores),
    classes,
    slices: {},
    groups: null,
    weights: null,
    datasetDigest: null,
  };
}

const notes = (classes: string[], labels: number[], scores: number[]) =>
  scoreNotes("candidate", measurerOf(predictions(classes, labels, scores), 1));

/** Calibrated scores: the label is 1 with the probability that the score says. */
function calibrated(rows: number, of: (u: number) => number, seed = 1): { p: number[]; labels: number[] } {
  const next = uniform(seed);
  const p = Array.from({ length: rows }, () => of(next()));
  return { p, labels: p.map((one) => (next() < one ? 1 : 0)) };
}

const two = ["no", "yes"];
const three = ["a", "b", "c"];

/** Rows of three probabilities, and labels drawn from them. */
function threeWay(rows: number, sharpness: number): { p: number[][]; labels: number[] } {
  const next = uniform(3);
  const p = Array.from({ length: rows }, () => softmax([next(), next(), next()].map((u) => sharpness * u)));
  return { p, labels: p.map((row) => ((u) => (u < row[0]! ? 0 : u < row[0]! + row[1]! ? 1 : 2))(next())) };
}

describe("scores that nothing is wrong with get no note", () => {
  test.each<[string, (u: number) => number]>([
    ["spread over [0, 1]", (u) => u],
    ["of a weak model between .45 and .55", (u) => 0.45 + 0.1 * u],
    ["of a weak model just above one half", (u) => 0.5 + 0.2 * u],
    ["of a rare class", (u) => 0.02 * u],
  ])("%s", (_, of) => {
    const { p, labels } = calibrated(3000, of);
    expect(notes(two, labels, p)).toEqual([]);
  });

  test("of three classes", () => {
    for (const sharpness of [0.5, 1, 6]) {
      const { p, labels } = threeWay(3000, sharpness);
      expect(notes(three, labels, p.flat())).toEqual([]);
    }
  });

  test("of a regression", () => {
    expect(notes([], [1, 2, 3], [7, 8, 9])).toEqual([]);
  });
});

describe("an activation applied twice", () => {
  test("sigmoid over probabilities", () => {
    const { p, labels } = calibrated(400, (u) => u);
    const twice = predictions(two, labels, p.map(sigmoid));
    const found = activatedTwice(twice, "sigmoid");
    expect(found!.asProbabilities).toBeLessThan(found!.asGiven);
    expect(notes(two, labels, p.map(sigmoid)).join()).toMatch(
      /The candidate's scores \(head mood\) look like an activation of what were already probabilities.*`activation: none`/,
    );
    expect(activatedTwice(predictions(two, labels, p), "sigmoid")).toBeNull();
  });

  test("softmax over two and over three probabilities", () => {
    const { p, labels } = calibrated(3000, (u) => u);
    const squashed = p.map((one) => softmax([1 - one, one])[1]!);
    expect(activatedTwice(predictions(two, labels, squashed), "softmax")).not.toBeNull();
    const wide = threeWay(600, 6);
    const flat = wide.p.flatMap((row) => softmax(row));
    expect(activatedTwice(predictions(three, wide.labels, flat), "softmax")).not.toBeNull();
    expect(notes(three, wide.labels, flat).join()).toContain("already probabilities");
  });

  test("is not claimed on few rows", () => {
    const { p, labels } = calibrated(99, (u) => u);
    expect(activatedTwice(predictions(two, labels, p.map(sigmoid)), "sigmoid")).toBeNull();
  });

  test("is claimed of no calibrated weak model in 300", () => {
    for (let seed = 0; seed < 300; seed++) {
      const { p, labels } = calibrated(200, (u) => 0.5 + 0.23 * u, seed);
      expect(activatedTwice(predictions(two, labels, p), "sigmoid")).toBeNull();
    }
  });
});

describe("odd scores are told", () => {
  const { p, labels } = calibrated(500, (u) => u);

  test("swapped classes, with the interval", () => {
    const [note] = notes(
      two,
      labels,
      p.map((one) => 1 - one),
    );
    expect(note).toMatch(/rank yes below no: AUROC 0\.\d{4}, 95 % interval \[0\.\d{4}, 0\.\d{4}\], is below 0\.5/);
    expect(note).toContain("check the order of `labels`, and `positive`");
  });

  test("an AUROC that is below one half by chance is not", () => {
    const next = uniform(9);
    const chance = labels.slice(0, 60).map(() => next());
    expect(notes(two, labels.slice(0, 60), chance).join()).not.toContain("swapped");
  });

  test("swapped columns of three classes", () => {
    const wide = threeWay(600, 12);
    const swapped = wide.p.flatMap(([a, b, c]) => [b!, a!, c!]);
    expect(notes(three, wide.labels, swapped).join()).toMatch(/answer b for most rows of a, a for most rows of b\./);
  });

  test("the same score on every row", () => {
    expect(
      notes(
        two,
        labels,
        labels.map(() => 0.4),
      ),
    ).toEqual(["The candidate's scores (head mood) are the same on every row: the model tells nothing apart."]);
  });

  test("every row one class", () => {
    const wide = threeWay(100, 1);
    const always = wide.p.flatMap(([a, b, c]) => [a! / 10, b! / 10, 1 - (a! + b!) / 10 + 0 * c!]);
    expect(notes(three, wide.labels, always).join()).toContain("are highest for the class c on every row");
  });

  test("scores outside [0, 1]", () => {
    expect(
      notes(
        two,
        labels,
        p.map((one, i) => (i < 3 ? 1.5 : one)),
      )[0],
    ).toMatch(/outside \[0, 1\] 3 times of 500, e\.g\. 1\.5/);
  });

  test("three classes that sum to .99: scored as given", () => {
    const wide = threeWay(100, 6);
    const scores = wide.p.flatMap((row, i) => (i < 4 ? row.map((one) => 0.99 * one) : row));
    const scored = predictions(three, wide.labels, scores);
    expect(scoreNotes("candidate", measurerOf(scored, 1)).join()).toMatch(
      /do not sum to 1 on 4 of 100 rows, e\.g\. 0\.99; they are scored as given/,
    );
  });
});
