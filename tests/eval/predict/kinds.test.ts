import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readDataset, type EvaluationDataset } from "../../../eval/dataset/read.ts";
import type { RelevantItems } from "../../../eval/dataset/true-value.ts";
import { headColumns } from "../../../eval/predict/head-columns.ts";
import { labelledPredictions } from "../../../eval/predict/labelled.ts";
import { mergeShards } from "../../../eval/predict/merge.ts";
import { predictDataset, type PredictedDataset } from "../../../eval/predict/predict.ts";
import type { ShardResult } from "../../../eval/predict/shard-file.ts";
import type { Manifest, ManifestInput } from "../../../models/core/manifest/manifest.ts";
import type { Predictor } from "../../../models/core/predictor/predictor.ts";
import { modelFolder, predictorOf } from "../../models/core/build.ts";
import { echoToy, rankingToy, seriesToy, spansToy, wordToy, ctcToy, type Toy } from "../../models/core/kinds.ts";
import { folderWith, offlineDeps } from "../dataset/build.ts";

type Labels = NonNullable<ManifestInput["dataset"]>["labels"][string];
type Case = { toy: Toy; label: Labels; more?: object; truth: (i: number) => object };

const cases: Record<string, Case> = {
  ranking: {
    toy: rankingToy(true),
    label: { field: "bought", gains: "worth" },
    truth: (i) => ({
      bought: i % 5 === 0 ? [] : ["a", "b"].slice(0, 1 + (i % 2)),
      worth: i % 5 === 0 ? [] : [3, 1].slice(0, 1 + (i % 2)),
    }),
  },
  origins: {
    toy: seriesToy(true),
    label: { field: "actual", series: "shop", naiveScale: 2, naive2: "plain" },
    truth: (i) => ({ actual: [i, i + 1, i % 4 === 0 ? null : 3, 4], shop: `s${i % 3}`, plain: [10, 20, 30, 40 + i] }),
  },
  steps: {
    toy: seriesToy(true),
    label: { field: "actual", series: "shop", step: "ahead", naive2: "plain" },
    truth: (i) => ({ actual: i, shop: `s${i % 3}`, ahead: 1 + (i % 4), plain: 10 * (1 + (i % 4)) }),
  },
  spans: {
    toy: spansToy(),
    label: { field: "entities" },
    truth: (i) => ({ entities: i % 2 === 0 ? [] : [{ start: 0, end: 2, type: "PER" }] }),
  },
  references: {
    toy: echoToy(),
    label: { field: "said" },
    truth: (i) => ({ said: i % 2 === 0 ? "t1" : ["t1", "t2"] }),
  },
  audio: {
    toy: ctcToy(),
    label: { field: "said", audioSeconds: "seconds" },
    truth: (i) => ({ said: "no", seconds: 1.5 + i }),
  },
  texts: { toy: wordToy(), label: { field: "said" }, truth: () => ({ said: "word 7" }) },
};

type Opened = { manifest: Manifest; dataset: EvaluationDataset; predictor: Predictor; head: string };

