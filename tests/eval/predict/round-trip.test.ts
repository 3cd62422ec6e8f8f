import { join } from "node:path";
import { writeFile } from "node:fs/promises";
import { readdirSync, readFileSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readPredictions } from "../../../eval/predictions/read.ts";
import { rowsDigest } from "../../../eval/predictions/rows-digest.ts";
import { writePredictions } from "../../../eval/predictions/write.ts";
import type { Predictions } from "../../../eval/predictions/predictions.ts";
import { folderWith } from "../dataset/build.ts";
import { binary, multiclass } from "./build.ts";

// Files hold no NUL, and readers compare texts in normal form C.
const weird = fc.oneof(
  fc.string({ unit: "binary", maxLength: 12 }).map((text) => text.replaceAll("\0", "0").normalize("NFC")),
  fc.constantFrom(
    "=1+1",
    "+x",
    "@cmd",
    "-2",
    "a,b",
    'say "hi"',
    '"',
    "two\nlines",
    "cr\ronly",
    "crlf\r\n",
    " padded ",
    "",
    "\uFEFFbom",
    "007",
    "1e3",
    "NaN",
    "null",
    "true",
    "naïve 😀",
    "\u2028",
    "\t",
    "\\",
    "#c",
    "constructor",
    "__proto__",
  ),
);
const number = fc.double({ noNaN: true, noDefaultInfinity: true });
// No backslash in column names: once V8 13.6 has parsed such a key, it misreads other escaped keys (nodejs/node#63785).
const slices = (length: number, taken: RegExp) =>
  fc.dictionary(
    weird.filter((name) => name !== "" && !name.includes("\\") && !taken.test(name)),
    // An empty slice value is read as missing.
    fc.array(
      weird.map((value) => value || "(missing)"),
      { minLength: length, maxLength: length },
    ),
    { maxKeys: 3, noNullPrototype: true },
  );
const columns = (length: number, taken: RegExp) =>
  fc.record({
    slices: slices(length, taken),
    groups: fc.option(fc.array(weird, { minLength: length, maxLength: length })),
    weights: fc.option(
      fc.array(number.map(Math.abs), { minLength: length, maxLength: length }).map((list) => Float64Array.from(list)),
    ),
  });

const singles = fc.uniqueArray(fc.tuple(weird, fc.constantFrom(0, 1), number), {
  minLength: 1,
  maxLength: 8,
  selector: ([id]) => id,
});
const anyBinary = singles.chain((rows) =>
  fc
    .tuple(
      columns(rows.length, /^(id|label|score|group|weight|entity)$/),
      fc.option(fc.array(weird, { minLength: rows.length, maxLength: rows.length })),
    )
    .map(([more, entities]) => binary(rows, { ...more, ...(entities === null ? {} : { entities }) })),
);
const anyRegression = singles.chain((rows) =>
  fc
    .tuple(
      columns(rows.length, /^(id|label|score|group|weight|naive_scale)$/),
      fc.array(number, { minLength: rows.length, maxLength: rows.length }),
      fc.boolean(),
    )
    .map(([more, labels, scaled]): Predictions => ({
      ...binary(rows, more),
      task: "regression",
      classes: [],
      labels: Float64Array.from(labels),
      ...(scaled ? { naiveScales: Float64Array.from(labels, Math.abs) } : {}),
    })),
);
const anyMulticlass = fc
  .uniqueArray(
    weird.filter((name) => !name.includes("\\")),
    { minLength: 2, maxLength: 4 },
  )
  .chain((classes) =>
    fc
      .uniqueArray(
        fc.tuple(
          weird,
          fc.nat(classes.length - 1),
          fc.array(number, { minLength: classes.length, maxLength: classes.length }),
        ),
        { minLength: 1, maxLength: 6, selector: ([id]) => id },
      )
      .chain((rows) =>
        columns(rows.length, /^(id|label|predicted|group|weight)$|^p_/).map((more) => multiclass(classes, rows, more)),
      ),
  );

const folder = folderWith({});

