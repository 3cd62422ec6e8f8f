import { describe, expect, it } from "vitest";
import { ConfigurationError } from "../../../models/core/errors.ts";
import { answerOf, headsWriter } from "../../../models/core/postprocess/heads-json.ts";
import { rankingDifference } from "../../../models/core/postprocess/ranking-difference.ts";
import { tieOrder } from "../../../models/core/postprocess/tie-order.ts";
import type { RankingResult, SeriesResult, SpansResult, TextResult } from "../../../models/core/postprocess/result.ts";
import { readWordLabels, spansOfLabels } from "../../../models/core/postprocess/word-labels.ts";
import { linearManifest, modelFolder, predictorOf, refusal, sha256 } from "./build.ts";
import { ctcToy, echoToy, itemIds, rankingToy, seriesToy, spansToy, topToy, toys, wordToy, type Toy } from "./kinds.ts";

const open = (toy: Toy) => predictorOf(toy.manifest, {}, toy.files);

describe.each(Object.entries(toys))("%s", (_, toy) => {
  it("answers a row the same alone and in any batch", async () => {
    const predictor = await open(toy);
    const alone = [];
    for (const row of toy.rows) alone.push(await predictor.predictOne(row));
    for (const batch of [3, toy.rows.length]) {
      const together = await predictor.predict(toy.rows, { batch });
      expect(together).toEqual(alone.map((heads) => ({ ok: true, heads })));
    }
    expect(await predictor.batchParity(toy.rows)).toMatchObject({ ok: true, repeatable: true });
  });

  it("is written as JSON.stringify would write it", async () => {
    const { postprocess } = modelFolder(toy.manifest, toy.files).manifest;
    const predictor = await open(toy);
    for (const row of toy.rows) {
      const results = await predictor.predictOne(row);
      expect(headsWriter(postprocess)(results)).toBe(JSON.stringify(answerOf(postprocess, results)));
    }
  });
});

