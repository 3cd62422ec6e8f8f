import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { shardRange } from "../../../eval/dataset/shard.ts";
import { mergeShards } from "../../../eval/predict/merge.ts";
import { predictDataset } from "../../../eval/predict/predict.ts";
import { readShard, writeShard, type ShardResult } from "../../../eval/predict/shard-file.ts";
import { folderWith } from "../dataset/build.ts";
import { binary } from "./build.ts";
import { openBirths, withRows } from "./births.ts";

const machine = { arch: "x64", cpuFlags: ["avx2"], onnxruntime: "1.0.0" };
const tolerant = { id: "toy", maxBadRows: 100 };

/** `count` shards of `rows` rows with random-looking scores; every seventh row was refused by the model. */
function shards(rows: number, count: number): ShardResult[] {
  const all = Array.from({ length: rows }, (_, i) => i);
  return Array.from({ length: count }, (_, index) => {
    const part = shardRange(rows, { index, count });
    const own = all.slice(part.from, part.to);
    const taken = own.filter((row) => row % 7 !== 3);
    return {
      manifest: {
        datasetDigest: "d",
        modelSha256: "m",
        machine,
        count,
        index,
        from: part.from,
        to: part.to,
        rows,
        datasetBadRows: [{ place: "f:9", reason: "malformed" }],
        refusedRows: own.filter((row) => row % 7 === 3).map((row) => ({ place: `f:${row}`, reason: "refused" })),
        expandedHeads: [],
      },
      predictions: [
        binary(
          taken.map((row) => [`r${row}`, row % 2, Math.sin(row)]),
          {
            slices: { parity: taken.map((row) => String(row % 2)) },
            weights: Float64Array.from(taken, (row) => row + 1),
            groups: taken.map((row) => `g${row % 5}`),
            entities: taken.map((row) => `e${row % 3}`),
            datasetDigest: "d",
          },
        ),
      ],
    };
  });
}

describe("shards", () => {
  it("divide rows into contiguous, even, complete ranges", () => {
    fc.assert(
      fc.property(fc.nat(500), fc.integer({ min: 1, max: 40 }), (rows, count) => {
        const ranges = Array.from({ length: count }, (_, index) => shardRange(rows, { index, count }));
        expect(ranges[0]!.from).toBe(0);
        expect(ranges.at(-1)!.to).toBe(rows);
        ranges.slice(1).forEach((range, i) => expect(range.from).toBe(ranges[i]!.to));
        const sizes = ranges.map(({ from, to }) => to - from);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
    for (const shard of [
      { index: 4, count: 4 },
      { index: -1, count: 4 },
      { index: 0, count: 0 },
      { index: 0.5, count: 2 },
    ])
      expect(() => shardRange(10, shard)).toThrow(/no such shard/);
  });

  it("merge, in any number and order, into what one shard holds", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 120 }),
        fc.integer({ min: 1, max: 12 }),
        fc.infiniteStream(fc.nat()),
        (rows, count, keys) => {
          const order = shards(rows, count)
            .map((shard) => ({ shard, key: keys.next().value as number }))
            .toSorted((a, b) => a.key - b.key)
            .map(({ shard }) => shard);
          const { parts, ...merged } = mergeShards(order, tolerant);
          const { parts: _, ...whole } = mergeShards(shards(rows, 1), tolerant);
          expect(merged).toEqual(whole);
          expect(parts.map(({ from, to }) => [from, to])).toEqual(
            Array.from({ length: count }, (__, index) => Object.values(shardRange(rows, { index, count }))),
          );
        },
      ),
    );
  });

  it("are refused when one is missing or duplicated, by name", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 9 }), fc.nat(8), (count, pick) => {
        const all = shards(60, count);
        const victim = pick % count;
        expect(() =>
          mergeShards(
            all.filter((_, i) => i !== victim),
            tolerant,
          ),
        ).toThrow(`1 of ${count} shards are missing: ${victim}/${count}`);
        expect(() => mergeShards([...all, all[victim]!], tolerant)).toThrow(
          `shard ${victim}/${count} is there more than once`,
        );
      }),
    );
    expect(() => mergeShards([], tolerant)).toThrow(/no shards to merge/);
  });

  const change = (index: number, manifest: Partial<ShardResult["manifest"]>, more: Partial<ShardResult> = {}) =>
    shards(40, 4).map((shard, i) =>
      i === index ? { ...shard, ...more, manifest: { ...shard.manifest, ...manifest } } : shard,
    );
  it.each<[string, ShardResult[], string, RegExp]>([
    [
      "another dataset",
      change(2, { datasetDigest: "other" }),
      "shards-differ",
      /shards 0\/4 and 2\/4 have different dataset digests/,
    ],
    ["another model", change(1, { modelSha256: "other" }), "shards-differ", /0\/4 and 1\/4 have different models/],
    ["another count", change(3, { count: 5 }), "shards-differ", /0\/4 and 3\/5 have different shard counts/],
    ["another number of rows", change(3, { rows: 41 }), "shards-differ", /different row counts/],
    ["other bad rows", change(3, { datasetBadRows: [] }), "shards-differ", /different bad rows/],
    [
      "an overlap",
      change(2, { from: 15 }),
      "shards-overlap",
      /shard 2\/4 \(rows 15 to 30\) overlaps shard 1\/4 \(rows 10 to 20\)/,
    ],
    ["a gap", change(2, { from: 25 }), "shards-gap", /rows 20 to 25 are in no shard, between shard 1\/4/],
    ["a missing end", change(3, { to: 38 }), "shards-gap", /rows 38 to 40 are in no shard/],
    ["an index beyond the count", change(3, { index: 4 }), "shards-differ", /there is no shard 4\/4/],
    [
      "fewer rows than its range",
      change(0, { refusedRows: [] }),
      "shards-incomplete",
      /shard 0\/4 does not hold all of its rows/,
    ],
    ["no predictions of a head", change(1, {}, { predictions: [] }), "shards-differ", /different heads/],
    ["the rows of another shard", change(1, {}, { predictions: shards(40, 4)[0]!.predictions }), "shards-", /./],
  ])("are refused for %s", (_, list, code, message) => {
    let error: unknown;
    try {
      mergeShards(list, tolerant);
    } catch (reason) {
      error = reason;
    }
    expect(error).toMatchObject({
      name: "EvaluationError",
      code: expect.stringContaining(code),
      message: expect.stringMatching(message),
    });
  });

  it("share one limit for bad rows", () => {
    const bad = 1 + 6;
    expect(() => mergeShards(shards(40, 4), { id: "toy", maxBadRows: bad - 1 })).toThrow(/7 bad rows among 41/);
    expect(mergeShards(shards(40, 4), { id: "toy", maxBadRows: bad }).badRows).toHaveLength(bad);
  });
});

