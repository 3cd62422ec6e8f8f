import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { openPredictor, type OpenOptions, type Predictor } from "../../../../models/core/predictor/predictor.ts";
import { compilePipeline } from "../../../../models/core/predictor/pipeline.ts";
import { readModelFiles } from "../../../../models/core/predictor/model-files.ts";
import type { Row } from "../../../../models/core/row.ts";
import { offline, refusal } from "../build.ts";
import { cardFolder, cardManifest } from "./models.ts";
import { day, digestOf, hour, noon, storeOf, tableOf } from "./tables.ts";

const events = [
  { key: "known", at: noon - 40 * day, values: [1, 1] },
  { key: "known", at: noon - 2 * day, values: [2, 3] },
  { key: "known", at: noon + hour, values: [1000, 1000] },
  { key: "half", at: noon - day, values: [5, null] },
  { key: "7", at: noon - day, values: [7, 0] },
];
const table = tableOf(["spend", "visits"], events);
const at = new Date(noon).toISOString();

const open: Predictor[] = [];
afterAll(async () => {
  for (const one of open) await one.close();
});
async function predictorOf(manifest: ReturnType<typeof cardManifest>, options: OpenOptions = {}, file = table) {
  const predictor = await openPredictor(cardFolder(manifest, file), options, offline);
  open.push(predictor);
  return predictor;
}
const valueOf = (answer: Awaited<ReturnType<Predictor["predict"]>>[number]) =>
  answer.ok ? (answer.heads["value"] as { value: number }).value : answer.error.message;