describe("a ranking", () => {
  const ask = async (toy: Toy, row: Record<string, unknown>) =>
    ((await (await open(toy)).predictOne(row))["pages"] as RankingResult).items;
  /** Score of item j of the fixture. */
  const score = ({ a, b, c }: { a: number; b: number; c: number }, j: number) => (j % 2 === 0 ? a : b) + c * j;

  it.each([true, false])(
    "is the best items by score, without those that were seen (ids from the graph: %s)",
    async (named) => {
      const toy = rankingToy(named);
      for (const row of toy.rows.slice(0, 12) as { a: number; b: number; c: number; seen: string[] }[]) {
        if (row.c === 0) continue;
        const expected = itemIds
          .map((id, j) => ({ id, score: score(row, j) }))
          .toSorted((x, y) => y.score - x.score)
          .filter(({ id }) => !row.seen.includes(id))
          .slice(0, 4);
        const found = await ask(toy, row);
        expect(found.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
        expect(found.map(({ title }) => title)).toEqual(expected.map(({ id }) => `Item ${id}`));
        found.forEach((one, i) => expect(one.score).toBeCloseTo(expected[i]!.score, 4));
      }
    },
  );

  it("breaks ties by the hash of the id, so not by the order of the catalogue or of the ids", async () => {
    // Even rows of the catalogue (h, f, d, b) all score 1, odd ones (g, e, c, a) 0.
    const found = await ask(rankingToy(false, { k: 6 }), { a: 1, b: 0, c: 0, seen: [] });
    const byHash = (ids: string[]) => ids.toSorted((x, y) => (sha256(x) < sha256(y) ? -1 : 1));
    const expected = [...byHash(["b", "d", "f", "h"]), ...byHash(["a", "c", "e", "g"])].slice(0, 6);
    expect(found.map(({ id }) => id)).toEqual(expected);
    // printf %s ID | sha256sum: h aaa9, d 18ac, f 252f, b 3e23.
    expect(expected.slice(0, 4)).toEqual(["d", "f", "b", "h"]);
  });

  it("gains nothing by scoring all items alike, in a catalogue sorted by popularity and numbered in that order", () => {
    // Item i is bought 2000 / (i + 1) times, so that its first ten are the popularity model's list.
    const ids = Array.from({ length: 1000 }, (_, i) => String(i + 1).padStart(4, "0"));
    const [isEarlier, computedLate] = [tieOrder(ids, true), tieOrder(ids, false)];
    const places = ids.map((_, i) => i).toSorted((a, b) => (isEarlier(a, b) ? -1 : 1));
    expect(places.every((place, i) => i === 0 || computedLate(places[i - 1]!, place))).toBe(true);
    const bought = (items: number[]) => items.reduce((sum, i) => sum + 2000 / (i + 1), 0);
    const everything = bought(ids.map((_, i) => i));
    expect(bought(ids.slice(0, 10).map((_, i) => i)) / everything).toBeGreaterThan(0.35);
    // Ten of a thousand at random have 1 %.
    expect(bought(places.slice(0, 10)) / everything).toBeLessThan(0.03);
  });

  const row = { a: 1, b: 2, c: 3 };
  it.each([
    ["no list of what was seen", row, /seen: the list of items to exclude is missing/],
    ["a list of something else", { ...row, seen: [1.5] }, /seen\[0\]: not an item id/],
    ["a text in its place", { ...row, seen: "a" }, /seen: not a list/],
  ])("refuses %s, and only that row", async (_, bad, words) => {
    const toy = rankingToy(true);
    const [first, second] = await (await open(toy)).predict([bad, toy.rows[0]!]);
    expect(first).toMatchObject({ ok: false, error: { message: expect.stringMatching(words) } });
    expect(second).toMatchObject({ ok: true });
  });

  it("ignores an excluded item that the catalogue no longer has", async () => {
    expect(await ask(rankingToy(true), { ...row, seen: ["gone", 7] })).toHaveLength(4);
  });

  it("says so when too few items are left", async () => {
    const error = await refusal(() => ask(rankingToy(true), { ...row, seen: ["a", "b", "c", "d"] }));
    expect(error).toMatchObject({
      code: "ranking-short",
      diagnostic: { received: "2: 6 of the graph, 4 excluded by the row" },
    });
  });

  const swapped = (outputs: object): Toy => {
    const toy = rankingToy(true);
    return {
      ...toy,
      manifest: {
        ...toy.manifest,
        outputs: [...toy.manifest.outputs, { name: "scores", dtype: "float32", shape: ["batch", 8] }],
        postprocess: [{ ...toy.manifest.postprocess[0]!, exclude: undefined, ...outputs } as never],
      },
    };
  };
  it.each([
    ["scores as ids", { ids: "best_scores" }, "ranking-id"],
    ["ids as scores", { scores: "best_items" }, "ranking-order"],
    ["scores of another number of items", { scores: "scores" }, "output-size"],
  ])("refuses %s", async (_, outputs, code) => {
    const toy = swapped(outputs);
    expect(await refusal(async () => (await open(toy)).predictOne({ ...row, a: 2.5, c: -1 }))).toMatchObject({ code });
  });

  const withItems = (text: string, path = "items.jsonl", head: object = {}): Toy => ({
    ...rankingToy(false, { catalogue: { path, sha256: sha256(text), id: "item" }, ...head }),
    files: { [path]: text },
  });
  const lines = (ids: (string | number)[]) => ids.map((item) => JSON.stringify({ item })).join("\n");
  it.each([
    ["fewer items than the graph scores", withItems(lines([1, 2, 3, 4, 5])), "8 items, one per column of scores"],
    ["fewer items than k", withItems(lines([1, 2])), "at least 4 items"],
    ["an id twice", withItems(lines([1, 2, 3, 4, 5, 6, 7, 7])), "every id once"],
    ["an item without an id", withItems(lines([1, 2, 3, 4, 5, 6, 7, 1.5])), 'whole number in its field "item"'],
    ["no JSON", withItems("{"), "a file ending in .csv, .jsonl or .json"],
    ["an unknown ending", withItems("x", "items.xml"), "a file ending in .csv, .jsonl or .json"],
  ])("refuses a catalogue with %s before anything runs", async (_, toy, expected) => {
    const error = await refusal(() => open(toy));
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error.diagnostic.expected).toContain(expected);
    expect(error.diagnostic.place).toContain("model.yaml:");
  });

  it("refuses another catalogue than the manifest names", async () => {
    const toy = { ...rankingToy(false), files: { "items.jsonl": lines([1, 2, 3, 4, 5, 6, 7, 8]) } };
    expect(await refusal(() => open(toy))).toMatchObject({ code: "artifact-digest" });
  });

  it("reads a CSV and a JSON catalogue too", async () => {
    const csv = `item,name\n${itemIds.map((id) => `${id},"Item, ${id}"`).join("\n")}\n`;
    const found = await ask(withItems(csv, "items.csv"), { ...row, seen: [] });
    expect(
      await ask(withItems(JSON.stringify(itemIds.map((item) => ({ item }))), "items.json"), { ...row, seen: [] }),
    ).toEqual(found);
  });
});

