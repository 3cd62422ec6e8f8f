import { describe, expect, it } from "vitest";
import { read } from "./build.ts";

const composed = "K\u00f6ln";
const decomposed = "Ko\u0308ln";

describe("slice values", () => {
  it("that are missing are a slice of their own, not bad rows", async () => {
    const { rows, notes, badRows } = await read(
      { slices: ["source"], files: [{ path: "r.jsonl" }] },
      {
        "r.jsonl":
          '{"class":1,"source":"a"}\n{"class":1}\n{"class":0,"source":null}\n{"class":0,"source":""}\n{"class":0,"source":"b"}\n',
      },
    );
    expect(badRows).toEqual([]);
    expect(rows.map((row) => row.slices["source"])).toEqual(["a", "(missing)", "(missing)", "(missing)", "b"]);
    expect(notes).toEqual(['slice column "source": 3 rows without a value, which form the slice source=(missing)']);
    expect((await read({ slices: ["source"] }, { "rows.csv": "class,source\n1,\n0,x\n" })).rows[0]!.slices).toEqual({
      source: "(missing)",
    });
  });

  it("that no row has at all are a misspelt column", async () => {
    await expect(
      read({ slices: ["sorce"], files: [{ path: "r.jsonl" }] }, { "r.jsonl": '{"class":1,"source":"a"}\n' }),
    ).rejects.toThrow(/no row of dataset "toy" has a column "sorce"[^]*did you mean `source`/);
  });

  it("NA and its like, and spaces around, are said and kept", async () => {
    const { rows, notes } = await read(
      { slices: ["country"] },
      { "rows.csv": "class,country\n1,NA\n0,null\n1, DE\n0,DE\n" },
    );
    expect(rows.map((row) => row.slices["country"])).toEqual(["NA", "null", " DE", "DE"]);
    expect(notes).toEqual([
      expect.stringMatching(/"NA" in 1 row is taken as a value/),
      expect.stringMatching(/"null" in 1 row/),
      expect.stringMatching(/1 value has spaces around, which are kept: " DE"/),
    ]);
  });
});

describe("texts in another Unicode form", () => {
  it("are compared in normal form C, and that is said", async () => {
    const { rows, notes } = await read(
      {
        idField: "id",
        slices: ["city"],
        group: "city",
        labels: { sentiment: { field: "class", map: { [decomposed]: "pos", x: "neg" } } },
      },
      { "rows.csv": `id,class,city\n${decomposed},${composed},${composed}\nb,${decomposed},${decomposed}\n` },
    );
    expect(rows.map(({ id, labels, slices, group }) => [id, labels["sentiment"], slices["city"], group])).toEqual([
      [composed, "pos", composed, composed],
      ["b", "pos", composed, composed],
    ]);
    expect(notes).toEqual([expect.stringMatching(/4 texts were not in Unicode normal form C and are compared in it/)]);
    await expect(
      read({ idField: "id" }, { "rows.csv": `id,class\n${composed},1\n${decomposed},1\n` }),
    ).rejects.toMatchObject({ code: "duplicate-id" });
  });
});

describe("bad rows", () => {
  it("of one kind are one group, whatever value came, and all are counted", async () => {
    const bad = Array.from({ length: 170 }, (_, i) => `x,${i % 2 === 0 ? `v${i}` : ""}`).join("\n");
    const error = await read(
      { labels: { stars: { field: "stars" } } },
      { "rows.csv": `text,stars\n${bad}\nok,1\n` },
    ).catch((reason: Error) => reason);
    const { message } = error as Error;
    expect(message).toMatch(/170 bad rows among 171, as read \(the model may refuse more\)/);
    expect(message).toContain(
      'rows.csv:2, rows.csv:4, rows.csv:6 and 82 more: field "stars" is not a finite number: "v0"',
    );
    expect(message).toContain('rows.csv:3, rows.csv:5, rows.csv:7 and 82 more: field "stars" is empty');
    expect(message).toContain("missing: {fill: 0}");
  });
});