describe("a look-up", () => {
  it("gives the features of the row's time, and nothing from after it", async () => {
    const predictor = await predictorOf(cardManifest(table));
    const ask = async (time: number) =>
      valueOf((await predictor.predict([{ card_id: "known", amount: 1, at: time }]))[0]!);
    expect(await ask(noon - 40 * day)).toBe(1 + 10 + 100.5);
    expect(await ask(noon - 2 * day - 1)).toBe(1 + 10 + 100.5);
    expect(await ask(noon)).toBe(2 + 30 + 100.5);
    expect(await ask(noon + hour - 1)).toBe(2 + 30 + 100.5);
    expect(await ask(noon + hour)).toBe(1000 + 10_000 + 100.5);
    expect(await ask(noon - 41 * day)).toMatch(
      /card_id: no features of this key at this time, and card.spend is needed/,
    );
  });

  it("asks about now where the row has no time", async () => {
    const predictor = await predictorOf(cardManifest(table, { time: undefined as never }));
    expect(valueOf((await predictor.predict([{ card_id: "known", amount: 1, at }]))[0]!)).toBe(11_100.5);
  });

  it("takes a whole number as the key that is written the same", async () => {
    const predictor = await predictorOf(cardManifest(table));
    expect(
      (
        await predictor.predict([
          { card_id: 7, amount: 0, at },
          { card_id: "7", amount: 0, at },
        ])
      ).map(valueOf),
    ).toEqual([7.5, 7.5]);
  });

  it.each<[string, Row, RegExp]>([
    ["no key", { amount: 1, at }, /card_id: the key is missing.*the row has amount, at/s],
    ["an empty key", { card_id: "", amount: 1, at }, /card_id: not a key/],
    ["a fraction as key", { card_id: 1.5, amount: 1, at }, /card_id: not a key/],
    [
      "a time without zone",
      { card_id: "known", amount: 1, at: "2026-01-15T12:00:00" },
      /at: not a point in time.*zone/s,
    ],
    ["seconds as time", { card_id: "known", amount: 1, at: noon / 1000 }, /at: not a point in time/],
    ["no amount", { card_id: "known", at }, /amount: the value is missing/],
  ])("refuses a row with %s, and only that row", async (_, row, message) => {
    const predictor = await predictorOf(cardManifest(table));
    const answers = await predictor.predict([row, { card_id: "known", amount: 1, at }]);
    expect(valueOf(answers[0]!)).toMatch(message);
    expect(valueOf(answers[1]!)).toBe(132.5);
  });

  it("of a missing feature does what its policy says, and a note tells why", async () => {
    const predictor = await predictorOf(
      cardManifest(table, {
        missing: { fill: 0 },
        ttl: "30d",
        features: { spend: {}, visits: { missing: { fill: -1 } } },
      }),
    );
    const answers = await predictor.predict(
      [
        { card_id: "stranger", amount: 1, at },
        { card_id: "half", amount: 1, at },
        { card_id: "known", amount: 1, at },
        { card_id: "known", amount: 1, at: noon - 5 * day },
      ],
      { batch: 2 },
    );
    expect(answers.map(valueOf)).toEqual([90.5, 95.5, 132.5, 90.5]);
    expect(answers.map((one) => (one.ok ? one.notes : null))).toEqual([
      [
        {
          field: "card",
          problem: "no features of this key at this time",
          used: "spend 0, visits -1",
          lookup: "unknown",
        },
      ],
      [
        {
          field: "card",
          problem: "some features of this key have no value",
          used: "spend 0, visits -1",
          lookup: "null",
        },
      ],
      undefined,
      [
        {
          field: "card",
          problem: "the features of this key are older than 30d",
          used: "spend 0, visits -1",
          lookup: "stale",
        },
      ],
    ]);
  });

  it("keeps a value that is as old as ttl allows, and none that is older", async () => {
    const predictor = await predictorOf(cardManifest(table, { ttl: "3d" }));
    const ask = async (time: number) =>
      valueOf((await predictor.predict([{ card_id: "known", amount: 1, at: time }]))[0]!);
    expect(await ask(noon)).toBe(2 + 30 + 100.5);
    expect(await ask(noon - 40 * day + 3 * day)).toBe(1 + 10 + 100.5);
    expect(await ask(noon - 40 * day + 3 * day + 1)).toMatch(/older than 3d/);
  });

  it("hands NaN to the graph only where the policy says so, alone and in a batch, on both paths", async () => {
    const loaded = cardFolder(
      cardManifest(table, { missing: "reject", features: { spend: {}, visits: { missing: "nan" } } }),
      table,
    );
    const { steps: files } = await readModelFiles(loaded);
    const pipeline = compilePipeline(loaded, files);
    const rows = [{ card_id: "half", amount: 1, at }];
    const found = await pipeline.lookUp!(rows, noon);
    const general = pipeline.feeds([await pipeline.prepare(rows[0]!, found.at(0))]);
    const direct = pipeline.direct!.begin(1);
    direct.put(rows[0]!, 0, found.at(0));
    expect(general["features"]!.data).toEqual(Float32Array.of(5, NaN, 1));
    expect(direct.feeds(1)["features"]!.data).toEqual(Float32Array.of(5, NaN, 1));
    expect((await pipeline.lookUp!([{ card_id: "stranger", amount: 1, at }], noon)).error(0)!.message).toMatch(
      /card.spend is needed/,
    );
  });

  it("answers the same alone and in batches of any size", async () => {
    const predictor = await predictorOf(cardManifest(table, { missing: { fill: 4 } }));
    const rows = Array.from({ length: 40 }, (_, i) => ({
      card_id: ["known", "half", "stranger", "7"][i % 4]!,
      amount: i,
      at: noon + (i - 20) * day,
    }));
    const alone = [];
    for (const row of rows) alone.push((await predictor.predict([row]))[0]);
    for (const batch of [1, 3, 40]) expect(await predictor.predict(rows, { batch })).toEqual(alone);
    expect((await predictor.batchParity(rows)).ok).toBe(true);
  });

  it("feeds a graph with its own output too", async () => {
    const three = tableOf(["a", "b", "c"], [{ key: "x", at: noon, values: [1, 2, 3] }]);
    const predictor = await predictorOf(
      cardManifest(
        three,
        { features: { a: {}, b: {}, c: {} } },
        {
          preprocess: {
            card: {
              kind: "lookup",
              key: ["card_id"],
              store: { path: "card.features", sha256: digestOf(three) },
              features: { a: {}, b: {}, c: {} },
            },
          },
          inputs: [{ name: "features", dtype: "float32", shape: ["batch", 3], from: "card.features" }],
        },
      ),
      {},
      three,
    );
    expect(valueOf((await predictor.predict([{ card_id: "x" }]))[0]!)).toBe(321.5);
  });

  it("computes windows from the events, with labels that come late", async () => {
    const payments = tableOf(
      ["amount", "fraud"],
      [0, 1, 2, 9].map((d) => ({ key: "x", at: noon + d * day, values: [10 * (d + 1), d === 1 ? 1 : 0] })),
    );
    const predictor = await predictorOf(
      cardManifest(payments, {
        missing: { fill: 0 },
        features: {
          spend: { aggregate: "sum", column: "amount", over: "3d" },
          visits: { aggregate: "sum", column: "fraud", over: "30d", delay: "7d" },
        },
      }),
      {},
      payments,
    );
    const ask = async (d: number) =>
      valueOf((await predictor.predict([{ card_id: "x", amount: 0, at: noon + d * day }]))[0]!);
    // The fraud of day 1 is known after day 8; the payment of day 9 is none of its own history.
    expect([await ask(3), await ask(8), await ask(9), await ask(10)]).toEqual([60.5, 0.5, 10.5, 110.5]);
  });
});

