import { join } from "node:path";
import { parquetWriteBuffer } from "hyparquet-writer";
import { describe, expect, it } from "vitest";
import { pairPredictions } from "../../../eval/predictions/pair.ts";
import type { Predictions } from "../../../eval/predictions/predictions.ts";
import { readPredictions } from "../../../eval/predictions/read.ts";
import { rowsDigest } from "../../../eval/predictions/rows-digest.ts";
import type { ReadPredictionsOptions } from "../../../eval/predictions/table.ts";
import { writePredictions } from "../../../eval/predictions/write.ts";
import type { Task } from "../../../models/core/manifest/manifest.ts";
import { folderWith } from "../dataset/build.ts";
import { predictionsOf, ranking, spans, texts } from "../metrics/answer-samples.ts";

type Row = Record<string, unknown>;
const jsonl = (rows: readonly Row[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join("");
const cell = (value: unknown): string => {
  const text = typeof value === "string" ? value : value === null ? "" : JSON.stringify(value);
  return `"${text.replaceAll('"', '""')}"`;
};
const csv = (rows: readonly Row[]): string =>
  [Object.keys(rows[0]!), ...rows.map((row) => Object.values(row))].map((line) => line.map(cell).join(",")).join("\n");
const parquet = (rows: readonly Row[]): Uint8Array =>
  new Uint8Array(
    parquetWriteBuffer({
      columnData: Object.keys(rows[0]!).map((name) => {
        const values = rows.map((row) => row[name]);
        return typeof values[0] === "number"
          ? { name, data: values as number[], type: "DOUBLE" as const }
          : {
              name,
              data: values.map((value) => (typeof value === "string" ? value : JSON.stringify(value))),
              type: "STRING" as const,
            };
      }),
    }),
  );

async function read(
  task: Task,
  content: string | Uint8Array,
  name = "p.jsonl",
  more: Partial<ReadPredictionsOptions> = {},
) {
  return (await readPredictions(join(folderWith({ [name]: content }), name), { task, ...more })).predictions;
}

const person = { start: 0, end: 3, type: "PER" };
const forms: { task: Task; rows: Row[]; answers: Predictions["answers"] }[] = [
  {
    task: "ranking",
    rows: [
      { id: "u1", relevant: ["a", "b"], ranked: ["b", "c"], gains: [2, 1], group: "g", weight: 1, seg: "x" },
      { id: "u2", relevant: [], ranked: [7, "007"], gains: [], group: "h", weight: 2, seg: "y" },
    ],
    answers: ranking(
      [["a", "b"], []],
      [
        ["b", "c"],
        ["7", "007"],
      ],
      { gains: [[2, 1], []] },
    ),
  },
  {
    task: "token-classification",
    rows: [
      { id: "u1", label: [{ ...person, start: 5, end: 7 }, person], predicted: [], group: "g", weight: 1, seg: "x" },
      { id: "u2", label: [], predicted: [person], group: "h", weight: 2, seg: "y" },
    ],
    answers: spans([[person, { start: 5, end: 7, type: "PER" }], []], [[], [person]]),
  },
  {
    task: "translation",
    rows: [
      { id: "u1", reference: ["a b", "c"], hypothesis: "a", audio_seconds: 2, group: "g", weight: 1, seg: "x" },
      { id: "u2", reference: "[applause]", hypothesis: '["a"]', audio_seconds: 1.5, group: "h", weight: 2, seg: "y" },
    ],
    answers: {
      ...texts([["a b", "c"], "[applause]"], ["a", '["a"]']),
      audioSeconds: Float64Array.of(2, 1.5),
    } as Predictions["answers"],
  },
];

describe.each(forms)("a prediction file of $task", ({ task, rows, answers }) => {
  it("is the same in JSON Lines, JSON, CSV and Parquet", async () => {
    const files: [string, string | Uint8Array][] = [
      ["p.jsonl", jsonl(rows)],
      ["p.json", JSON.stringify(rows)],
      ["p.csv", csv(rows)],
      ["p.parquet", parquet(rows)],
    ];
    for (const [name, content] of files) {
      const found = await read(task, content, name);
      expect(found.answers, name).toEqual(answers);
      expect(found, name).toMatchObject({
        ids: ["u1", "u2"],
        groups: ["g", "h"],
        weights: Float64Array.of(1, 2),
        slices: { seg: ["x", "y"] },
        labels: new Float64Array(),
        scores: new Float64Array(),
      });
    }
  });

  it("is read as it was written", async () => {
    const folder = folderWith({});
    for (const name of ["p.csv", "p.jsonl"]) {
      const written = predictionsOf(answers!, { task, ids: ["u1", "u2"], slices: { seg: ["x", "y"] } });
      await writePredictions(join(folder, name), written);
      expect((await readPredictions(join(folder, name), { task })).predictions).toEqual(written);
    }
  });

  it("is paired by id, whatever the order, and refused where what is true differs", async () => {
    const own = await read(task, jsonl(rows));
    const moved = await read(task, jsonl(rows.toReversed()));
    const pair = pairPredictions(own, moved);
    expect(pair.status).toBe("paired");
    if (pair.status === "paired") expect(pair.baseline.answers).toEqual(own.answers);
    const truth = { ranking: "relevant", "token-classification": "label", translation: "reference" }[task as "ranking"];
    const other = {
      ranking: ["z"],
      "token-classification": [person, { ...person, start: 3, end: 4 }],
      translation: "z",
    }[task as "ranking"];
    const changed = await read(
      task,
      jsonl(
        rows.map((row, i) =>
          i === 1 ? { ...row, [truth]: other, ...(task === "ranking" ? { gains: [1] } : {}) } : row,
        ),
      ),
    );
    expect(pairPredictions(own, changed)).toMatchObject({
      status: "incomparable",
      reason: expect.stringMatching(/^different (relevant items|labelled spans|references): u2 \(/) as string,
    });
    expect(rowsDigest(own)).not.toBe(rowsDigest(changed));
    expect(rowsDigest(own)).toBe(rowsDigest(await read(task, csv(rows), "p.csv")));
  });

  it("names the columns that are missing, with an example", async () => {
    await expect(read(task, jsonl([{ id: "u1", score: 1 }]))).rejects.toMatchObject({
      code: "missing-column",
      diagnostic: { example: expect.stringContaining("{") as string },
    });
  });
});

describe("a row that holds no answer", () => {
  const spanRow = (label: unknown) => ({ label, predicted: [] });
  it.each<[Task, Row, RegExp]>([
    ["ranking", { relevant: "a", ranked: [] }, /relevant: is no JSON list/],
    ["ranking", { relevant: ["a"], ranked: ["b", "c", "b"] }, /ranked: "b" stands in it twice, at 1 and 3/],
    ["ranking", { relevant: ["1", 1], ranked: [] }, /relevant: "1" stands in it twice/],
    ["ranking", { relevant: ["a"], ranked: [["b"]] }, /ranked: entry 1 is no id/],
    ["ranking", { relevant: ["a"], ranked: [1.5] }, /ranked: entry 1 is no id/],
    ["ranking", { relevant: ["a"], ranked: null }, /ranked: is no JSON list/],
    ["ranking", { relevant: ["a", "b"], ranked: [], gains: [1] }, /1 gains for 2 relevant items/],
    ["ranking", { relevant: ["a"], ranked: [], gains: [-1] }, /gain 1 is no gain/],
    ["token-classification", spanRow({ ...person }), /label: is no JSON list/],
    ["token-classification", spanRow([3]), /span 1 is no object/],
    ["token-classification", spanRow([{ ...person, score: 1 }]), /unknown key "score"/],
    ["token-classification", spanRow([{ ...person, start: -1 }]), /lies outside the text/],
    ["token-classification", spanRow([{ ...person, end: 0 }]), /ends at 0, not after its start 0/],
    ["token-classification", spanRow([{ ...person, end: 2.5 }]), /no whole start and end/],
    ["token-classification", spanRow([{ ...person, type: "" }]), /has no type/],
    ["token-classification", spanRow([person, { ...person, start: 2, end: 9 }]), /\[0, 3\) and \[2, 9\) overlap/],
    ["translation", { reference: [], hypothesis: "" }, /reference: is an empty list/],
    ["translation", { reference: ["a", 1], hypothesis: "" }, /reference: entry 2 is no text/],
    ["translation", { reference: "a", hypothesis: ["b"] }, /hypothesis: is no text/],
    ["speech-to-text", { reference: "a", hypothesis: "a", audio_seconds: 0 }, /audio_seconds: is no length/],
  ])("is refused with its place: %s %j", async (task, row, problem) => {
    const good = {
      ranking: { relevant: ["a"], ranked: ["a"], ...("gains" in row ? { gains: [1] } : {}) },
      "token-classification": { label: [], predicted: [] },
      text: { reference: "a", hypothesis: "a", ...("audio_seconds" in row ? { audio_seconds: 1 } : {}) },
    }[task === "ranking" || task === "token-classification" ? task : "text"];
    await expect(
      read(
        task,
        jsonl([
          { id: "1", ...good },
          { id: "2", ...row },
        ]),
      ),
    ).rejects.toMatchObject({
      code: "malformed-answer",
      message: expect.stringMatching(problem) as string,
      diagnostic: { place: expect.stringMatching(/p\.jsonl:2$/) as string },
    });
  });

  it("is refused where a row lacks a field that the first one has", async () => {
    const rows = [
      { id: "1", relevant: ["a"], ranked: [], gains: [1] },
      { id: "2", relevant: ["a"], ranked: [] },
    ];
    await expect(read("ranking", jsonl(rows))).rejects.toMatchObject({ code: "malformed-row" });
    await expect(
      read(
        "translation",
        jsonl([
          { id: "1", reference: "a", hypothesis: "a" },
          { id: "2", reference: "a" },
        ]),
      ),
    ).rejects.toMatchObject({ code: "malformed-answer" });
  });
});

it("texts, items and types are compared in Unicode normal form C, and an empty cell is the empty text", async () => {
  const [composed, apart] = ["caf\u00e9", "cafe\u0301"];
  const own = await read("translation", `id,reference,hypothesis\n1,${composed},${apart}\n2,x,\n`, "p.csv");
  expect(own.answers).toEqual(texts([composed, "x"], [composed, ""]));
  const list = await read("ranking", jsonl([{ id: "1", relevant: [composed], ranked: [apart] }]));
  expect(list.answers).toEqual(ranking([[composed]], [[composed]]));
});

it("a catalogue cannot have fewer items than the lists", async () => {
  const file = jsonl([{ id: "1", relevant: ["a"], ranked: ["a", "b"] }]);
  expect(await read("ranking", file, "p.jsonl", { catalogueSize: 3 })).toMatchObject({ answers: { catalogueSize: 3 } });
  await expect(read("ranking", file, "p.jsonl", { catalogueSize: 1 })).rejects.toMatchObject({
    code: "catalogue-size",
  });
  await expect(
    read("translation", jsonl([{ id: "1", reference: "a", hypothesis: "a" }]), "p.jsonl", { catalogueSize: 3 }),
  ).rejects.toMatchObject({ code: "catalogue-size" });
});
