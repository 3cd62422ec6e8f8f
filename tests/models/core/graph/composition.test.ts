import { afterAll, describe, expect, it } from "vitest";
import { openPredictor, type Predictor } from "../../../../models/core/predictor/predictor.ts";
import type { LoadedManifest } from "../../../../models/core/predictor/load.ts";
import { rowSchema } from "../../../../models/core/manifest/rows.ts";
import { offline, predictorOf, refusal } from "../build.ts";
import { wordToy } from "../kinds.ts";
import { composition, graphOf, linear, mood } from "./build.ts";

const open: Predictor[] = [];
afterAll(async () => {
  for (const predictor of open) await predictor.close();
});
async function opened(loaded: LoadedManifest): Promise<Predictor> {
  const predictor = await openPredictor(loaded, {}, offline);
  open.push(predictor);
  return predictor;
}
/** 0.5 + a + 10 b + 100 c. */
const line = (a: number, b: number, c: number) => a + 10 * b + 100 * c + 0.5;
const rows = [
  { a: 1, b: 2, c: 3 },
  { a: 0, b: 0, c: 0 },
  { a: -1, b: 5, c: 0.25 },
];
const valuesOf = async (predictor: Predictor, given: readonly object[], head = "value") =>
  (await predictor.predict(given as never)).map((one) =>
    one.ok ? (one.heads[head] as { value: number }).value : one.error.message,
  );

describe("a sequence", () => {
  const twice = graphOf({
    root: {
      sequence: [
        { name: "first", model: "linear" },
        { name: "second", model: "linear", inputs: { a: "first.value.value", b: "b + 1" } },
      ],
    },
  });

  it("hands one model's answer to the next, and the rest of the row as it is", async () => {
    const predictor = await opened(await composition(twice, { linear: linear() }));
    expect(await valuesOf(predictor, rows)).toEqual(rows.map(({ a, b, c }) => line(line(a, b, c), b + 1, c)));
  });

  it("answers with the heads that `answer` names", async () => {
    const loaded = await composition(
      { ...twice, answer: { before: "first.value", after: "second.value" } },
      { linear: linear() },
    );
    const predictor = await opened(loaded);
    expect(await valuesOf(predictor, rows, "before")).toEqual(rows.map(({ a, b, c }) => line(a, b, c)));
    expect(loaded.manifest.postprocess.map(({ name }) => name)).toEqual(["before", "after"]);
  });

  it("names the step whose row is wrong, and goes on with the others", async () => {
    const graph = graphOf({
      root: {
        sequence: [
          { name: "first", model: "linear" },
          { name: "second", model: "narrow", inputs: { a: "first.value.value" } },
        ],
      },
    });
    const narrow = linear({ id: "narrow" });
    (narrow.preprocess["row"] as { columns: Record<string, object> }).columns["a"] = { type: "number", max: 300 };
    const predictor = await opened(await composition(graph, { linear: linear(), narrow }));
    const results = await predictor.predict([rows[1]!, rows[0]!, { a: 1, b: "x", c: 0 }]);
    expect(results.map(({ ok }) => ok)).toEqual([true, false, false]);
    const errors = results.flatMap((one) => (one.ok ? [] : [one.error]));
    expect(errors[0]).toMatchObject({ diagnostic: { step: "second", place: "second.a" } });
    expect(errors[0]!.message).toMatch(/^step second: second\.a: /);
    expect(errors[1]).toMatchObject({ diagnostic: { step: "first", place: "b" } });
  });

  it("is the same alone and in batches, and says so", async () => {
    const predictor = await opened(await composition(twice, { linear: linear() }));
    expect(await predictor.batchParity(rows)).toMatchObject({ ok: true, repeatable: true, rows: 3 });
  });
});

describe("texts", () => {
  it("that one model writes are read by the next, and rows need only what the first reads", async () => {
    const words = wordToy();
    const graph = graphOf(
      {
        root: {
          sequence: [
            { name: "heard", model: "words" },
            { name: "felt", model: "mood", inputs: { text: "heard.word.text" } },
          ],
        },
      },
      { task: "binary-classification", answer: { said: "heard.word", mood: "felt.mood" } },
    );
    const loaded = await composition(graph, { words: { ...words.manifest, id: "words" }, mood: mood() });
    expect(rowSchema(loaded.manifest).safeParse({ text: "t7 t1" }).success).toBe(true);
    expect(Object.keys(loaded.manifest.preprocess)).toEqual(["heard-tokens"]);
    const [written, predictor, next] = [
      await predictorOf(words.manifest),
      await opened(loaded),
      await predictorOf(mood()),
    ];
    for (const row of words.rows) {
      const heads = await predictor.predictOne(row);
      const text = ((await written.predictOne(row))["word"] as { text: string }).text;
      expect(heads["said"]).toMatchObject({ kind: "text", text });
      expect(heads["mood"]).toEqual((await next.predictOne({ text }))["mood"]);
    }
  });
});

