import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { stringify } from "csv-stringify/sync";
import { describe, expect, it } from "vitest";
import { canonical } from "../../../eval/dataset/canonical.ts";
import { read } from "./build.ts";

const rows = fc.array(
  fc.record({
    text: fc.string({ unit: "grapheme", maxLength: 20 }),
    class: fc.constantFrom("0", "1"),
    source: fc.constantFrom("a", "b,c", "d\ne"),
    extra: fc.oneof(
      fc
        .double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 })
        .map((x) => Math.round(x * 100) / 100 + 0),
      fc.boolean(),
    ),
  }),
  { minLength: 1, maxLength: 6 },
);

const inFile = (path: string) => ({ files: [{ path }], slices: ["source"] });
const digest = async (list: unknown[]) =>
  (await read({ ...inFile("r.json"), idField: "id", group: "g", weight: "w" }, { "r.json": JSON.stringify(list) }))
    .digest;

describe("the dataset's digest", () => {
  it("is the same for the same rows in CSV, JSON Lines and a JSON array, in any folder", async () => {
    await fc.assert(
      fc.asyncProperty(rows, async (list) => {
        const csv = await read(inFile("rows.csv"), {
          "rows.csv": stringify(list, {
            header: true,
            quoted_empty: true,
            quoted_match: /\r/,
            cast: { boolean: String },
          }),
        });
        const lines = await read(inFile("deep/er/rows.jsonl"), {
          "deep/er/rows.jsonl": list.map((row) => JSON.stringify(row)).join("\n"),
        });
        const array = await read(inFile("rows.json"), { "rows.json": JSON.stringify(list, null, 1) });
        expect(csv.rows).toEqual(lines.rows);
        expect(new Set([csv.digest, lines.digest, array.digest]).size).toBe(1);
      }),
      { numRuns: 25 },
    );
  });

  it("changes with a value, a label, an id, a slice, a group, a weight and the order", async () => {
    const base = { id: "a", text: "x", class: 1, source: "s", g: "1", w: 1 };
    const other = { ...base, id: "b" };
    const variants = [
      [base, other],
      [{ ...base, text: "y" }, other],
      [{ ...base, class: 0 }, other],
      [{ ...base, id: "c" }, other],
      [{ ...base, source: "t" }, other],
      [{ ...base, g: "2" }, other],
      [{ ...base, w: 2 }, other],
      [other, base],
      [base],
    ];
    expect(new Set(await Promise.all(variants.map(digest))).size).toBe(variants.length);
  });

  it("changes with the entity that is declared, and not where none is", async () => {
    const list = JSON.stringify([{ id: "a", text: "x", class: 1, card: "1", shop: "2" }]);
    const withEntity = async (entity?: string) =>
      (await read({ ...inFile("r.json"), slices: [], ...(entity === undefined ? {} : { entity }) }, { "r.json": list }))
        .digest;
    expect(new Set([await withEntity(), await withEntity("card"), await withEntity("shop")]).size).toBe(3);
  });

  it("does not change with the order of fields or with fields that are null", async () => {
    const one = await read({ files: [{ path: "r.json" }] }, { "r.json": '[{"text":"a","n":1,"class":1,"z":null}]' });
    const two = await read({ files: [{ path: "r.json" }] }, { "r.json": '[{"class":1,"n":1.0,"text":"a"}]' });
    expect(one.digest).toBe(two.digest);
  });

  it("is stable: this content has this digest in every version", async () => {
    const dataset = await read({ slices: ["source"] }, { "rows.csv": "text,class,source\nfine,1,a\nbad,0,b\n" });
    const text =
      'sluice-dataset 1\n["rows:0",{"source":"a","text":"fine"},{"sentiment":"pos"},{"source":"a"},null,null]\n["rows:1",{"source":"b","text":"bad"},{"sentiment":"neg"},{"source":"b"},null,null]\n';
    expect(dataset.digest).toBe(createHash("sha256").update(text).digest("hex"));
  });
});

it("canonical texts differ for values that a model may answer differently", () => {
  const values = [
    1,
    "1",
    true,
    "true",
    null,
    0,
    -0,
    NaN,
    "NaN",
    Infinity,
    [1],
    [[1]],
    { a: 1 },
    { a: "1" },
    { b: 1 },
    new Uint8Array([1]),
    "",
    1e21,
  ];
  expect(new Set(values.map(canonical)).size).toBe(values.length);
});