describe("shard files", () => {
  it("are read as they were written, empty shards included", async () => {
    const written = shards(5, 8);
    const read = [];
    for (const [i, shard] of written.entries()) {
      const folder = join(folderWith({}), String(i));
      await writeShard(folder, shard);
      read.push(await readShard(folder));
    }
    expect(mergeShards(read, tolerant)).toEqual(mergeShards(written, tolerant));
  });

  it("are refused when unfinished, malformed or altered", async () => {
    const folder = folderWith({});
    await expect(readShard(folder)).rejects.toMatchObject({
      code: "shard-unreadable",
      message: expect.stringMatching(/did not finish/),
    });
    await writeShard(folder, shards(30, 3)[1]!);
    const file = join(folder, "head-0.jsonl");
    writeFileSync(file, readFileSync(file, "utf8").replace("r11", "r99"));
    await expect(readShard(folder)).rejects.toThrow(/head-0\.jsonl is not the file/);
    writeFileSync(
      join(folder, "shard.json"),
      readFileSync(join(folder, "shard.json"), "utf8").replace("head-0.jsonl", "../x"),
    );
    await expect(readShard(folder)).rejects.toThrow(/shard\.json is malformed/);
  });
});

describe("the births model in shards", () => {
  let births: Awaited<ReturnType<typeof openBirths>>;
  beforeAll(async () => {
    births = await openBirths(folderWith({}));
  });

  it("predicts what it predicts in one piece, refused rows included", async () => {
    const dataset = withRows(births.dataset, { 3: { history: [1] }, 500: { history: [1] } }, { maxBadRows: 2 });
    // With chunks of one batch, the batches are the same in one piece and in shards.
    const request = {
      ...births,
      dataset,
      manifest: { ...births.manifest, runtime: { ...births.manifest.runtime, batch: 1 } },
    };
    const count = 3;
    const results: ShardResult[] = [];
    for (let index = 0; index < count; index++) {
      const { predictions, expandedHeads, badRows, from, to } = await predictDataset(
        { ...request, shard: { index, count } },
        { cacheDir: null },
      );
      results.push({
        manifest: {
          datasetDigest: dataset.digest,
          modelSha256: births.predictor.describe().sha256,
          machine,
          count,
          index,
          from,
          to,
          rows: dataset.rows.length,
          datasetBadRows: dataset.badRows,
          refusedRows: badRows,
          expandedHeads,
        },
        predictions,
      });
    }
    const merged = mergeShards(results, dataset);
    const whole = await predictDataset(request, { cacheDir: null });
    expect(merged).toMatchObject({ predictions: whole.predictions, badRows: whole.badRows });
  });
});