describe("a switch", () => {
  it("chooses by a condition over the row and earlier answers", async () => {
    const graph = graphOf({
      root: {
        sequence: [
          { name: "first", model: "linear" },
          { name: "then", node: "choice" },
        ],
      },
      choice: {
        switch: [
          { name: "large", model: "linear", condition: "first.value.value > 100 and a > 0", inputs: { a: "0" } },
          { name: "small", model: "linear", inputs: { c: "0" } },
        ],
      },
    });
    const predictor = await opened(await composition(graph, { linear: linear() }));
    expect(await valuesOf(predictor, rows)).toEqual([line(0, 2, 3), line(0, 0, 0), line(-1, 5, 0)]);
  });

  it("chooses by a label", async () => {
    const graph = graphOf({
      root: { sequence: [{ model: "mood" }, { node: "choice" }] },
      choice: {
        on: "mood.mood.label",
        switch: [
          { label: "positive", name: "up", model: "linear", inputs: { a: "1" } },
          { label: "negative", name: "down", model: "linear", inputs: { a: "0 - 1" } },
        ],
      },
    });
    const texts = Array.from({ length: 60 }, (_, i) => `t${i + 1}`);
    const alone = await predictorOf(mood());
    const results = await alone.predict(texts.map((text) => ({ text })));
    const scores = results.map((one) => (one.ok ? (one.heads["mood"] as { score: number }).score : Number.NaN));
    const threshold = scores.toSorted((x, y) => x - y)[30]!;
    const split = mood();
    Object.assign(split.postprocess[0]!, { threshold });
    const predictor = await opened(await composition(graph, { linear: linear(), mood: split }));
    expect(
      await valuesOf(
        predictor,
        texts.map((text) => ({ text, b: 0, c: 0 })),
      ),
    ).toEqual(scores.map((score) => line(score >= threshold ? 1 : -1, 0, 0)));
  });
});

describe("a cascade", () => {
  const graph = (step: string) =>
    graphOf({
      root: {
        sequence: [
          { name: "quick", model: "linear" },
          { name: "sure", node: "doubt" },
        ],
      },
      doubt: {
        switch: [
          { name: "careful", model: "linear", condition: "quick.value.value > 100", inputs: { a: "1000" } },
          { step },
        ],
      },
    });

  it("keeps an earlier answer without asking again", async () => {
    const predictor = await opened(await composition(graph("quick"), { linear: linear() }));
    const asked: [string, number][] = [];
    const results = await predictor.predict(rows, {
      onStep: ({ step, rows: count }) => void asked.push([step, count]),
    });
    expect(results.map((one) => one.ok && (one.heads["value"] as { value: number }).value)).toEqual([
      line(1000, 2, 3),
      line(0, 0, 0),
      line(-1, 5, 0.25),
    ]);
    expect(asked).toEqual([
      ["quick", 3],
      ["careful", 1],
    ]);
  });

  it("knows no step that has not answered before", async () => {
    const error = await refusal(() => composition(graph("sure"), { linear: linear() }));
    expect(error.message).toMatch(/no step sure has answered before; there are: quick[\s\S]*step: quick/);
  });
});

describe("an ensemble", () => {
  const members = [
    { name: "one", model: "linear", weight: 3 },
    { name: "two", model: "linear", inputs: { a: "a + 4" }, weight: 1 },
  ];
  it.each([
    ["mean", line(1, 2, 3) + 2],
    ["weighted", line(1, 2, 3) + 1],
    ["max", line(1, 2, 3) + 4],
  ] as const)("takes the %s", async (combine, expected) => {
    const predictor = await opened(
      await composition(graphOf({ root: { ensemble: members, combine } }), { linear: linear() }),
    );
    expect(await valuesOf(predictor, [rows[0]!])).toEqual([expected]);
  });

  it("takes an expression over its members", async () => {
    const combine = { expression: "two.value.value - one.value.value + a" };
    const predictor = await opened(
      await composition(graphOf({ root: { ensemble: members, combine } }), { linear: linear() }),
    );
    expect(await valuesOf(predictor, rows)).toEqual([5, 4, 3]);
  });
});

