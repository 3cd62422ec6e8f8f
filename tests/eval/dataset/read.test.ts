import { describe, expect, it } from "vitest";
import { manifestWith, read } from "./build.ts";

const csv = "text,class,source,stars,weight\ngood,1,imdb,4.5,1\nbad,0,yelp,1,0.5\n";

describe("rows", () => {
  it("carry ids, model fields, labels, slices, groups and weights, without the true values", async () => {
    const dataset = await read(
      {
        labels: { sentiment: { field: "class", map: { 0: "neg", 1: "pos" } }, stars: { field: "stars" } },
        slices: ["source"],
        group: "source",
        weight: "weight",
      },
      { "rows.csv": csv },
    );
    expect(dataset.rows).toEqual([
      {
        id: "rows:0",
        row: { text: "good", source: "imdb", weight: "1" },
        labels: { sentiment: "pos", stars: 4.5 },
        slices: { source: "imdb" },
        group: "imdb",
        weight: 1,
      },
      {
        id: "rows:1",
        row: { text: "bad", source: "yelp", weight: "0.5" },
        labels: { sentiment: "neg", stars: 1 },
        slices: { source: "yelp" },
        group: "yelp",
        weight: 0.5,
      },
    ]);
    expect(dataset.placeOf(1)).toBe("rows.csv:3");
  });

  it("carry the naive scale of a regression head, from a number or a field", async () => {
    const scaled = (naiveScale: number | string) => ({ labels: { stars: { field: "stars", naiveScale } } });
    const scales = async (naiveScale: number | string) =>
      (await read(scaled(naiveScale), { "rows.csv": csv })).rows.map((row) => row.naiveScales);
    expect(await scales(2.5)).toEqual([{ stars: 2.5 }, { stars: 2.5 }]);
    expect(await scales("weight")).toEqual([{ stars: 1 }, { stars: 0.5 }]);
    await expect(read(scaled("class"), { "rows.csv": csv.replace(",1,imdb", ",-1,imdb") })).rejects.toThrow(
      /rows\.csv:2: field "class" is negative: -1/,
    );
    expect(() => manifestWith({ labels: { sentiment: { field: "class", naiveScale: 1 } } })).toThrow(
      /a naive scale belongs to a regression head/,
    );
  });

  it("have labels that are compared by their text: numbers, booleans and names", async () => {
    const rows = '{"text":"a","class":1}\n{"text":"b","class":"0"}\n{"text":"c","class":true}\n';
    const { rows: found } = await read(
      {
        files: [{ path: "r.jsonl" }],
        labels: { sentiment: { field: "class", map: { 1: "pos", 0: "neg", true: "pos" } } },
      },
      { "r.jsonl": rows },
    );
    expect(found.map((row) => row.labels["sentiment"])).toEqual(["pos", "neg", "pos"]);
  });

  it("get the model's names by `rename`, and extra fields of a file by `set`", async () => {
    const { rows } = await read(
      {
        files: [
          { path: "a.csv", set: { source: "amazon" } },
          { path: "b.csv", set: { source: "blog" } },
        ],
        rename: { text: "review" },
        slices: ["source"],
      },
      { "a.csv": "review,class\nx,1\n", "b.csv": "review,class\ny,0\n" },
    );
    expect(rows.map((row) => [row.id, row.row["text"], "review" in row.row, row.slices["source"]])).toEqual([
      ["a:0", "x", false, "amazon"],
      ["b:0", "y", false, "blog"],
    ]);
  });

  it("have CSV cells read as the preprocessing declares them, other JSON numbers as numbers, and 007 as text", async () => {
    const columns = {
      amount: { type: "number" as const },
      zip: { type: "string" as const },
      member: { type: "boolean" as const },
      history: { type: "number-list" as const, length: 2 },
    };
    const { rows } = await read(
      { labels: { sentiment: { field: "class", map: { 0: "neg", 1: "pos" } } } },
      { "rows.csv": 'amount,zip,member,history,code,extra,none,empty,class\n1.50,10115,1,"[1,2]",007,2.5,,"",1\n' },
      {
        preprocess: {
          tokens: { kind: "text" },
          table: { kind: "tabular", columns, features: [{ column: "amount", encode: "number" }] },
        },
      },
    );
    expect(rows[0]!.row).toEqual({
      amount: 1.5,
      zip: "10115",
      member: true,
      history: [1, 2],
      code: "007",
      extra: 2.5,
      none: null,
      empty: "",
    });
  });
});