describe.each(["csv", "jsonl"])("predictions written as %s", (extension) => {
  it.each([
    ["binary", anyBinary],
    ["regression", anyRegression],
    ["multiclass", anyMulticlass],
  ] as const)("are read back the same, bit for bit: %s", async (_, arbitrary) => {
    await fc.assert(
      fc.asyncProperty(arbitrary as fc.Arbitrary<Predictions>, async (predictions) => {
        const file = join(folder, `p.${extension}`);
        await writePredictions(file, predictions);
        const { predictions: back } = await readPredictions(file, { task: predictions.task });
        // toEqual distinguishes 0 from -0 inside typed arrays. Columns named __proto__ need own keys on both sides.
        expect({ ...back, slices: Object.entries(back.slices).toSorted() }).toEqual({
          ...predictions,
          slices: Object.entries(predictions.slices).toSorted(),
        });
        expect(Buffer.from(back.scores.buffer)).toEqual(Buffer.from(Float64Array.from(predictions.scores).buffer));
      }),
      { numRuns: 60 },
    );
  });

  it("keep class names and the head's name when these are given", async () => {
    const predictions = binary(
      [
        ["a", 1, 0.1 + 0.2],
        ["b", 0, 5e-324],
      ],
      { classes: ["pos", "neg"], head: "mood" },
    );
    const file = join(folder, `names.${extension}`);
    await writePredictions(file, predictions);
    expect(
      (await readPredictions(file, { task: "binary-classification", classes: ["pos", "neg"], head: "mood" }))
        .predictions,
    ).toEqual(predictions);
  });
});

it("a file is written whole or not at all, and only as CSV or JSON Lines", async () => {
  const where = folderWith({});
  const clash = binary([["a", 1, 1]], { slices: { score: ["x"] } });
  await expect(writePredictions(join(where, "p.csv"), clash)).rejects.toMatchObject({ code: "slice-column-name" });
  await expect(writePredictions(join(where, "p.parquet"), clash)).rejects.toMatchObject({ code: "unknown-format" });
  expect(readdirSync(where)).toEqual([]);
  await writePredictions(
    join(where, "p.csv"),
    binary([["a", 1, 0.25]], { slices: { region: ["x,y"] }, weights: Float64Array.of(2), groups: ["g"] }),
  );
  expect(readFileSync(join(where, "p.csv"), "utf8")).toBe('id,label,score,group,weight,region\na,1,0.25,g,2,"x,y"\n');
  expect(readdirSync(where)).toEqual(["p.csv"]);
});

describe("altered copies of rows", () => {
  const row = (id: string, score: number): [string, number, number] => [id, 1, score];
  const whole: Predictions = {
    ...binary([row("a", 0.25), row("b", 0.5)], { slices: { camera: ["old", "new"] }, groups: ["g", "h"] }),
    copies: binary([row("dark/a", 0.75), row("dark/b", 1), row("noisy/a", 0)], {
      slices: { camera: ["old", "new", "old"], augmentation: ["dark", "dark", "noisy"] },
      groups: ["g", "h", "g"],
    }),
  };

  it.each(["csv", "jsonl"])("are read back apart from the rows, whichever slices are wanted: %s", async (extension) => {
    const file = join(folder, `copies.${extension}`);
    await writePredictions(file, whole);
    const options = { task: "binary-classification" as const, head: whole.head };
    const { predictions, notes } = await readPredictions(file, options);
    expect(predictions).toEqual(whole);
    expect(notes).toContainEqual(expect.stringMatching(/3 rows are altered copies/));
    const { predictions: without } = await readPredictions(file, { ...options, slices: [] });
    expect(without.ids).toEqual(["a", "b"]);
    expect(without.slices).toEqual({});
    expect(without.copies?.slices).toEqual({ augmentation: ["dark", "dark", "noisy"] });
    const { predictions: asked } = await readPredictions(file, { ...options, slices: ["augmentation"] });
    expect(asked).toEqual(without);
  });

  it("may come in any order, and a file without any has none", async () => {
    const file = join(folder, "mixed.jsonl");
    const lines = [
      { id: "x/a", label: 1, score: 0.5, augmentation: "x" },
      { id: "a", label: 1, score: 0.25 },
      { id: "b", label: 0, score: 0.5, augmentation: null },
    ];
    await writeFile(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    const { predictions } = await readPredictions(file, { task: "binary-classification" });
    expect([predictions.ids, predictions.copies?.ids]).toEqual([["a", "b"], ["x/a"]]);
    await writeFile(
      file,
      lines
        .slice(1)
        .map((line) => `${JSON.stringify(line)}\n`)
        .join(""),
    );
    const { predictions: none } = await readPredictions(file, { task: "binary-classification", slices: [] });
    expect([none.ids, none.copies, none.slices]).toEqual([["a", "b"], undefined, {}]);
  });

  it("have a digest of their own in that of the file", async () => {
    const { copies, ...plain } = whole;
    const other = { ...whole, copies: { ...copies!, ids: ["dark/a", "dark/c", "noisy/a"] } };
    expect(new Set([plain, whole, other].map((one) => rowsDigest(one))).size).toBe(3);
  });

  it("cannot be written as a slice of rows", async () => {
    const file = join(folder, "slice.csv");
    await expect(
      writePredictions(file, binary([row("a", 0.25)], { slices: { augmentation: ["dark"] } })),
    ).rejects.toMatchObject({ code: "slice-column-name" });
  });
});
