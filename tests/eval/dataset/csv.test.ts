import { expect, it } from "vitest";
import { openReader } from "../../../eval/dataset/formats/open.ts";
import { folderWith } from "./build.ts";

async function readings(text: string) {
  const all = [];
  const path = `${folderWith({ "t.csv": text })}/t.csv`;
  const { readings: found } = await openReader(path, "t.csv", "csv", new Map(), "text");
  for await (const one of found) all.push(one);
  return all;
}

it("counts lines through line breaks inside quotes, blank lines and both line endings", async () => {
  const found = await readings('\uFEFFa,b\r\n1,"x\r\ny"\r\n\r\n\r\n3,4\n5,"6\n7"\n8,"9\r10"\n11,12');
  expect(found).toEqual([
    { kind: "record", index: 0, at: 2, fields: { a: "1", b: "x\r\ny" } },
    { kind: "record", index: 1, at: 6, fields: { a: "3", b: "4" } },
    { kind: "record", index: 2, at: 7, fields: { a: "5", b: "6\n7" } },
    { kind: "record", index: 3, at: 9, fields: { a: "8", b: "9\r10" } },
    { kind: "record", index: 4, at: 10, fields: { a: "11", b: "12" } },
  ]);
});

it("reports a misplaced quote as one malformed row and continues", async () => {
  const found = await readings('a,b\n1,x"y\n2,3\n4\n5,6\n');
  expect(found.map(({ kind, index, at }) => [kind, index, at])).toEqual([
    ["malformed", 0, 2],
    ["record", 1, 3],
    ["malformed", 2, 4],
    ["record", 3, 5],
  ]);
});

it("refuses a file whose quote is never closed, because that hides the rows after it", async () => {
  await expect(readings('a,b\n1,2\n3,"4\n5,6\n7,8\n')).rejects.toThrow(/never closed, after line 2/);
});