describe("the difference of two rankings", () => {
  const list = (...pairs: [string, number][]) => pairs.map(([id, score]) => ({ id, score }));
  it.each([
    ["none", list(["a", 2], ["b", 1]), list(["a", 2], ["b", 1]), 0],
    ["a score", list(["a", 2.3], ["b", 1]), list(["a", 2], ["b", 1]), 0.1],
    ["a tie in another order", list(["a", 1], ["b", 1]), list(["b", 1], ["a", 1]), 0],
    ["a tie at the cut", list(["a", 2], ["b", 1]), list(["a", 2], ["c", 1]), 0],
    ["an item far above the cut", list(["c", 3], ["a", 2]), list(["a", 2], ["b", 1]), 1],
    ["another length", list(["a", 2]), list(["a", 2], ["b", 1]), Infinity],
    ["nothing", [], [], 0],
  ])("%s", (_, first, other, expected) => {
    expect(rankingDifference(first, other)).toBeCloseTo(expected, 12);
  });
});

describe("a forecast", () => {
  const history = [2, 4, 6, 8, 10, 13];
  const ask = async (toy: Toy) => (await (await open(toy)).predictOne({ history }))["demand"] as SeriesResult;

  it("has a value per step", async () => {
    expect(await ask(seriesToy(false))).toEqual({ kind: "series", values: [16, 19, 22, 25] });
  });

  it("has its quantiles by level, and the middle one is the point", async () => {
    expect(await ask(seriesToy(true))).toEqual({
      kind: "series",
      values: [16, 19, 22, 25],
      quantiles: [
        { level: 0.1, values: [14, 15, 16, 17] },
        { level: 0.5, values: [16, 19, 22, 25] },
        { level: 0.9, values: [18, 23, 28, 33] },
      ],
    });
  });

  it("undoes the training transform of every number", async () => {
    const inverse = [{ kind: "affine", scale: 2, offset: 1 }];
    expect((await ask(seriesToy(true, { inverse }))).quantiles![0]!.values).toEqual([29, 31, 33, 35]);
  });

  it("with quantiles that cross is refused, or sorted where the manifest says so", async () => {
    const negative = { history: [-2, ...history.slice(1)] };
    const error = await refusal(async () => (await open(seriesToy(true))).predictOne(negative));
    expect(error).toMatchObject({
      code: "quantiles-cross",
      diagnostic: { received: "18 at level 0.1 and 16 at level 0.5, step 1" },
    });
    const sorted = await (await open(seriesToy(true, { crossing: "sort" }))).predictOne(negative);
    expect((sorted["demand"] as SeriesResult).quantiles!.map(({ values }) => values[0])).toEqual([14, 16, 18]);
  });

  describe("with observed values", () => {
    const flag = { observed: "seen", level: 0.8 };
    const flaggedOf = async (seen: unknown) =>
      ((await (await open(seriesToy(true, { flag }))).predictOne({ history, seen }))["demand"] as SeriesResult).flagged;

    it("flags those outside the interval, whose ends are inside, and skips what is not known", async () => {
      expect(await flaggedOf([13.9, null, 28])).toEqual([{ step: 1, value: 13.9, low: 14, high: 18 }]);
      expect(await flaggedOf([18, 15, 28.1])).toEqual([{ step: 3, value: 28.1, low: 16, high: 28 }]);
    });

    it.each([[undefined], [null]])("says nothing where there are none (%s)", async (seen) => {
      expect(await flaggedOf(seen)).toBeUndefined();
    });

    it.each([
      ["a number", 7, "seen"],
      ["more than are forecast", [1, 2, 3, 4, 5], "seen"],
      ["a text", [14, "15"], "seen[1]"],
    ])("refuses %s", async (_, seen, field) => {
      expect(await refusal(() => flaggedOf(seen))).toMatchObject({ code: "bad-row", field });
    });
  });

  it.each([
    ["an interval that is not forecast", { flag: { observed: "seen", level: 0.9 } }, "head-flag"],
    ["levels that fall", { quantiles: [0.9, 0.5, 0.1] }, "head-quantiles"],
    ["levels without the middle", { quantiles: [0.1, 0.2, 0.9] }, "head-quantiles"],
    ["another horizon than the graph", { horizon: 5 }, "head-width"],
  ])("refuses %s before anything runs", async (_, head, code) => {
    expect(await refusal(() => open(seriesToy(true, head)))).toMatchObject({ code });
  });
});