describe("a lookup step", () => {
  const changed = (step: object) => cardManifest(table, step);
  it.each<[string, ReturnType<typeof cardManifest>, RegExp]>([
    [
      "a column that the store lacks",
      changed({ features: { spend: {}, visits: { column: "visit" } } }),
      /model.yaml:\d+:\d+.*no column visit.*one of spend, visits/s,
    ],
    [
      "a feature that no step has",
      { ...changed({}), preprocess: { ...changed({ features: { spend: {} } }).preprocess } },
      /no lookup step has the feature card.visits.*one of card.spend/s,
    ],
    [
      "another digest",
      changed({ store: { path: "card.features", sha256: "0".repeat(64) } }),
      /not the one that the manifest names/,
    ],
    [
      "a path out of the folder",
      changed({ store: { path: "../card.features", sha256: "0".repeat(64) } }),
      /leads out of the model's folder/,
    ],
    ["no such file", changed({ store: { path: "other.features", sha256: "0".repeat(64) } }), /the file is missing/],
  ])("is refused for %s", async (_, manifest, message) => {
    expect((await refusal(() => openPredictor(cardFolder(manifest, table), {}, offline))).message).toMatch(message);
  });

  it.each<[string, object, RegExp]>([
    ["ttl", { ttl: "1d" }, /says nothing about time.*--time COLUMN/s],
    ["time", { time: "at" }, /says nothing about time/],
    ["a window", { features: { spend: { aggregate: "sum", over: "1d" }, visits: {} } }, /says nothing about time/],
  ])("with %s is refused for a table without times", async (_, step, message) => {
    const untimed = tableOf(["spend", "visits"], [{ key: "x", values: [1, 2] }], { timed: false });
    const manifest = cardManifest(untimed, { time: undefined as never, ...step });
    expect((await refusal(() => openPredictor(cardFolder(manifest, untimed), {}, offline))).message).toMatch(message);
  });

  it.each<[string, object, RegExp]>([
    ["over without aggregate", { features: { spend: { over: "1d" } } }, /`aggregate` and `over` go together/],
    [
      "a window of no length",
      { features: { spend: { aggregate: "sum", over: "0d" } } },
      /a whole number with s, m, h or d/,
    ],
    ["no feature", { features: {} }, /at least one feature/],
    ["a Redis address in the manifest", { store: { redis: { url: "redis://x", columns: ["a"] } } }, /unknown key/],
  ])("with %s is refused when model.yaml is read", async (_, step, message) => {
    expect((await refusal(() => cardFolder(cardManifest(table, step), table))).message).toMatch(message);
  });

  it("reads the file's bytes that it has checked, and knows them by their digest", async () => {
    const loaded = cardFolder(cardManifest(table), table);
    const predictor = await openPredictor(loaded, {}, offline);
    open.push(predictor);
    const before = predictor.describe().filesDigest;
    writeFileSync(join(loaded.dir, "card.features"), tableOf(["spend", "visits"], [{ key: "known", values: [9, 9] }]));
    expect((await refusal(() => openPredictor(loaded, {}, offline))).message).toMatch(
      /not the one that the manifest names/,
    );
    expect(valueOf((await predictor.predict([{ card_id: "known", amount: 1, at }]))[0]!)).toBe(132.5);
    const other = tableOf(["spend", "visits"], [{ key: "known", at: noon - day, values: [9, 9] }]);
    const next = await predictorOf(cardManifest(other), {}, other);
    expect(next.describe().filesDigest).not.toBe(before);
  });

  it("is answered by the store that is given in its place, whatever its own would say", async () => {
    const history = await storeOf(["visits", "spend"], [{ key: "known", at: noon - day, values: [1, 50] }]);
    const predictor = await predictorOf(cardManifest(table), { stores: { card: history } });
    expect(valueOf((await predictor.predict([{ card_id: "known", amount: 0, at }]))[0]!)).toBe(60.5);
  });
});
