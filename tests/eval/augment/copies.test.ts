import { describe, expect, it } from "vitest";
import { withCopies as copiesOf } from "../../../eval/augment/copies.ts";
import type { EvaluationDataset } from "../../../eval/dataset/read.ts";
import { originOf } from "../../../eval/dataset/copy-id.ts";
import { chosenRows } from "../../../eval/augment/row-stream.ts";
import { isWeaker } from "../../../eval/dataset/weaker-augmentation.ts";
import type { TrueSpans } from "../../../eval/dataset/true-value.ts";
import { augmentation, type Augmentation } from "../../../models/core/manifest/augmentations.ts";
import { manifestWith, read, type DatasetInput } from "../dataset/build.ts";
import type { Augmentations } from "./team.ts";

const csv = `id,class,text,kind,who\n${Array.from({ length: 40 }, (_, i) => `r${i},${i % 2},some words to type ${i},${i % 3},w${i % 4}`).join("\n")}\n`;
const typos: Augmentations[number] = { name: "typos", kind: "typos", field: "text", rate: 1 };
const declared = (augmentations: Augmentations, more: DatasetInput = {}) =>
  read({ idField: "id", slices: ["kind"], group: "who", ...more, augmentations }, { "rows.csv": csv });

const withCopies = (dataset: EvaluationDataset) => copiesOf(dataset, manifestWith({}));

