import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readUtf8 } from "../../../eval/dataset/formats/encoding.ts";
import { folderWith, manifestWith, read } from "./build.ts";

const latin1 = (text: string) => Buffer.from(text, "latin1");
const csv = "text,class\nplain,1\ncafé crème,0\n";
const lines = '{"text":"plain","class":1}\n{"text":"café","class":0}\n';
const array = '[{"text":"plain","class":1},\n{"text":"café","class":0}]';

async function textOf(content: Uint8Array, declared?: string): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of readUtf8(join(folderWith({ t: content }), "t"), "t", declared)) parts.push(part);
  return Buffer.concat(parts).toString("utf8");
}

describe("text that is not UTF-8", () => {
  it.each([
    ["rows.csv", csv, "rows.csv:3"],
    ["rows.jsonl", lines, "rows.jsonl:2"],
    ["rows.json", array, "rows.json:2"],
  ])("%s: names the line, the bytes and the likely encoding, whatever maxBadRows is", async (path, text, place) => {
    const files = [{ path }];
    await expect(read({ files, maxBadRows: 9 }, { [path]: latin1(text) })).rejects.toMatchObject({
      code: "encoding",
      diagnostic: {
        place,
        received: expect.stringMatching(/bytes E9 .*windows-1252 \(Latin-1\).*café/),
        example: expect.stringMatching(/encoding: windows-1252.*--encoding windows-1252/),
      },
    });
    const { rows } = await read({ files: [{ path, encoding: "latin1" }] }, { [path]: latin1(text) });
    expect(rows[1]!.row["text"]).toMatch(/^café/);
  });

  it("is found at any place of a large file, by line", async () => {
    const many = "ä,1\n".repeat(400_000);
    const file = Buffer.concat([Buffer.from(`text,class\n${many}`), latin1("ü,0\n"), Buffer.from(many)]);
    await expect(read({}, { "rows.csv": file })).rejects.toMatchObject({
      code: "encoding",
      diagnostic: { place: "rows.csv:400002" },
    });
    expect(await textOf(Buffer.from(many))).toBe(many);
  });

  it("UTF-16 without a mark, and other NULs, are named", async () => {
    const wide = Buffer.from(csv, "utf16le");
    await expect(read({}, { "rows.csv": wide })).rejects.toThrow(/likely utf-16le\n[^]*encoding: utf-16le/);
    const ascii = Buffer.from("text,class\na,1\n", "utf16le").swap16();
    await expect(read({}, { "rows.csv": ascii })).rejects.toThrow(
      /NUL byte[^]*likely utf-16be without a byte-order mark/,
    );
    expect(
      (await read({ files: [{ path: "rows.csv", encoding: "utf-16le" }] }, { "rows.csv": wide })).rows,
    ).toHaveLength(2);
    await expect(read({}, { "rows.csv": "text,class\na,1\nb\0c,0\n" })).rejects.toThrow(/rows\.csv:3: .*NUL byte/);
  });

  it("a declared encoding that does not fit is refused with the line", async () => {
    await expect(
      read(
        { files: [{ path: "rows.csv", encoding: "shift_jis" }] },
        { "rows.csv": Buffer.from([...Buffer.from("text,class\n"), 0x81, 0x20, 10]) },
      ),
    ).rejects.toThrow(/rows\.csv:2: the text is not SHIFT_JIS, as declared/);
    expect(() => manifestWith({ files: [{ path: "rows.csv", encoding: "latin-nine" }] })).toThrow(/no such encoding/);
  });
});

describe("text that is read", () => {
  it("by its byte-order mark", async () => {
    for (const [mark, bytes] of [
      ["utf-8", Buffer.from(`\uFEFF${csv}`)],
      ["utf-16le", Buffer.from(`\uFEFF${csv}`, "utf16le")],
      ["utf-16be", Buffer.from(`\uFEFF${csv}`, "utf16le").swap16()],
    ] as const)
      for (const declared of [undefined, mark]) expect(await textOf(bytes, declared), mark).toBe(csv);
    await expect(textOf(Buffer.from(`\uFEFF${csv}`), "windows-1252")).rejects.toThrow(/byte-order mark of UTF-8/);
    await expect(textOf(Buffer.of(0xff, 0xfe, 0, 0, 97, 0, 0, 0))).rejects.toThrow(
      /UTF-32LE[^]*save the file as UTF-8/,
    );
  });

  it("in windows-1252, with its own characters above Latin-1's", async () => {
    expect(await textOf(Buffer.of(0x80, 0x93, 0xe9, 0x94, 0x0a), "windows-1252")).toBe("€“é”\n");
  });

  it("the same as it was written, in every encoding that can write it", async () => {
    const text = fc.string({ unit: "binary", maxLength: 60 }).map((one) => one.replaceAll("\0", "").toWellFormed());
    await fc.assert(
      fc.asyncProperty(text, async (written) => {
        expect(await textOf(Buffer.from(`${written}\n`))).toBe(`${written}\n`.replace(/^\uFEFF/, ""));
        const wide = `x${written}\n`;
        expect(await textOf(Buffer.from(wide, "utf16le"), "utf-16le")).toBe(wide);
      }),
      { numRuns: 100 },
    );
  });
});
