import { describe, expect, it } from "vitest";
import type { ManifestInput } from "../../../models/core/manifest/manifest.ts";
import { fixture, linearManifest, predictorOf, refusal, sha256 } from "./build.ts";

type RulesInput = NonNullable<ManifestInput["rules"]>;

/** Two logits, a and b: P(fraud) = 1 / (1 + exp(a - b)). */
const binary = (list: RulesInput["list"], more: Partial<RulesInput> = {}, head: object = {}): ManifestInput =>
  linearManifest({
    task: "binary-classification",
    artifact: { path: "two-class.onnx", sha256: sha256(fixture("two-class.onnx")) },
    outputs: [{ name: "logits", dtype: "float32", shape: ["batch", 2] }],
    postprocess: [
      {
        name: "fraud",
        from: "logits",
        kind: "classification",
        activation: "softmax",
        labels: ["genuine", "fraud"],
        ...head,
      },
    ],
    rules: { version: "1.0.0", list, ...more },
  });
const regression = (list: RulesInput["list"], more: Partial<RulesInput> = {}): ManifestInput =>
  linearManifest({ rules: { version: "1.0.0", list, ...more } });

const row = { a: 0, b: 0, c: 1 };
const half = { kind: "classification", label: "genuine", score: 0.5, probabilities: { genuine: 0.5, fraud: 0.5 } };

async function answer(manifest: ManifestInput, one: object = row) {
  const predictor = await predictorOf(manifest);
  const [result] = await predictor.predict([one as Record<string, unknown>]);
  return result!;
}

describe("effects", () => {
  it.each([
    ["a label is the answer with probability 1", { override: { label: "fraud" } }, 1, "fraud"],
    ["the other label has the positive one's probability 0", { override: { label: "genuine" } }, 0, "genuine"],
    ["a score takes the answer's place", { override: { score: 0.8 } }, 0.8, "fraud"],
    ["a score is added", { add: { score: 0.25 } }, 0.75, "fraud"],
    ["a sum stays within 0 and 1", { add: { score: 0.9 } }, 1, "fraud"],
    ["a negative sum too", { add: { score: -0.9 } }, 0, "genuine"],
    ["the larger of the two", { add: { atLeast: 0.7 } }, 0.7, "fraud"],
    ["the model's own where it is larger", { add: { atLeast: 0.3 } }, 0.5, "genuine"],
  ] as const)("%s", async (_, effect, score, label) => {
    const result = await answer(binary([{ id: "one", when: "c == 1", ...effect }]));
    expect(result).toMatchObject({
      ok: true,
      heads: { fraud: { label, score, probabilities: { fraud: score, genuine: 1 - score } } },
      rules: { fired: [{ rule: "one", reasons: [] }], own: { fraud: half } },
    });
  });

  it("a regression's value is replaced or moved", async () => {
    expect(await answer(regression([{ id: "set", when: "value.value > 100", override: { value: 7 } }]))).toMatchObject({
      heads: { value: { value: 7 } },
    });
    expect(await answer(regression([{ id: "move", when: "c == 1", add: { value: -0.5 } }]))).toMatchObject({
      heads: { value: { value: 100 } },
      rules: { own: { value: { value: 100.5 } } },
    });
  });

  it("every condition sees the model's own answer; effects follow the list", async () => {
    const list: RulesInput["list"] = [
      { id: "first", when: "fraud.score == 0.5", add: { score: 0.2 } },
      { id: "second", when: "fraud.score == 0.5", add: { score: 0.1 } },
      { id: "third", when: "fraud.score > 0.5", override: { label: "genuine" } },
    ];
    const result = await answer(binary(list));
    expect(result).toMatchObject({ rules: { fired: [{ rule: "first" }, { rule: "second" }] } });
    expect(result.ok && (result.heads["fraud"] as { score: number }).score).toBeCloseTo(0.8, 12);
  });

  it("a rule of reasons alone leaves the answer as it is", async () => {
    const result = await answer(binary([{ id: "why", when: "c == 1", reasons: ["c is 1", "twice"] }]));
    expect(result).toMatchObject({
      heads: { fraud: half },
      rules: { fired: [{ rule: "why", reasons: ["c is 1", "twice"] }] },
    });
  });

  it("a threshold decides the label after a rule, too", async () => {
    const list: RulesInput["list"] = [{ id: "up", when: "c == 1", add: { score: 0.1 } }];
    expect(await answer(binary(list, {}, { threshold: 0.7 }))).toMatchObject({
      heads: { fraud: { label: "genuine", score: 0.6 } },
    });
    expect(await answer(binary(list, {}, { threshold: 0.6 }))).toMatchObject({
      heads: { fraud: { label: "fraud", score: 0.6 } },
    });
  });

  it("without a rule that fires, nothing is added to the answer", async () => {
    const result = await answer(binary([{ id: "no", when: "c > 1", override: { label: "fraud" } }]));
    expect(result).toEqual({ ok: true, heads: { fraud: half } });
  });
});

