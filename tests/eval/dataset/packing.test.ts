import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { openUnpacked } from "../../../eval/dataset/formats/packing.ts";
import { folderWith, read } from "./build.ts";

const csv = `text,class\n${"some text,1\n".repeat(500)}`;

describe("packed files", () => {
  it.each([
    ["rows.csv.gz", gzipSync(csv)],
    ["rows.csv.zst", zstdCompressSync(csv)],
    ["rows.csv", gzipSync(csv)],
    ["rows.csv.gz", Buffer.from(csv)],
  ])("%s has the rows and ids of the file within", async (path, content) => {
    const plain = await read({}, { "rows.csv": csv });
    const { rows, digest } = await read({ files: [{ path }] }, { [path]: content });
    expect(rows[499]!.id).toBe("rows:499");
    expect(digest).toBe(plain.digest);
  });

  it.each([
    ["rows.csv.gz", gzipSync(csv)],
    ["rows.csv.zst", zstdCompressSync(csv)],
  ])("%s, cut off, is refused", async (path, content) => {
    await expect(
      read({ files: [{ path }] }, { [path]: content.subarray(0, content.length - 9) }),
    ).rejects.toMatchObject({
      code: "unpack",
      diagnostic: { place: path, hint: expect.stringContaining("download") },
    });
  });

  it("that unpack to more than the limit are refused before they fill the machine", async () => {
    const path = join(folderWith({ "bomb.gz": gzipSync(Buffer.alloc(5_000_000, "a")) }), "bomb.gz");
    const { chunks } = await openUnpacked(path, "bomb.gz", 1_000_000);
    let seen = 0;
    await expect(
      (async () => {
        for await (const chunk of chunks) seen += chunk.length;
      })(),
    ).rejects.toThrow(/too large once unpacked[^]*at most 1000000 bytes/);
    expect(seen).toBeLessThanOrEqual(1_000_000);
  });
});

describe("files that are no text", () => {
  it.each([
    ["an Excel workbook", "PK\u0003\u0004rest", /Excel workbook[^]*CSV UTF-8/],
    ["an old Excel workbook", "\u00d0\u00cf\u0011\u00e0rest", /old Excel workbook/],
    ["Parquet", "PAR1rest", /Parquet file[^]*format: parquet/],
    ["bzip2", "BZh9rest", /bzip2[^]*gzip or zstd/],
    ["NumPy", "\u0093NUMPYrest", /NumPy/],
  ])("%s is named, with what to do", async (_, content, message) => {
    await expect(read({}, { "rows.csv": Buffer.from(content, "latin1") })).rejects.toMatchObject({
      code: "not-text",
      message: expect.stringMatching(message),
    });
  });

  it("an .xlsx is known by its name too", async () => {
    await expect(read({ files: [{ path: "rows.xlsx" }] }, { "rows.xlsx": "" })).rejects.toMatchObject({
      code: "unknown-format",
      diagnostic: { hint: expect.stringContaining("CSV UTF-8") },
    });
  });
});