describe("bad rows", () => {
  it("are named with file, line and reason, and fail above the tolerance", async () => {
    const files = {
      "rows.csv":
        "text,class,stars,w,source\nok,1,3,1,a\nx,2,3,1,a\nx,,3,1,a\nx,1,NaN,1,a\nx,1,3,inf,a\nx,1,3,-1,a\nx,1,3\n",
    };
    const dataset = {
      labels: { sentiment: { field: "class", map: { 0: "neg", 1: "pos" } }, stars: { field: "stars" } },
      weight: "w",
      slices: ["source"],
    };
    const { rows, badRows } = await read({ ...dataset, maxBadRows: 6 }, files);
    expect(rows.map((row) => row.id)).toEqual(["rows:0"]);
    expect(badRows).toEqual([
      { place: "rows.csv:3", reason: 'label "2" in "class" is not in the map (0, 1)' },
      { place: "rows.csv:4", reason: 'field "class" is empty' },
      { place: "rows.csv:5", reason: 'field "stars" is not a finite number: "NaN"' },
      { place: "rows.csv:6", reason: 'field "w" is not a finite number: "inf"' },
      { place: "rows.csv:7", reason: 'field "w" is negative: -1' },
      { place: "rows.csv:8", reason: "3 cells where the header has 5" },
    ]);
    await expect(read({ ...dataset, maxBadRows: 5 }, files)).rejects.toMatchObject({
      name: "EvaluationError",
      code: "too-many-bad-rows",
      message: expect.stringMatching(/6 bad rows among 7[^]*rows\.csv:8: 3 cells[^]*at most 5/),
    });
    await expect(read({ ...dataset, maxBadRows: { fraction: 0.5 } }, files)).rejects.toMatchObject({
      code: "too-many-bad-rows",
    });
    await expect(read({ ...dataset, maxBadRows: { fraction: 0.9 } }, files)).resolves.toBeDefined();
  });

  it("are listed up to twenty; the rest are counted", async () => {
    const lines = Array.from({ length: 25 }, (_, i) => `x,${i + 2}`).join("\n");
    const error = await read({}, { "rows.csv": `text,class\n${lines}\n` }).catch((reason: Error) => reason);
    expect((error as Error).message.match(/rows\.csv:\d+: label/g)).toHaveLength(20);
    expect((error as Error).message).toContain("… and 5 more");
  });

  it("with the same reason are reported once, with the map that an unknown label may need", async () => {
    const error = await read(
      { labels: { sentiment: { field: "class" } } },
      { "rows.csv": `text,class\n${"x,9\n".repeat(25)}` },
    ).catch((reason: Error) => reason);
    expect((error as Error).message).toContain('\nrows.csv:2, rows.csv:3, rows.csv:4 and 22 more: label "9"');
    expect((error as Error).message).toMatch(/dataset\.labels\.sentiment\.map, e\.g\. \{"9": \w+\}/);
    expect((error as Error).message).not.toContain("rows.csv:5");
  });

  it("with a missing field are reported with the fields that they have", async () => {
    const rows = '{"text":"a","class":"1"}\n{"text":"b","klass":"1"}\n';
    await expect(read({ files: [{ path: "r.jsonl" }] }, { "r.jsonl": rows })).rejects.toThrow(
      /r\.jsonl:2: no field "class"; the row has: text, klass/,
    );
  });

  it("are none where no row has the column: the manifest misspells it", async () => {
    await expect(read({}, { "rows.csv": "text,klass\na,1\n" })).rejects.toThrow(
      /^dataset\.labels\.sentiment\.field: no row of dataset "toy" has a column "class"\n {2}expected: one of text, klass/,
    );
  });

  it("include labels that the head does not know, and malformed JSON lines", async () => {
    const { badRows } = await read(
      { files: [{ path: "r.jsonl" }], labels: { sentiment: { field: "class" } }, maxBadRows: 5 },
      {
        "r.jsonl": '{"text":"a","class":"pos"}\n\n{"text":"a","class":"good"}\n{"text":\n[1]\n',
      },
    );
    expect(badRows.map(({ place }) => place)).toEqual(["r.jsonl:3", "r.jsonl:4", "r.jsonl:5"]);
    expect(badRows.map(({ reason }) => reason.slice(0, 15))).toEqual([
      'label "good" in',
      "malformed JSON:",
      "not a JSON obje",
    ]);
  });
});

describe("refusals", () => {
  it("no rows", async () => {
    for (const files of [{ "rows.csv": "" }, { "rows.csv": "text,class\n" }])
      await expect(read({}, files)).rejects.toMatchObject({ name: "EvaluationError", code: "no-rows" });
    await expect(read({ maxBadRows: 9 }, { "rows.csv": "text,class\nx,7\n" })).rejects.toThrow(
      /no rows but bad ones:\nrows\.csv:2/,
    );
  });

  it("duplicate ids, naming both places", async () => {
    await expect(read({ idField: "id" }, { "rows.csv": "id,text,class\na,x,1\nb,x,1\na,y,0\n" })).rejects.toThrow(
      /rows\.csv:4: row id "a" is already taken by rows\.csv:2/,
    );
    await expect(
      read(
        { files: [{ path: "a/d.csv" }, { path: "b/d.csv" }] },
        { "a/d.csv": "text,class\nx,1\n", "b/d.csv": "text,class\nx,1\n" },
      ),
    ).rejects.toThrow(/b\/d\.csv:2: row id "d:0" is already taken by a\/d\.csv:2/);
  });

  it("missing files, unknown extensions, and files that do not match their extension", async () => {
    await expect(read({ files: [{ path: "none.csv" }] }, {})).rejects.toMatchObject({ code: "no-such-file" });
    await expect(read({ files: [{ path: "rows.xlsx" }] }, { "rows.xlsx": "" })).rejects.toMatchObject({
      code: "unknown-format",
    });
    await expect(read({ files: [{ path: "rows.json" }] }, { "rows.json": '{"a":1}' })).rejects.toMatchObject({
      code: "json-unreadable",
    });
    await expect(read({ files: [{ path: "rows.json" }] }, { "rows.json": '[{"a":1}' })).rejects.toMatchObject({
      code: "json-unreadable",
    });
    await expect(
      read({ files: [{ path: "rows.parquet" }] }, { "rows.parquet": "PAR1 not really" }),
    ).rejects.toMatchObject({ code: "parquet-unreadable" });
    await expect(read({}, { "rows.csv": "text,text\na,b\n" })).rejects.toMatchObject({ code: "csv-unreadable" });
  });

  it("a digest other than the pinned one", async () => {
    const { digest } = await read({}, { "rows.csv": "text,class\na,1\n" });
    await expect(read({ sha256: digest }, { "rows.csv": "text,class\na,1\n" })).resolves.toMatchObject({ digest });
    await expect(read({ sha256: digest }, { "rows.csv": "text,class\na,0\n" })).rejects.toMatchObject({
      code: "dataset-digest",
      diagnostic: { expected: digest },
    });
  });
});