describe("a splitter", () => {
  const graph = (shares: number[]) =>
    graphOf(
      {
        root: {
          key: "user",
          splitter: [
            { name: "old", model: "linear", weight: shares[0]! },
            { name: "new", model: "linear", inputs: { a: "1000" }, weight: shares[1]! },
          ],
        },
      },
      { columns: { user: { type: "string" } } },
    );
  const users = Array.from({ length: 2000 }, (_, i) => ({ user: `u${i}`, a: 0, b: 0, c: 0 }));

  it("gives each key one arm, in the shares of the weights, and moves few keys when these change", async () => {
    const arms = async (shares: number[]) =>
      valuesOf(await opened(await composition(graph(shares), { linear: linear() })), users);
    const [before, again, after] = [await arms([3, 1]), await arms([75, 25]), await arms([2, 2])];
    expect(again).toEqual(before);
    const share = (values: unknown[]) => values.filter((value) => value === 1000.5).length / values.length;
    expect(share(before)).toBeCloseTo(0.25, 1);
    expect(share(after)).toBeCloseTo(0.5, 1);
    // Whoever had the new one keeps it.
    expect(before.every((value, i) => value === 0.5 || after[i] === value)).toBe(true);
  });

  it("refuses a row without a key", async () => {
    const predictor = await opened(await composition(graph([1, 1]), { linear: linear() }));
    const [value] = await valuesOf(predictor, [{ a: 1, b: 1, c: 1 }]);
    expect(value).toMatch(/step root: user: no key to choose an arm by/);
  });
});

describe("a composition in a composition", () => {
  it("answers, and errors name the whole way", async () => {
    const inner = { ...graphOf({ root: { sequence: [{ name: "base", model: "linear" }] } }), id: "inner" };
    const outer = graphOf({ root: { sequence: [{ name: "deep", model: "inner" }] } });
    const predictor = await opened(await composition(outer, { linear: linear(), inner }));
    expect(await valuesOf(predictor, rows)).toEqual(rows.map(({ a, b, c }) => line(a, b, c)));
    expect((await valuesOf(predictor, [{ a: "x", b: 0, c: 0 }]))[0]).toMatch(/^step deep\/base: a: /);
  });
});

describe("what a composition is", () => {
  const graph = graphOf({ root: { sequence: [{ model: "mood" }, { model: "linear" }] } });

  it("depends on every step's content and on nothing that only describes it", async () => {
    const digest = async (models: Record<string, object>, own = graph) =>
      (await composition(own, models)).manifest.artifact.sha256;
    const first = await digest({ mood: mood(), linear: linear() });
    expect(await digest({ mood: mood({ description: "other", version: "2.0.0" }), linear: linear() })).toBe(first);
    const other = mood({ preprocess: { tokens: { kind: "text", tokenizer: "tokenizer.json", maxTokens: 16 } } });
    expect(await digest({ mood: other, linear: linear() })).not.toBe(first);
    expect(await digest({ mood: mood(), linear: linear() }, { ...graph, description: "x" } as object)).toBe(first);
  });

  it("reads the fields of its steps that are not handed on", async () => {
    const loaded = await composition(graph, { mood: mood(), linear: linear() });
    expect(Object.keys(loaded.manifest.preprocess)).toEqual(["mood-tokens", "linear-row"]);
    const predictor = await opened(loaded);
    const [features] = await predictor.features([{ text: "t1 t2 t3", a: 1, b: 2, c: 3 }]);
    expect([...features!].slice(-3)).toEqual([1, 2, 3]);
    expect(predictor.describe()).toMatchObject({
      id: "both",
      steps: [
        { step: "mood", model: "mood" },
        { step: "linear", model: "linear" },
      ],
    });
  });
});