describe("spans", () => {
  const ask = async (text: string, head: object = {}) =>
    ((await (await open(spansToy(head))).predictOne({ text }))["entities"] as SpansResult).spans.map(
      ({ start, end, type, text: piece }) => [start, end, type, piece],
    );

  it("are runs of words, with offsets in the text as it came", async () => {
    expect(await ask("t1  t2 t3\tt4 t5 t1")).toEqual([
      [4, 9, "PER", "t2 t3"],
      [10, 15, "LOC", "t4 t5"],
    ]);
  });

  it("count offsets in UTF-16 code units, and words that the tokenizer does not know", async () => {
    // The unknown word has the label of its token, which is O.
    expect(await ask("𝒳é t2")).toEqual([[4, 6, "PER", "t2"]]);
  });

  it("have the mean probability of their words", async () => {
    const { spans } = (await (await open(spansToy())).predictOne({ text: "t2 t3" }))["entities"] as SpansResult;
    expect(spans[0]!.score).toBeCloseTo(Math.exp(4) / (Math.exp(4) + 4), 12);
  });

  it("say where the model stopped reading", async () => {
    const text = Array.from({ length: 40 }, () => "t2").join(" ");
    const result = (await (await open(spansToy())).predictOne({ text }))["entities"] as SpansResult;
    // 30 words and two special tokens fill the 32.
    expect(result.spans).toHaveLength(30);
    expect(result.readTo).toBe(90);
  });

  it("are none in an empty text", async () => {
    expect(await ask("   ")).toEqual([]);
  });

  it.each([
    ["a label of no form", { labels: ["O", "PER", "I-PER", "B-LOC", "I-LOC"] }],
    ["no label outside", { labels: ["I-O", "B-PER", "I-PER", "B-LOC", "I-LOC"] }],
    ["a label twice", { labels: ["O", "B-PER", "B-PER", "B-LOC", "I-LOC"] }],
  ])("refuse %s", async (_, head) => {
    expect(await refusal(() => open(spansToy(head)))).toMatchObject({ code: "head-labels" });
  });

  it("refuse another number of labels than the graph has", async () => {
    const error = await refusal(() => ask("t1", { labels: ["O", "B-PER", "I-PER"] }));
    expect(error).toMatchObject({ code: "output-size" });
  });
});

describe("words' labels as spans", () => {
  const spans = (...labels: string[]) => {
    const known = [...new Set([...labels, "O", "I-X"])];
    const read = readWordLabels(known, "h", () => "");
    return spansOfLabels(labels.map((label) => read[known.indexOf(label)]!)).map(
      ({ first, last, type }) => `${type} ${first}-${last}`,
    );
  };
  // What seqeval 1.2.2 gives in its default mode, except for L and U, which it does not know.
  it.each([
    [["B-A", "I-A", "O"], ["A 0-1"]],
    [["I-A", "I-A"], ["A 0-1"]],
    [["O", "I-A"], ["A 1-1"]],
    [
      ["B-A", "B-A"],
      ["A 0-0", "A 1-1"],
    ],
    [
      ["B-A", "I-B"],
      ["A 0-0", "B 1-1"],
    ],
    [
      ["B-A", "E-A", "I-A"],
      ["A 0-1", "A 2-2"],
    ],
    [
      ["S-A", "I-A"],
      ["A 0-0", "A 1-1"],
    ],
    [
      ["S-A", "S-A"],
      ["A 0-0", "A 1-1"],
    ],
    [
      ["B-A", "L-A", "U-A"],
      ["A 0-1", "A 2-2"],
    ],
    [["O", "O"], []],
  ])("%j", (labels, expected) => {
    expect(spans(...labels)).toEqual(expected);
  });
});

