import { writeFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decimalAt, endOfDecimal } from "../../../eval/predictions/decimal-bytes.ts";
import { readPredictions } from "../../../eval/predictions/read.ts";
import type { ReadPredictionsOptions } from "../../../eval/predictions/table.ts";
import { rememberedIds } from "../../../eval/predictions/row-ids.ts";
import { rowsDigest } from "../../../eval/predictions/rows-digest.ts";
import { folderWith } from "../dataset/build.ts";

type Outcome = { scanned: boolean; result: unknown };
const folder = folderWith({});

async function outcome(text: string, options: ReadPredictionsOptions): Promise<Outcome> {
  const path = join(folder, "p.csv");

  writeFileSync(path, text);
  // Places are compared without the line that the variant adds.
  const line = (message: string) =>
    message.replaceAll(/p\.csv:(\d+)/g, (_, n: string) => `p.csv:${Number(n) - (text.startsWith("\n") ? 1 : 0)}`);
  try {
    const { predictions, notes } = await readPredictions(path, options);
    return {
      scanned: rememberedIds(predictions) !== undefined,
      result: { digest: rowsDigest(predictions), ...predictions, notes: notes.map(line) },
    };
  } catch (error) {
    return { scanned: false, result: line((error as Error).message) };
  }
}

/** The same file read by the fast scan, if it can, and by the full parser, to which a blank first line leads. */
async function both(text: string, options: ReadPredictionsOptions): Promise<boolean> {
  const fast = await outcome(text, options);
  const full = await outcome(`\n${text}`, options);
  expect(full.scanned).toBe(false);
  expect(fast.result).toEqual(full.result);
  return fast.scanned;
}

const binary = { task: "binary-classification" } as const;
const id = fc.stringMatching(/^[a-z0-9 ._-]{0,8}$/);
const cell = fc.oneof(
  { weight: 6, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }).map(String) },
  fc.constantFrom(
    "",
    '""',
    "1",
    "0",
    "-0",
    "+.5",
    "5.",
    "1e400",
    "NaN",
    " 1",
    "é",
    '"a"',
    'a"b',
    '"a,b"',
    '"x""y"',
    "(missing)",
    "NA",
  ),
);

describe("the scan of plain CSV", () => {
  it("gives what the full parser gives, values and errors, for any cells", async () => {
    let scanned = 0;
    const table = fc.tuple(
      fc.uniqueArray(id, { maxLength: 6 }),
      fc.infiniteStream(fc.constantFrom("0", "1", "1", "0", '"1"', "true", "")),
      fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true }).map(String)),
      fc.infiniteStream(cell),
      fc.constantFrom("\n", "\r\n"),
      fc.constantFrom("score,slice", "slice,score", '"score",slice', "score,weight", "score,group", "score,"),
      fc.boolean(),
    );
    await fc.assert(
      fc.asyncProperty(table, async ([ids, labels, scores, others, lineEnd, header, ended]) => {
        const rows = ids.map((one) => {
          const [score, other] = [scores.next().value as string, others.next().value as string];
          return [one, labels.next().value, ...(header.startsWith("slice") ? [other, score] : [score, other])].join(
            ",",
          );
        });
        const text = [`id,label,${header}`, ...rows].join(lineEnd) + (ended ? lineEnd : "");
        if (await both(text, binary)) scanned++;
      }),
      { numRuns: 300 },
    );
    expect(scanned).toBeGreaterThan(30);
  });

  it.each([
    ["a plain file", "id,label,score\na,1,0.5\nb,0,0.25\n", binary, true],
    ["blank lines and no last line end", "id,label,score\n\na,1,0.5\r\n\r\nb,0,0.25", binary, true],
    ["quotes around whole cells", '"id","label","score"\n"a","1","0.5"\n"b","0","0.25"\n', binary, true],
    ["slices, with one missing", "id,label,score,s\na,1,0.5,é\nb,0,0.25,\nc,0,0.25,é\n", binary, true],
    ["semicolons and decimal commas", "id;label;score\na;1;0,5\nb;0;0,25\n", binary, true],
    ["an index without a name", ",id,label,score\n0,a,1,0.5\n1,b,0,0.25\n", binary, true],
    ["weights and groups", "id,label,score,weight,group\na,1,0.5,2,x\nb,0,0.25,1e-3,y\n", binary, true],
    ["entities", "id,label,score,entity\na,1,0.5,x\nb,0,0.25,y\n", binary, true],
    ["numbers as labels", "id,label,score,naive_scale\na,1.5,2,3\nb,-1,2.25,3\n", { task: "regression" }, true],
    ["classes", "id,label,p_x,p_y,p_z\na,x,.5,.3,.2\nb,z,.1,.1,.8\n", { task: "multiclass-classification" }, true],
    ["two columns of classes", "id,label,p_no,p_yes\na,no,.5,.5\nb,yes,.1,.9\n", binary, true],
    ["a duplicate id", "id,label,score\nb,1,0.5\na,1,0.5\nb,0,0.25\n", binary, false],
    ["an id in another script", "id,label,score\né,1,0.5\nb,0,0.25\n", binary, false],
    ["a ragged row", "id,label,score\na,1,0.5\nb,0\n", binary, false],
    ["a row too long", "id,label,score\na,1,0.5\nb,0,0.25,1\n", binary, false],
    ["a negative weight", "id,label,score,weight\na,1,0.5,-1\nb,0,0.25,1\n", binary, false],
    [
      "an unknown class",
      "id,label,p_x,p_y,p_z\na,x,.5,.3,.2\nb,q,.1,.1,.8\n",
      { task: "multiclass-classification" },
      false,
    ],
    ["a header alone", "id,label,score\n", binary, false],
    ["a header with a name twice", "id,label,score,score\na,1,0.5,1\n", binary, false],
    ["no header", "a,1,0.5\nb,0,0.25\n", binary, false],
    ["a lone carriage return in a cell", "id,label,score,s\na,1,0.5,x\ry\n", binary, false],
    ["a line break in quotes", 'id,label,score,s\na,1,0.5,"x\ny"\n', binary, false],
  ] as const)("%s", async (_, text, options, scanned) => {
    expect(await both(text, options)).toBe(scanned);
  });

  it("keeps many rows and many values in order", async () => {
    const rows = Array.from({ length: 3000 }, (_, i) => `r${(i * 7919) % 3001},${i % 2},${i / 3000},s${i % 157}`);
    expect(await both(`id,label,score,s\n${rows.join("\n")}\n`, binary)).toBe(true);
  });
});

it("a decimal is the double that JavaScript reads, at any length", () => {
  const text = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
    fc
      .tuple(
        fc.stringMatching(/^[+-]?\d{0,25}$/),
        fc.stringMatching(/^\.\d{0,25}$/),
        fc.constantFrom("", "e5", "E-7", "e+22", "e-320", "e310"),
      )
      .map((parts) => parts.join("")),
    fc.tuple(fc.bigInt(0n, 10n ** 19n), fc.integer({ min: -30, max: 30 })).map(([digits, e]) => `${digits}e${e}`),
  );
  fc.assert(
    fc.property(text, (written) => {
      const value = decimalAt(Buffer.from(`${written},`), 0, 46);
      const isNumber = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(written);
      expect(value).toBe(isNumber ? Number(written) : NaN);
      if (isNumber) expect(endOfDecimal()).toBe(written.length);
    }),
    { numRuns: 5000 },
  );
});
