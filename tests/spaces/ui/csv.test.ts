import { parse } from "csv-parse/sync";
import fc from "fast-check";
import { expect, test } from "vitest";
import { pageModule } from "./page-module.ts";

const { parseCsv, writeCsv } = await pageModule<{
  parseCsv: (text: string) => { line: number; cells: string[] }[];
  writeCsv: (records: readonly (readonly unknown[])[]) => string;
}>("csv.js");

const cells = (text: string) => parseCsv(text).map((record) => record.cells);
const reference = (text: string): string[][] =>
  parse(text, { relax_column_count: true, skip_empty_lines: true, record_delimiter: ["\r\n", "\n", "\r"] });

test("records are read as csv-parse reads them", () => {
  const cell = fc.string({ unit: fc.constantFrom("a", "b", ",", '"', "\n", "\r\n", " ", "é", "7", ";"), maxLength: 6 });
  fc.assert(
    fc.property(
      fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 5 }),
      fc.constantFrom("\n", "\r\n", "\r"),
      (table, end) => {
        // The header has only commas, so they are the separator.
        const records = [table[0]!.map((_, i) => `h${i}`), ...table];
        const text = records
          .map((record) =>
            record.map((one) => (/[",\r\n;]/.test(one) ? `"${one.replaceAll('"', '""')}"` : one)).join(","),
          )
          .join(end);
        expect(cells(text)).toEqual(reference(text));
      },
    ),
    { numRuns: 300 },
  );
});

test("what is written is read back", () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.string({ unit: "grapheme", maxLength: 8 }), { minLength: 2, maxLength: 3 }), {
        minLength: 1,
        maxLength: 4,
      }),
      (table) => {
        const records = [["a", "b"], ...table];
        expect(reference(writeCsv(records))).toEqual(records);
        expect(cells(writeCsv(records))).toEqual(records);
      },
    ),
    { numRuns: 200 },
  );
});

test("separators, the byte order mark and lines", () => {
  expect(cells("\uFEFFa;b\n1,5;2\n")).toEqual([
    ["a", "b"],
    ["1,5", "2"],
  ]);
  expect(cells('a\tb\r\n1\t"x\ty"')).toEqual([
    ["a", "b"],
    ["1", "x\ty"],
  ]);
  expect(parseCsv('a,b\n"one\ntwo",2\n\n3,4\n').map(({ line }) => line)).toEqual([1, 2, 5]);
  expect(cells("a,b\n,\n")).toEqual([
    ["a", "b"],
    ["", ""],
  ]);
});

test("broken quotes are reported with their line", () => {
  expect(() => parseCsv('a,b\n1,"two\n3,4\n')).toThrow("line 2: a quoted cell never ends");
  expect(() => parseCsv('a,b\n"1"x,2\n')).toThrow("line 2: after a quoted cell");
});

test("lists and nothing are written as cells", () => {
  expect(writeCsv([[[1, 2], null, undefined, 0, 'say "x"']])).toBe('"[1,2]",,,0,"say ""x"""\r\n');
});
