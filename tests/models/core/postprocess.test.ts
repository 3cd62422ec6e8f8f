import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ConfigurationError, EvaluationError } from "../../../models/core/errors.ts";
import { compileHead } from "../../../models/core/postprocess/head.ts";
import { applyInverse } from "../../../models/core/postprocess/inverse.ts";
import {
  head,
  type ClassificationHead,
  type RegressionHead,
  type SeriesHead,
} from "../../../models/core/postprocess/schema.ts";
import { sigmoid } from "../../../models/core/postprocess/sigmoid.ts";
import { softmax } from "../../../models/core/postprocess/softmax.ts";
import { refusal } from "./build.ts";

const compile = (definition: object, width: number | null = null) =>
  compileHead(
    head.parse({ name: "h", from: "out", ...definition }) as ClassificationHead | RegressionHead | SeriesHead,
    () => "postprocess.0",
    width,
  );
const classes = (changes: object) =>
  compile({ kind: "classification", activation: "softmax", labels: ["no", "yes"], ...changes });

describe("softmax and sigmoid", () => {
  // scipy.special.softmax([1, 2, 3]), scipy.special.expit([-2, 0.5])
  it("agree with SciPy", () => {
    expect(softmax([1, 2, 3])).toEqual(
      [0.09003057317038046, 0.24472847105479764, 0.6652409557748218].map((p) => expect.closeTo(p, 15)),
    );
    expect(sigmoid(-2)).toBeCloseTo(0.11920292202211755, 15);
    expect(sigmoid(0.5)).toBeCloseTo(0.6224593312018546, 15);
  });

  it("stay finite, sum to one and keep the order, for any logits", () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 8 }),
        (logits) => {
          const p = softmax(logits);
          expect(p.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 12);
          expect(p[logits.indexOf(Math.max(...logits))]).toBe(Math.max(...p));
          const [a, b] = [sigmoid(logits[0]!), sigmoid(-logits[0]!)];
          expect(a + b).toBeCloseTo(1, 12);
        },
      ),
    );
  });
});

describe("a classification head", () => {
  it("gives label, score of the positive label and every probability", () => {
    expect(classes({}).read([0, Math.log(3)], "row 0")).toEqual({
      kind: "classification",
      label: "yes",
      score: expect.closeTo(0.75, 12),
      probabilities: { no: expect.closeTo(0.25, 12), yes: expect.closeTo(0.75, 12) },
    });
    expect(classes({ positive: "no" }).read([0, Math.log(3)], "row 0")).toMatchObject({
      label: "yes",
      score: expect.closeTo(0.25, 12),
    });
  });

  it("takes one logit for two labels, or probabilities as they are", () => {
    expect(classes({ activation: "sigmoid" }).read([-Math.log(3)], "r")).toMatchObject({
      label: "no",
      score: expect.closeTo(0.25, 12),
    });
    expect(classes({ activation: "none" }).read([0.125, 0.875], "r")).toMatchObject({ label: "yes", score: 0.875 });
    expect(
      compile({ kind: "classification", activation: "none", labels: ["no", "yes"] }, 1).read([0.25], "r"),
    ).toMatchObject({ label: "no", score: 0.25 });
  });

  it("scores more than two labels by the top one, the earlier on a tie", () => {
    expect(classes({ labels: ["a", "b", "c"], activation: "none" }).read([0.5, 0.5, 0], "r")).toMatchObject({
      label: "a",
      score: 0.5,
    });
  });

  it.each<[string, () => unknown]>([
    ["sigmoid over three labels", () => classes({ activation: "sigmoid", labels: ["a", "b", "c"] })],
    ["a label that stands twice", () => classes({ labels: ["a", "a"] })],
    [
      "an output of another width",
      () => compile({ kind: "classification", activation: "softmax", labels: ["a", "b"] }, 3),
    ],
  ])("refuses %s", async (_, call) => {
    expect(await refusal(call)).toBeInstanceOf(ConfigurationError);
  });
});

describe("a regression head", () => {
  it("undoes the training transforms in order", () => {
    expect(
      compile({ kind: "regression", inverse: [{ kind: "expm1" }, { kind: "affine", scale: 2, offset: 1 }] }).read(
        [Math.log(4)],
        "r",
      ),
    ).toEqual({ kind: "regression", value: expect.closeTo(7, 12) });
    expect(applyInverse(5, [{ kind: "clip", max: 3 }])).toBe(3);
    expect(applyInverse(5, [{ kind: "exp" }])).toBe(Math.exp(5));
  });
});

it.each<[string, object, number[]]>([
  ["a NaN", { kind: "regression" }, [Number.NaN]],
  ["an infinite logit", { kind: "classification", activation: "softmax", labels: ["a", "b"] }, [Infinity, 0]],
  ["an inverse that overflows", { kind: "regression", inverse: { kind: "exp" } }, [1000]],
  ["numbers that are no probabilities", { kind: "classification", activation: "none", labels: ["a", "b"] }, [2.5, -1]],
  ["too few numbers", { kind: "classification", activation: "softmax", labels: ["a", "b"] }, [1]],
])("%s is an evaluation error that names head and row", async (_, definition, values) => {
  const error = await refusal(() => compile(definition).read(values, "row 17"));
  expect(error).toBeInstanceOf(EvaluationError);
  expect(error.message).toMatch(/^row 17: /);
  expect(error.message).toMatch(/head h/);
});