async function opened({ toy, label, truth, more = {} }: Case, records?: object[]): Promise<Opened> {
  const head = toy.manifest.postprocess[0]!.name;
  const manifest: ManifestInput = {
    ...toy.manifest,
    dataset: {
      id: "toy",
      files: [{ path: "rows.jsonl" }],
      idField: "id",
      labels: { [head]: label },
      slices: ["parity"],
      ...more,
    },
  };
  const loaded = modelFolder(manifest, toy.files);
  const rows =
    records ?? toy.rows.map((row, i) => ({ id: `r${i}`, ...row, ...truth(i), parity: i % 2 === 0 ? "even" : "odd" }));
  writeFileSync(join(loaded.dir, "rows.jsonl"), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  return {
    manifest: loaded.manifest,
    dataset: await readDataset(loaded.manifest, loaded.dir, offlineDeps(folderWith({}))),
    predictor: await predictorOf(manifest, {}, toy.files),
    head,
  };
}

const nowhere = { cacheDir: null };

describe.each(Object.entries(cases))("predictions of %s", (_, one) => {
  it("are the answers of the model, once cached, in shards, and from their own columns", async () => {
    const own = await opened(one);
    const whole = await predictDataset(own, nowhere);
    const cacheDir = folderWith({});
    const [first, again] = [
      await predictDataset({ ...own, chunkRows: 5 }, { cacheDir }),
      await predictDataset({ ...own, chunkRows: 5 }, { cacheDir }),
    ];
    expect(first.predictions).toEqual(whole.predictions);
    expect(again).toEqual({ ...first, cachedRows: own.dataset.rows.length });

    const count = 3;
    const shards: ShardResult[] = [];
    for (let index = 0; index < count; index++) {
      const shard = { index, count };
      shards.push(shardOf(own, shard, await predictDataset({ ...own, shard }, nowhere)));
    }
    expect(mergeShards(shards.toReversed(), own.dataset).predictions).toEqual(whole.predictions);

    const [column] = headColumns(own.manifest, [own.head]);
    const recovered = column!.recover(whole.predictions[0]!, own.dataset.rows);
    const all = own.dataset.rows.map((__, row) => row);
    expect(labelledPredictions(column!, recovered!, all, own.dataset).predictions).toEqual(whole.predictions[0]);
  });
});

function shardOf(
  { dataset }: Opened,
  shard: { index: number; count: number },
  { predictions, expandedHeads, badRows, from, to }: PredictedDataset,
): ShardResult {
  return {
    predictions,
    manifest: {
      ...shard,
      datasetDigest: dataset.digest,
      modelSha256: "m",
      machine: { arch: "x64", cpuFlags: [], onnxruntime: "1" },
      from,
      to,
      rows: dataset.rows.length,
      datasetBadRows: [],
      refusedRows: badRows,
      expandedHeads,
    },
  };
}

describe("the columns", () => {
  const columns = async (one: Case) => (await predictDataset(await opened(one), nowhere)).predictions[0]!;

  it("of a ranking are relevant items, gains and what was ranked", async () => {
    const { task, answers, scores, labels } = await columns(cases["ranking"]!);
    expect([task, labels.length, scores.length]).toEqual(["ranking", 0, 0]);
    expect(answers).toMatchObject({ kind: "ranking" });
    if (answers?.kind !== "ranking") return;
    expect(answers.relevant.slice(0, 3)).toEqual([[], ["a", "b"], ["a"]]);
    expect(answers.gains!.slice(0, 3)).toEqual([[], [3, 1], [3]]);
    expect(answers.ranked.every((list) => list.length === 4)).toBe(true);
  });

  it("of origins are a row per known step, with quantiles; a series is a cluster", async () => {
    const one = await columns(cases["origins"]!);
    // Step 3 of row 0 is not known.
    expect(one.ids.slice(0, 5)).toEqual(["r0:1", "r0:2", "r0:4", "r1:1", "r1:2"]);
    expect(Array.from(one.labels.slice(0, 5))).toEqual([0, 1, 4, 1, 2]);
    expect(one.groups!.slice(0, 4)).toEqual(["s0", "s0", "s0", "s1"]);
    expect(one.slices["parity"]!.slice(0, 4)).toEqual(["even", "even", "even", "odd"]);
    expect(Array.from(one.naiveScales!.slice(0, 2))).toEqual([2, 2]);
    expect(Array.from(one.forecasts!.steps.slice(0, 4))).toEqual([1, 2, 4, 1]);
    expect(Array.from(one.forecasts!.naive2!.slice(0, 5))).toEqual([10, 20, 40, 10, 20]);
    const { levels, values } = one.forecasts!.quantiles!;
    expect(levels).toEqual([0.1, 0.5, 0.9]);
    one.scores.forEach((score, i) => expect(values[3 * i + 1]).toBe(score));
  });

  it("of a step a row are the forecast of that step", async () => {
    const [steps, origins] = [await columns(cases["steps"]!), await columns(cases["origins"]!)];
    expect(steps.ids.slice(0, 3)).toEqual(["r0", "r1", "r2"]);
    expect(Array.from(steps.forecasts!.steps.slice(0, 3))).toEqual([1, 2, 3]);
    expect(Array.from(steps.forecasts!.naive2!.slice(0, 3))).toEqual([10, 20, 30]);
    const at = origins.ids.indexOf("r1:2");
    expect(steps.scores[1]).toBe(origins.scores[at]);
  });

  it("of a step a row have their series as clusters too, as a file of them would", async () => {
    const steps = await columns(cases["steps"]!);
    expect(steps.groups).toEqual(steps.forecasts!.series);
  });

  it("of spans are lists without texts and scores", async () => {
    const { answers } = await columns(cases["spans"]!);
    if (answers?.kind !== "spans") throw new Error("no spans");
    expect(answers.label.slice(0, 2)).toEqual([[], [{ start: 0, end: 2, type: "PER" }]]);
    expect(answers.predicted.flat().every((span) => Object.keys(span).join() === "start,end,type")).toBe(true);
    expect(answers.predicted.flat().length).toBeGreaterThan(5);
  });

  it("of texts are references, and seconds of audio where the dataset has them", async () => {
    expect(await columns(cases["references"]!)).toMatchObject({
      task: "translation",
      answers: { audioSeconds: null, references: expect.arrayContaining([["t1"], ["t1", "t2"]]) },
    });
    const { answers } = await columns(cases["audio"]!);
    expect(answers).toMatchObject({ kind: "text" });
    if (answers?.kind === "text") expect(Array.from(answers.audioSeconds!.slice(0, 2))).toEqual([1.5, 2.5]);
  });
});

describe("true values", () => {
  const rejected = async (one: Case, record: object) =>
    (await opened({ ...one, more: { maxBadRows: 1, slices: [] } }, [
      { id: "good", ...one.toy.rows[0], ...one.truth(1) },
      { id: "bad", ...one.toy.rows[1], ...one.truth(1), ...record },
    ]).then(({ dataset }) => dataset.badRows)) as { reason: string }[];
  it.each<[string, string, object, RegExp]>([
    ["no list of items", "ranking", { bought: "a" }, /field "bought" is no list: a; e\.g\. \["item-1"/],
    ["an item twice", "ranking", { bought: ["a", "a"], worth: [1, 1] }, /has the item "a" twice/],
    ["too few gains", "ranking", { worth: [] }, /has 0 gains for 2 relevant items/],
    ["a negative gain", "ranking", { worth: [-1, 1] }, /a gain that is no number from 0: -1/],
    ["another number of steps", "origins", { actual: [1] }, /has 1 values, and the head "demand" forecasts 4 steps/],
    ["no known step", "origins", { actual: [null, null, null, null] }, /has no known value/],
    ["a step beyond the horizon", "steps", { ahead: 5 }, /is no step from 1 to 4: 5/],
    ["a span without an end", "spans", { entities: [{ start: 1, type: "PER" }] }, /what is no span/],
    [
      "a span of an unknown type",
      "spans",
      { entities: [{ start: 0, end: 1, type: "ORG" }] },
      /unknown to head "entities" \(PER, LOC\)/,
    ],
    ["no reference", "references", { said: [] }, /is no text and no list of texts/],
    ["audio without a length", "audio", { seconds: 0 }, /is not positive: 0/],
  ])("that are %s make a bad row", async (_, name, record, reason) => {
    expect(await rejected(cases[name]!, record)).toEqual([
      { place: expect.any(String), reason: expect.stringMatching(reason) },
    ]);
  });

  const perItem: Case = {
    ...cases["ranking"]!,
    label: { field: "page", gains: "worth", rows: "items" },
    more: { slices: [] },
  };
  const user = (id: string, page: string, more: object = {}) => ({
    id,
    ...perItem.toy.rows[0],
    page,
    worth: 2,
    ...more,
  });

  it("of several rows of a user become one list", async () => {
    const { dataset } = await opened(perItem, [user("u1", "a"), user("u2", "c"), user("u1", "b")]);
    expect(dataset.rows.map(({ id, labels }) => [id, (labels["pages"] as RelevantItems).items])).toEqual([
      ["u1", ["a", "b"]],
      ["u2", ["c"]],
    ]);
    expect((dataset.rows[0]!.labels["pages"] as RelevantItems).gains).toEqual([2, 2]);
  });

  it.each([
    ["another input", { a: 17 }, /differ in more than their items/],
    ["the same item", { page: "a" }, /the item "a" twice/],
  ])("of a further row with %s make a bad row", async (_, change, reason) => {
    const { dataset } = await opened({ ...perItem, more: { slices: [], maxBadRows: 1 } }, [
      user("u1", "a"),
      user("u1", "b", change),
    ]);
    expect(dataset.badRows[0]!.reason).toMatch(reason);
  });

  it("are not among what the model is given", async () => {
    const { dataset } = await opened(cases["ranking"]!);
    expect(Object.keys(dataset.rows[0]!.row)).toEqual(["id", "a", "b", "c", "seen", "parity"]);
  });

  it("and lists in CSV cells are read as JSON", async () => {
    const toy = rankingToy(true);
    const dataset = {
      id: "toy",
      files: [{ path: "rows.csv" }],
      labels: { pages: { field: "bought" } },
    };
    const loaded = modelFolder({ ...toy.manifest, dataset }, toy.files);
    writeFileSync(join(loaded.dir, "rows.csv"), 'a,b,c,seen,bought\n1,2,3,"[""g""]","[""a"", ""b""]"\n');
    const { rows } = await readDataset(loaded.manifest, loaded.dir, offlineDeps(folderWith({})));
    expect(rows[0]).toMatchObject({ row: { seen: ["g"] }, labels: { pages: { items: ["a", "b"] } } });
  });
});