describe("a text", () => {
  const ask = async (toy: Toy, text: string) =>
    (await (await open(toy)).predictOne({ text }))[toy.manifest.postprocess[0]!.name] as TextResult;

  it("ends at the end's id, without special tokens", async () => {
    expect(await ask(echoToy(), "t5 t1")).toEqual({ kind: "text", text: "t5 t1", finishReason: "stop", usage: null });
  });

  it("without its end says that it was not ended", async () => {
    expect(await ask(echoToy({ end: 60 }), "t5")).toMatchObject({ finishReason: "length" });
  });

  it("of CTC frames merges repeats, then drops blanks", async () => {
    // Special tokens are blanks: _ n n _ n o o a _
    expect((await ask(ctcToy(), "t2 t7 t1 t2 t3 t8 t4")).text).toBe("nnoa");
  });

  it("may come from the graph as it is", async () => {
    expect((await ask(wordToy(), "t7 t1")).text).toBe("word 7");
  });

  const head = {
    vocabulary: {
      path: "vocabulary.json",
      sha256: ctcToy().manifest.postprocess[0]!["vocabulary" as never]["sha256" as never],
    },
  };
  it.each([
    ["ids and nothing that names them", echoToy({ tokenizer: undefined })],
    ["a tokenizer and a vocabulary", echoToy(head)],
    ["a text and a vocabulary", wordToy(head)],
  ])("refuses %s", async (_, toy) => {
    expect(await refusal(() => open(toy))).toMatchObject({ code: "head-text" });
  });

  it("refuses an id that has no token", async () => {
    const error = await refusal(() => ask(echoToy({ tokenizer: undefined, ...head }), "t5"));
    expect(error).toMatchObject({ code: "text-id", diagnostic: { received: "61 at position 0" } });
  });
});

describe("a classification with top", () => {
  it("answers the most probable labels and measures all", async () => {
    const toy = topToy();
    const results = await (await open(toy)).predictOne({ a: 1, b: 3, c: 2 });
    expect(Object.keys((results["kind"] as { probabilities: object }).probabilities)).toEqual(["x", "y", "z"]);
    const { postprocess } = modelFolder(toy.manifest, toy.files).manifest;
    expect(answerOf(postprocess, results)).toEqual({
      kind: {
        kind: "classification",
        label: "y",
        score: expect.closeTo(0.6652, 4),
        top: [
          { label: "y", score: expect.closeTo(0.6652, 4) },
          { label: "z", score: expect.closeTo(0.2447, 4) },
        ],
      },
    });
  });
});

describe("the manifest", () => {
  it.each(["ranking", "token-classification", "translation", "multiclass-classification"] as const)(
    "refuses the task %s without a head that answers it",
    async (task) => {
      const error = await refusal(() => modelFolder(linearManifest({ task })));
      expect(error.message).toMatch(/has none/);
      expect(error.message).toContain("example:  task: regression");
    },
  );

  it.each([
    [
      "spans without a text",
      { ...linearManifest(), postprocess: spansToy().manifest.postprocess },
      "no step reads one",
    ],
    ["an output that is not there", rankingToy(true, { ids: "best_item" }).manifest, 'no output "best_item"'],
    [
      "gains of a head that ranks nothing",
      {
        ...linearManifest(),
        dataset: { id: "d", files: [{ path: "d.jsonl" }], labels: { value: { field: "y", gains: "g" } } },
      },
      "`gains` belongs to a head of kind ranking",
    ],
    [
      "items as rows without a user",
      {
        ...rankingToy(true).manifest,
        dataset: {
          id: "d",
          files: [{ path: "d.jsonl" }],
          labels: { pages: { field: "item", rows: "items" as const } },
        },
      },
      "idField: user",
    ],
  ])("refuses %s", async (_, manifest, words) => {
    expect((await refusal(() => modelFolder(manifest))).message).toContain(words);
  });
});