describe("copies", () => {
  it("are apart from the rows, and have their row's true value, slices and cluster", async () => {
    const dataset = withCopies(await declared([typos]));
    expect(dataset.rows.length).toBe(40);
    expect(dataset.slices).toEqual(["kind"]);
    const copies = dataset.copies!;
    expect(copies.slices).toEqual(["kind", "augmentation"]);
    copies.rows.forEach((copy, i) => {
      const row = dataset.rows[i]!;
      expect(copy).toMatchObject({ id: `typos/${row.id}`, labels: row.labels, group: row.group });
      expect(copy.slices).toEqual({ ...row.slices, augmentation: "typos" });
      expect(copy.row["text"]).not.toBe(row.row["text"]);
      expect({ ...copy.row, text: "" }).toEqual({ ...row.row, text: "" });
      expect(originOf(copy.id)).toBe(row.id);
    });
    expect(copies.placeOf(3)).toBe("rows.csv:5, typos");
  });

  it("are the same whenever they are read, and by any other order of the rows", async () => {
    const texts = async (lines: string) => {
      const rows = await read({ idField: "id", augmentations: [typos] }, { "rows.csv": lines });
      return new Map(withCopies(rows).copies!.rows.map(({ id, row }) => [id, row["text"]]));
    };
    const [head, ...lines] = csv.trimEnd().split("\n");
    const first = await texts(csv);
    expect(await texts(csv)).toEqual(first);
    const other = await texts([head, ...lines.toReversed()].join("\n"));
    for (const [id, text] of first) expect(other.get(id)).toBe(text);
  });

  it("differ by seed, by name and by the dataset's id", async () => {
    const textOf = async (one: object, more: DatasetInput = {}) =>
      withCopies(await declared([{ ...typos, ...one }], more))
        .copies!.rows.map(({ row }) => row["text"])
        .join();
    const all = [
      await textOf({}),
      await textOf({ seed: 7 }),
      await textOf({ name: "others" }),
      await textOf({}, { id: "other" }),
    ];
    expect(new Set(all).size).toBe(4);
    // A declared seed takes the place of the dataset's id.
    expect(await textOf({ seed: 7 }, { id: "other" })).toBe(all[1]);
  });

  it("are made of rows that have something to alter, and leave alone what is no text", async () => {
    const dataset = await read(
      { files: [{ path: "rows.jsonl" }], augmentations: [typos] },
      {
        "rows.jsonl": ["{}", '{"text": null}', '{"text": ""}', '{"text": 5}', '{"text": "some words"}']
          .map((row) => row.replace("{", '{"class": 0' + (row === "{}" ? "" : ",")))
          .join("\n"),
      },
    );
    const { rows, placeOf } = withCopies(dataset).copies!;
    expect(rows.map(({ id }) => id)).toEqual(["typos/rows:3", "typos/rows:4"]);
    expect(rows.map(({ row }) => row["text"])).toEqual([5, expect.not.stringMatching(/^some words$/)]);
    expect(placeOf(1)).toBe("rows.jsonl:5, typos");
    const two = withCopies({ ...dataset, augmentations: [{ ...typos, field: "text", rows: 2 }] as Augmentation[] });
    expect(two.copies?.rows.length).toBe(2);
  });

  it("have true spans where the words went, of the text that is altered only", async () => {
    const entities = {
      task: "token-classification" as const,
      preprocess: { tokens: { kind: "text" as const }, notes: { kind: "text" as const, field: "note" } },
      postprocess: ["text", "note"].map((name) => ({
        name,
        from: "logits",
        kind: "spans" as const,
        text: name === "text" ? "tokens" : "notes",
        labels: ["O", "B-X"],
      })),
    };
    const line = (i: number) => ({
      text: `Anna visited Berlin with a B${"x".repeat(i)}`,
      note: "Bo",
      of_text: [
        { start: 0, end: 4, type: "X" },
        { start: 13, end: 19, type: "X" },
      ],
      of_note: [{ start: 0, end: 2, type: "X" }],
    });
    const set: DatasetInput = {
      files: [{ path: "rows.jsonl" }],
      labels: { text: { field: "of_text" }, note: { field: "of_note" } },
      augmentations: [typos],
    };
    const lines = Array.from({ length: 40 }, (_, i) => `${JSON.stringify(line(i))}\n`).join("");
    const dataset = await read(set, { "rows.jsonl": lines }, entities);
    const { rows } = copiesOf(dataset, manifestWith(set, entities)).copies!;
    for (const { row, labels } of rows) {
      const words = String(row["text"]).split(" ");
      const { spans } = labels["text"] as TrueSpans;
      expect(spans.map(({ start, end }) => String(row["text"]).slice(start, end))).toEqual([words[0], words[2]]);
      expect(words[0]).not.toBe("Anna");
      expect(labels["note"]).toEqual({ kind: "spans", spans: [{ start: 0, end: 2, type: "X" }] });
    }
  });

  it("leave a text alone that would lose a span of one letter", async () => {
    const entities = {
      task: "token-classification" as const,
      postprocess: [{ name: "text", from: "logits", kind: "spans" as const, labels: ["O", "B-X"] }],
    };
    const set: DatasetInput = {
      files: [{ path: "rows.jsonl" }],
      labels: { text: { field: "spans" } },
      augmentations: [typos],
    };
    const line = `${JSON.stringify({ text: "ab", spans: [{ start: 0, end: 1, type: "X" }] })}\n`;
    const dataset = await read(set, { "rows.jsonl": line.repeat(200) }, entities);
    const { rows } = copiesOf(dataset, manifestWith(set, entities)).copies!;
    const texts = rows.map(({ row }) => row["text"]);
    expect(texts).not.toContain("b");
    expect(texts).toContain("ab");
    for (const { labels } of rows)
      for (const { start, end } of (labels["text"] as TrueSpans).spans) expect(end).toBeGreaterThan(start);
  });

  it("cannot take an id that a row has", async () => {
    const dataset = await read(
      { idField: "id", augmentations: [typos] },
      { "rows.csv": "id,class,text\na,0,x\ntypos/a,1,y\n" },
    );
    expect(() => withCopies(dataset)).toThrow(/row typos\/a has the id that the copy typos of row a needs/);
  });
});

describe("the digest", () => {
  it("is the rows' without augmentations, and another with each change of one", async () => {
    const digestOf = async (augmentations: Augmentations) => (await declared(augmentations)).digest;
    const digests = [
      await digestOf([]),
      await digestOf([typos]),
      await digestOf([{ ...typos, rate: 0.5 }]),
      await digestOf([{ ...typos, seed: 1 }]),
      await digestOf([{ ...typos, share: 0.5 }]),
      await digestOf([typos, { ...typos, name: "more" }]),
    ];
    expect(new Set(digests).size).toBe(digests.length);
    expect(digests[0]).toBe((await declared([])).digest);
  });

  it("of copies is not that of the rows, and follows the id that seeds them", async () => {
    const one = withCopies(await declared([typos]));
    const other = withCopies(await declared([typos], { id: "other" }));
    expect(other.digest).toBe(one.digest);
    expect(new Set([one.digest, one.copies!.digest, other.copies!.digest]).size).toBe(3);
  });
});

