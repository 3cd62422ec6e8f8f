import { fileURLToPath } from "node:url";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { folderWith, manifestWith, offlineDeps, read } from "./build.ts";
import { readDataset } from "../../../eval/dataset/read.ts";

const fixtures = fileURLToPath(new URL("fixtures/", import.meta.url));
const dataset = (path: string) =>
  manifestWith({
    files: [{ path }],
    idField: "id",
    labels: { sentiment: { field: "class", map: { bad: "neg", good: "pos" } } },
    slices: ["ok"],
  });
const rebuilt = Array.from({ length: 2500 }, (_, i) => ({
  id: `r${i}`,
  text: i % 7 === 0 ? `naïve, "quoted" ${i}\nline two 😀` : `plain ${i}`,
  class: i % 3 === 0 ? "bad" : "good",
  amount: i / 8,
  big: i * 1000,
  ok: i % 2 === 0,
  day: i % 5 === 0 ? null : `2003-01-${String((i % 28) + 1).padStart(2, "0")}`,
}));

describe("Parquet", () => {
  it.each(["snappy", "gzip", "zstd"])(
    "%s: the same rows and digest as the JSON that they were made from",
    async (codec) => {
      const parquet = await readDataset(dataset(`rows-${codec}.parquet`), fixtures, offlineDeps("unused", fixtures));
      const folder = folderWith({ "rows.json": JSON.stringify(rebuilt) });
      const json = await readDataset(dataset("rows.json"), folder, offlineDeps("unused"));
      expect(parquet.rows).toHaveLength(2500);
      expect(parquet.rows[1234]).toEqual(json.rows[1234]);
      expect(parquet.digest).toBe(json.digest);
      expect(parquet.placeOf(2001)).toBe(`rows-${codec}.parquet[2001]`);
    },
  );

  it("names a compression that it cannot read", async () => {
    await expect(readDataset(dataset("lz4.parquet"), fixtures, offlineDeps("unused", fixtures))).rejects.toMatchObject({
      code: "parquet-codec",
      diagnostic: { received: "LZ4_RAW" },
    });
  });

  it("refuses a truncated or damaged file", async () => {
    const bytes = readFileSync(`${fixtures}rows-zstd.parquet`);
    const damaged = Buffer.from(bytes);
    damaged.fill(0xaa, 200, 1200);
    for (const content of [bytes.subarray(0, 9000), damaged]) {
      await expect(read({ files: [{ path: "r.parquet" }] }, { "r.parquet": content })).rejects.toMatchObject({
        code: "parquet-unreadable",
      });
    }
  });
});