describe("what is wrong with a graph is said when it is read", () => {
  const models = { linear: linear(), mood: mood() };
  const text = { sequence: [{ model: "mood" }, { model: "linear" }] };
  it.each([
    [
      "a missing model",
      { root: { sequence: [{ model: "moood" }] } },
      /there is no model moood[\s\S]*steps\/moood, \.\.\/moood/,
    ],
    ["itself", { root: { sequence: [{ model: "both" }] } }, /a part of itself: both → both/],
    [
      "a field that the model has not",
      { root: { sequence: [{ model: "mood", inputs: { txt: "text" } }] } },
      /model\.yaml:\d+:\d+ nodes\.root\.sequence\[0\]\.inputs\.txt: mood has no field "txt"; it has: text/,
    ],
    [
      "a label where a number belongs",
      { root: { sequence: [{ model: "mood" }, { model: "linear", inputs: { a: "mood.mood.label" } }] } },
      /`mood\.mood\.label` is a text, and the field a of linear takes a number/,
    ],
    [
      "an answer that comes only later",
      { root: { sequence: [{ model: "linear", inputs: { a: "mood.mood.score" } }, { model: "mood" }] } },
      /unknown value mood\.mood\.score/,
    ],
    [
      "a branch for a label that there is not",
      {
        root: { sequence: [{ model: "mood" }, { node: "choice" }] },
        choice: {
          on: "mood.mood.label",
          switch: [
            { label: "happy", model: "linear" },
            { name: "rest", model: "linear" },
          ],
        },
      },
      /no row reaches this branch: mood\.mood\.label is never "happy", only negative, positive/,
    ],
    [
      "a label without a branch",
      {
        root: { sequence: [{ model: "mood" }, { node: "choice" }] },
        choice: {
          on: "mood.mood.label",
          switch: [
            { label: "positive", model: "linear" },
            { label: "positive", name: "again", model: "linear" },
          ],
        },
      },
      /branch 1 takes what it would/,
    ],
    [
      "a condition that is no truth",
      {
        root: {
          switch: [
            { condition: "a + 1", model: "linear" },
            { name: "rest", model: "linear" },
          ],
        },
      },
      /`a \+ 1` is a number, not true or false/,
    ],
    [
      "members that answer different questions",
      { root: { ensemble: [{ model: "linear" }, { model: "mood" }] } },
      /no head in common: linear answers value; mood answers mood/,
    ],
    [
      "a vote over values",
      { root: { ensemble: [{ model: "linear" }, { name: "b", model: "linear" }], combine: "vote" } },
      /`vote` combines no answers of the kind regression/,
    ],
    [
      "an unknown key",
      {
        root: {
          key: "usr",
          splitter: [
            { model: "linear", weight: 1 },
            { name: "b", model: "linear", weight: 1 },
          ],
        },
      },
      /no field "usr"/,
    ],
  ] as const)("%s", async (_, nodes, message) => {
    const error = await refusal(() => composition(graphOf(nodes as never), models));
    expect(error.message).toMatch(message);
  });

  it("a composition that grows without end, or has too many nodes", async () => {
    const step = (model: string) => ({ name: `of_${model}`, model });
    const layers = Object.fromEntries(
      Array.from({ length: 9 }, (_, i) => ["a", "b"].map((side) => [`${side}${i}`, i] as const))
        .flat()
        .map(([id, i]) => [
          id,
          { ...graphOf({ root: { sequence: (i === 0 ? ["linear"] : [`a${i - 1}`, `b${i - 1}`]).map(step) } }), id },
        ]),
    );
    const wide = graphOf({ root: { sequence: [step("a8"), step("b8")] } });
    const error = await refusal(() => composition(wide, { ...layers, linear: linear() }));
    expect(error.message).toMatch(/more than 64 models, those of its models included/);
    const many = Object.fromEntries(
      Array.from({ length: 5000 }, (_, i) => [
        i === 0 ? "root" : `n${i}`,
        { sequence: [{ name: `s${i}`, node: `n${i + 1}` }] },
      ]),
    );
    expect((await refusal(() => composition(graphOf(many), {}))).message).toMatch(/5000 nodes; at most 100 are taken/);
  });

  it("names the exam's places too", async () => {
    const graph = graphOf({ root: text }, {
      dataset: { id: "d", files: [{ path: "d.jsonl" }], labels: { vale: { field: "y" } } },
    } as never);
    const error = await refusal(() => composition(graph, models));
    expect(error.message).toMatch(/model\.yaml:\d+:\d+ dataset\.labels\.vale: .*no head "vale"; there are: value/);
  });
});