describe("some of the rows", () => {
  const ids = Array.from({ length: 1000 }, (_, i) => `row ${i}`);
  const one = { name: "dark" };

  it("are a share, or so many, in their order, the same each time", () => {
    const share = chosenRows({ ...one, share: 0.25 }, "set", ids);
    // Expected 250, with a standard deviation of 14.
    expect(Math.abs(share.length - 250)).toBeLessThan(60);
    expect(share).toEqual(share.toSorted((a, b) => a - b));
    expect(chosenRows({ ...one, share: 0.25 }, "set", ids)).toEqual(share);
    const many = chosenRows({ ...one, rows: 100 }, "set", ids);
    expect(new Set(many).size).toBe(100);
    expect(chosenRows({ ...one, rows: 5000 }, "set", ids).length).toBe(1000);
    expect(chosenRows(one, "set", ids).length).toBe(1000);
  });

  it("stay when other rows come or go", () => {
    const chosen = chosenRows({ ...one, share: 0.25 }, "set", ids).map((row) => ids[row]);
    const fewer = ids.filter((_, i) => i % 3 !== 0);
    expect(chosenRows({ ...one, share: 0.25 }, "set", fewer).map((row) => fewer[row])).toEqual(
      chosen.filter((id) => fewer.includes(id!)),
    );
  });

  it("of which there are none make no copies", async () => {
    const dataset = withCopies(await declared([{ ...typos, share: 1e-9 }]));
    expect(dataset.copies).toBeUndefined();
    expect(dataset.augmentations?.length).toBe(1);
  });
});

describe("weaker", () => {
  const parse = (one: object): Augmentation => augmentation.parse({ name: "x", ...one });
  const bright = (factor: number, more = {}) => parse({ kind: "image-brightness", factor, ...more });
  const rotate = (degrees: number) => parse({ kind: "image-rotate", degrees });
  it.each<[string, Augmentation, Augmentation | undefined, boolean]>([
    ["the same", bright(0.6), bright(0.6), false],
    ["lighter", bright(0.6), bright(0.8), true],
    ["darker", bright(0.6), bright(0.4), false],
    ["black", bright(0.6), bright(0), false],
    ["to the other side", bright(0.6), bright(1.6), true],
    ["none of it", bright(0.6), bright(1), true],
    ["turned less", rotate(20), rotate(10), true],
    ["turned the other way", rotate(20), rotate(-20), true],
    ["turned more", rotate(-20), rotate(-40), false],
    ["another kind", rotate(20), parse({ kind: "image-blur", sigma: 9 }), true],
    ["another field", bright(0.6), bright(0.6, { field: "other" }), true],
    ["gone", bright(0.6), undefined, true],
    ["another seed", bright(0.6), bright(0.6, { seed: 4 }), false],
    ["a share of the rows", bright(0.6), bright(0.6, { share: 0.9 }), true],
    ["all of the rows", bright(0.6, { share: 0.9 }), bright(0.6), false],
    ["fewer rows", bright(0.6, { rows: 90 }), bright(0.6, { rows: 80 }), true],
    ["so many rows in place of all", bright(0.6), bright(0.6, { rows: 80 }), true],
    ["all in place of so many", bright(0.6, { rows: 80 }), bright(0.6), false],
    ["fewer typing errors", parse({ kind: "typos", rate: 0.2 }), parse({ kind: "typos", rate: 0.1 }), true],
    ["less noise", parse({ kind: "image-noise", level: 0.2 }), parse({ kind: "image-noise", level: 0.1 }), true],
  ])("%s", (_, before, after, expected) => {
    expect(isWeaker(before, after)).toBe(expected);
  });
});
