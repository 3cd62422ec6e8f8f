import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { parquetWriteBuffer } from "hyparquet-writer";
import { describe, expect, it } from "vitest";
import { readPredictions } from "../../../eval/predictions/read.ts";
import type { ReadPredictionsOptions } from "../../../eval/predictions/table.ts";
import { folderWith } from "../dataset/build.ts";

const binary = { task: "binary-classification" } as const;
const read = (content: string | Uint8Array, options: Partial<ReadPredictionsOptions> = {}, name = "p.csv") =>
  readPredictions(join(folderWith({ [name]: content }), name), { ...binary, ...options });

describe("binary files with a column per class", () => {
  const file = "id,label,p_no,p_yes\na,yes,0.1,0.9\nb,no,0.75,0.25\n";

  it("score the last class in sorted order, as scikit-learn does, or --positive, and say so", async () => {
    const { predictions, notes } = await read(file);
    expect(predictions).toMatchObject({
      classes: ["no", "yes"],
      labels: Float64Array.of(1, 0),
      scores: Float64Array.of(0.9, 0.25),
      slices: {},
    });
    expect(notes).toEqual([expect.stringMatching(/p_yes is taken as the score: "yes".*--positive chooses/)]);
    const other = await read(file, { positive: "no" });
    expect(other.predictions).toMatchObject({
      classes: ["yes", "no"],
      labels: Float64Array.of(0, 1),
      scores: Float64Array.of(0.1, 0.75),
    });
    expect(other.notes).toEqual([]);
  });

  it("may name the classes 0 and 1, in any order", async () => {
    const { predictions, notes } = await read("id,label,p_1,p_0\na,1.0,0.9,0.1\nb,0,0.25,0.75\n");
    expect(predictions).toMatchObject({ labels: Float64Array.of(1, 0), scores: Float64Array.of(0.9, 0.25) });
    expect(notes).toEqual([]);
  });

  it("are refused with a label that has no column, and warned of when they do not add up to 1", async () => {
    await expect(read(file.replace("b,no", "b,nein"))).rejects.toThrow(/p\.csv:3: label "nein"[^]*no or yes/);
    await expect(read(file, { positive: "maybe" })).rejects.toThrow(/no row has this label|--positive/);
    expect((await read(file.replace("0.75", "0.5"))).notes).toContainEqual(
      expect.stringMatching(/p_no and p_yes do not add up to 1 \(.*p\.csv:3: 0\.75\)/),
    );
    await expect(read("id,label,p_a,p_b,p_c\nx,a,1,0,0\n")).rejects.toThrow(/--task multiclass-classification/);
  });
});

describe("text of any origin", () => {
  const european = "id;label;score;Ort\na;1;0,9;Köln\nb;0;0,25;Köln\n";

  it("is read as declared, or as the file shows, and what was assumed is said", async () => {
    const bytes = Buffer.from(european, "latin1");
    await expect(read(bytes)).rejects.toMatchObject({
      code: "encoding",
      diagnostic: { place: expect.stringMatching(/p\.csv:2$/) },
    });
    const { predictions, notes } = await read(bytes, { text: { encoding: "latin1" } });
    expect(predictions).toMatchObject({ scores: Float64Array.of(0.9, 0.25), slices: { Ort: ["Köln", "Köln"] } });
    expect(notes).toEqual([expect.stringMatching(/semicolon/), expect.stringMatching(/decimal comma/)]);
    const packed = await read(
      gzipSync(bytes),
      { text: { encoding: "latin1", delimiter: ";", decimal: "," } },
      "p.csv.gz",
    );
    expect(packed.predictions).toMatchObject({ scores: predictions.scores });
    expect(packed.notes).toEqual([]);
  });

  it("names the declaration that would help", async () => {
    await expect(read('id,label,score\na,1,"0,9"\n')).rejects.toThrow(/--decimal ,/);
    await expect(read("a,1,0.5\nb,0,0.5\n")).rejects.toThrow(/first line seems to be data/);
  });

  it("ids and slices in two Unicode forms are one, and that is said", async () => {
    const [composed, decomposed] = ["\u00e9", "e\u0301"];
    const { predictions, notes } = await read(
      `id,label,score,s\n${decomposed},1,0.9,${composed}\nb,0,0.2,${decomposed}\n`,
    );
    expect(predictions).toMatchObject({ ids: [composed, "b"], slices: { s: [composed, composed] } });
    expect(notes).toEqual([expect.stringMatching(/2 texts were not in Unicode normal form C/)]);
    await expect(read(`id,label,score\n${decomposed},1,0.9\n${composed},0,0.2\n`)).rejects.toMatchObject({
      code: "duplicate-id",
    });
  });

  it("long integers as ids keep every digit in JSON Lines", async () => {
    const { predictions } = await read(
      '{"id":9007199254740993,"label":1,"score":0.9}\n{"id":9007199254740992,"label":0,"score":0.1}\n',
      {},
      "p.jsonl",
    );
    expect(predictions.ids).toEqual(["9007199254740993", "9007199254740992"]);
  });

  it("a column of many values is no slice column unless it is asked for", async () => {
    const rows = Array.from({ length: 30 }, (_, i) => `r${i},${i % 2},0.5,free text ${i},s${i % 3}`).join("\n");
    const file = `id,label,score,text,source\n${rows}\n`;
    const { predictions, notes } = await read(file, { largestSliceCount: 10 });
    expect(Object.keys(predictions.slices)).toEqual(["source"]);
    expect(notes).toEqual([expect.stringMatching(/"text" has 30 different values.*--slices text/)]);
    const asked = await read(file, { largestSliceCount: 10, slices: ["text"] });
    expect(Object.keys(asked.predictions.slices)).toEqual(["text"]);
  });
});

