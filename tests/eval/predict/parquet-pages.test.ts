import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parquetWriteBuffer } from "hyparquet-writer";
import { describe, expect, it } from "vitest";
import { asyncBufferFromFile, parquetMetadataAsync } from "hyparquet";
import { plainPages } from "../../../eval/dataset/formats/parquet-pages.ts";
import { readPredictions } from "../../../eval/predictions/read.ts";
import { rowsDigest } from "../../../eval/predictions/rows-digest.ts";
import { folderWith } from "../dataset/build.ts";

type Column = { name: string; data: unknown[]; type: "STRING" | "INT32" | "INT64" | "DOUBLE"; nullable?: boolean };

const count = 1000;
const numbers = Array.from({ length: count }, (_, i) => i);
const labels: Column = { name: "label", data: numbers.map((i) => i % 2), type: "INT32" };
const scores: Column = { name: "score", data: numbers.map((i) => ((i * 31) % 997) / 997), type: "DOUBLE" };
const texts: Column = { name: "id", data: numbers.map((i) => `case-${i}`), type: "STRING" };

function fileOf(columns: Column[], options: object = {}): string {
  const path = join(folderWith({}), "predictions.parquet");
  const columnData = columns as Parameters<typeof parquetWriteBuffer>[0]["columnData"];
  writeFileSync(path, new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize: 300, ...options })));
  return path;
}

/** The same rows as CSV. */
function csvOf(columns: Column[]): string {
  const path = join(folderWith({}), "predictions.csv");
  const lines = numbers.map((i) => columns.map(({ data }) => String(data[i] ?? "")).join(","));
  writeFileSync(path, `${columns.map(({ name }) => name).join(",")}\n${lines.join("\n")}\n`);
  return path;
}

const read = async (path: string) => (await readPredictions(path, { task: "binary-classification" })).predictions;

/** How many of a column's pages are read in the fast way; null when the library must read it. */
async function fastPages(path: string, name: string): Promise<number | null> {
  const file = await asyncBufferFromFile(path);
  let pages = 0;
  for await (const page of plainPages(file, await parquetMetadataAsync(file), name, {})) {
    if (page === null) return null;
    pages++;
  }
  return pages;
}

describe("a Parquet file of predictions is read as the same rows of CSV are", () => {
  const region: Column = { name: "region", data: numbers.map((i) => ["süd", "nord", "west"][i % 3]), type: "STRING" };
  const holes: Column = { ...region, data: region.data.map((value, i) => (i % 7 === 0 ? null : value)) };
  const required = (columns: Column[]) => columns.map((column) => ({ ...column, nullable: false }));
  const large: Column = { name: "id", data: numbers.map((i) => 9_007_199_254_740_993n + BigInt(i)), type: "INT64" };
  const negative: Column = { name: "id", data: numbers.map((i) => BigInt(500 - i)), type: "INT64" };
  const small: Column = { name: "id", data: numbers.map((i) => 500 - i), type: "INT32" };

  it.each<[string, Column[], object, fast: boolean]>([
    ["texts as ids", [texts, labels, scores], {}, true],
    ["no compression", [texts, labels, scores], { codec: "UNCOMPRESSED" }, true],
    ["columns that must have values", required([texts, labels, scores]), {}, true],
    ["integers as ids", [small, labels, scores], {}, true],
    ["long integers as ids, beyond 2^53", [large, labels, scores], {}, true],
    ["long integers as ids, some negative", [negative, labels, scores], {}, true],
    ["texts as slices", [texts, labels, scores, region], {}, true],
    ["entities", [texts, labels, scores, { ...region, name: "entity" }], {}, true],
    ["slices that some rows lack", [texts, labels, scores, holes], {}, false],
    [
      "texts as labels",
      [texts, { ...labels, data: numbers.map((i) => String(i % 2)), type: "STRING" }, scores],
      {},
      true,
    ],
    ["integers as scores", [texts, labels, { ...scores, data: numbers.map((i) => i % 2), type: "INT32" }], {}, true],
  ])("with %s", async (_, columns, options, fast) => {
    const path = fileOf(columns, options);
    const [parquet, csv] = [await read(path), await read(csvOf(columns))];
    expect(parquet.ids).toEqual(csv.ids);
    expect(rowsDigest(parquet)).toBe(rowsDigest(csv));
    expect(parquet.scores).toEqual(csv.scores);
    expect(parquet.slices).toEqual(csv.slices);
    expect(parquet.entities).toEqual(csv.entities);
    const pages = await Promise.all(columns.map(({ name }) => fastPages(path, name)));
    expect(pages.every((found) => found !== null)).toBe(fast);
  });

  it("and refuses one whose pages were cut or changed", async () => {
    const path = fileOf([texts, labels, scores], { codec: "UNCOMPRESSED" });
    const bytes = readFileSync(path);
    // The length of the second text, after the first's bytes.
    bytes.writeUInt32LE(0x7fffffff, bytes.indexOf("case-0") + "case-0".length);
    writeFileSync(path, bytes);
    await expect(read(path)).rejects.toMatchObject({ code: "parquet-unreadable" });
  });
});