describe("conditions", () => {
  it.each([
    ["log(a - 1) > 0", false],
    ["log(a - 1) < 0", false],
    ["log(a - 1) == log(a - 1)", false],
    ["not (log(a - 1) > 0)", true],
  ])("NaN compares false: %s", async (when, fires) => {
    const result = await answer(binary([{ id: "nan", when, override: { label: "fraud" } }]));
    expect(result.ok && result.rules !== undefined).toBe(fires);
  });

  it.each([
    ["a number is no truth", "a + 1", /neither true nor false/],
    ["a text is none either", '"true"', /neither true nor false/],
    ["an index that is not there", "at(seen, 3) > 1", /cannot be worked out/],
    ["a text where a number belongs", "capitals(a) > 1", /cannot be worked out/],
  ])("%s: the row has no answer", async (_, when, problem) => {
    const manifest = binary([{ id: "bad", when, override: { label: "fraud" } }], {
      columns: { seen: { type: "number-list", length: 2 } },
    });
    const result = await answer(manifest, { ...row, seen: [1, 2] });
    expect(result).toMatchObject({ ok: false, error: { field: "rules.bad" } });
    expect(!result.ok && result.error.message).toMatch(problem);
  });

  it("an error refuses only its row", async () => {
    const predictor = await predictorOf(
      binary([{ id: "late", when: "weekday(date) > 5", reasons: ["weekend"] }], {
        columns: { date: { type: "date" } },
      }),
    );
    const results = await predictor.predict([{ ...row, date: "2026-11-29" }, row, { ...row, date: "2026-11-27" }]);
    expect(results.map(({ ok }) => ok)).toEqual([true, false, true]);
    expect(results[0]).toMatchObject({ rules: { fired: [{ rule: "late" }] } });
    expect(results[1]).toMatchObject({ error: { field: "date" } });
  });

  it("own columns, derived values of both and the model's texts can be used", async () => {
    const manifest = binary([{ id: "sum", when: "twice == 2 and ratio > 1 and blocked", reasons: ["all"] }], {
      columns: { limit: { type: "number", missing: { fill: 1 } }, blocked: { type: "boolean", missing: { fill: 0 } } },
      derive: { ratio: "twice / limit" },
    });
    const step = manifest.preprocess["row"] as { derive?: Record<string, string> };
    step.derive = { twice: "2 * c" };
    expect(await answer(manifest, { ...row, blocked: true })).toMatchObject({ rules: { fired: [{ rule: "sum" }] } });
    expect(await answer(manifest, row)).toEqual({ ok: true, heads: { fraud: half } });
    const refused = await answer(manifest, { ...row, blocked: "yes" });
    expect(refused).toMatchObject({ ok: false, error: { field: "blocked" } });
  });
});

describe("what is refused when the model is opened", () => {
  it.each([
    ["an unknown name", [{ id: "x", when: "amount > 1", reasons: ["r"] }], {}, "expression", /unknown value amount/],
    ["a malformed expression", [{ id: "x", when: "a >", reasons: ["r"] }], {}, "expression", /not a valid expression/],
    ["a rule that does nothing", [{ id: "x", when: "a > 1" }], {}, "config-inconsistent", /does nothing/],
    [
      "two effects",
      [{ id: "x", when: "a > 1", override: { score: 1 }, add: { score: 1 } }],
      {},
      "config-inconsistent",
      /not both/,
    ],
    [
      "an unknown label",
      [{ id: "x", when: "a > 1", override: { label: "theft" } }],
      {},
      "config-inconsistent",
      /theft/,
    ],
    ["a value for labels", [{ id: "x", when: "a > 1", override: { value: 1 } }], {}, "config-inconsistent", /class/],
    ["an unknown head", [{ id: "x", when: "a > 1", head: "f", reasons: ["r"] }], {}, "config-inconsistent", /no head/],
    [
      "the same id twice",
      [
        { id: "x", when: "a > 1", reasons: ["r"] },
        { id: "x", when: "a > 2", reasons: ["r"] },
      ],
      {},
      "config-inconsistent",
      /before this one/,
    ],
    [
      "a name that means two things",
      [{ id: "x", when: "a > 1", reasons: ["r"] }],
      { columns: { a: { type: "string" } } },
      "rule-name",
      /two things/,
    ],
  ] as const)("%s", async (_, list, more, code, problem) => {
    const error = await refusal(() => predictorOf(binary(list as unknown as RulesInput["list"], more as object)));
    expect(error.diagnostic.code).toBe(code);
    expect(error.message).toMatch(problem);
    expect(error.diagnostic.place).toMatch(/model\.yaml:\d+:\d+/);
  });
});

it("alone, in batches and in any order, the answers are the same", async () => {
  const predictor = await predictorOf(
    binary([
      { id: "odd", when: "a mod 2 == 1", add: { atLeast: 0.75 } },
      { id: "large", when: "b > 3", override: { label: "genuine" }, reasons: ["b is large"] },
    ]),
  );
  const rows = Array.from({ length: 50 }, (_, i) => ({ a: i % 7, b: i % 5, c: 0 }));
  const together = await predictor.predict(rows, { batch: 8 });
  for (const [i, one] of rows.entries()) expect(await predictor.predict([one])).toEqual([together[i]]);
});

it("the rules' version and digest are part of what the model says it is", async () => {
  const one = binary([{ id: "x", when: "a > 1", reasons: ["r"] }]);
  const other = binary([{ id: "x", when: "a > 2", reasons: ["r"] }]);
  const [first, again, second, none] = await Promise.all([
    predictorOf(one),
    predictorOf(one),
    predictorOf(other),
    predictorOf(linearManifest()),
  ]);
  expect(first.describe().rules).toEqual({ version: "1.0.0", sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
  expect(first.describe().rules).toEqual(again.describe().rules);
  expect(first.describe().rules).not.toEqual(second.describe().rules);
  expect(none.describe().rules).toBeUndefined();
});