describe("Parquet predictions", () => {
  const rows = 700;
  const label = Array.from({ length: rows }, (_, i) => i % 2);
  const score = Array.from({ length: rows }, (_, i) => i / 7);
  const columns = (id: unknown[], more: { name: string; data: unknown[]; type: string }[] = []) =>
    new Uint8Array(
      parquetWriteBuffer({
        columnData: [
          { name: "id", data: id, type: typeof id[0] === "bigint" ? "INT64" : "STRING" },
          { name: "label", data: label, type: "INT32" },
          { name: "score", data: score, type: "DOUBLE" },
          ...more,
        ] as Parameters<typeof parquetWriteBuffer>[0]["columnData"],
        rowGroupSize: 256,
      }),
    );
  const slice = Array.from({ length: rows }, (_, i) => (i % 5 === 0 ? null : i % 5 === 1 ? "" : `s${i % 3}`));

  it.each([
    ["texts as ids", Array.from({ length: rows }, (_, i) => `row-${i}`)],
    ["texts that are not ASCII", Array.from({ length: rows }, (_, i) => `é${i}`)],
    ["integers beyond 2^53 as ids", Array.from({ length: rows }, (_, i) => 9007199254740993n + BigInt(i))],
  ])("are the same as in CSV: %s", async (_, ids) => {
    const csv = [
      "id,label,score,s,weight",
      ...ids.map((id, i) => `${id},${label[i]},${score[i]},${slice[i] ?? ""},${i}`),
    ].join("\n");
    const more = [
      { name: "s", data: slice, type: "STRING" },
      { name: "weight", data: Array.from(ids.keys()), type: "INT32" },
    ];
    const ours = await read(columns(ids, more), {}, "p.parquet");
    const theirs = await read(csv);
    expect({ ...ours.predictions }).toEqual({ ...theirs.predictions });
    expect(ours.notes.filter((note) => !note.startsWith("scores"))).toEqual(
      theirs.notes.filter((note) => !note.startsWith("scores")),
    );
  });

  it("are refused row by row where a value is missing or twice", async () => {
    const ids = Array.from({ length: rows }, (_, i) => `row-${i === 699 ? 3 : i}`);
    await expect(read(columns(ids), {}, "p.parquet")).rejects.toThrow(
      /p\.parquet\[699\]: id "row-3" is already taken by .*\[3\]/,
    );
    const holes = { name: "weight", data: label.map((_, i) => (i === 500 ? null : 1)), type: "INT32" };
    const unique = Array.from({ length: rows }, (_, i) => `row-${i}`);
    await expect(read(columns(unique, [holes]), {}, "p.parquet")).rejects.toThrow(/p\.parquet\[500\]: weight/);
  });

  it("cannot be told an encoding", async () => {
    const file = join(folderWith({}), "p.parquet");
    writeFileSync(file, columns(Array.from({ length: rows }, (_, i) => `row-${i}`)));
    await expect(readPredictions(file, { ...binary, text: { encoding: "latin1" } })).rejects.toMatchObject({
      code: "text-option",
    });
  });
});
