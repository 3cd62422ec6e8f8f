import { describe, expect, it } from "vitest";
import { read, type DatasetInput } from "./build.ts";

const stars: DatasetInput = { labels: { stars: { field: "stars" } } };
const starsOf = async (text: string, more: DatasetInput = {}, path = "rows.csv") => {
  const { rows, notes } = await read({ ...stars, files: [{ path }], ...more }, { [path]: text });
  return { stars: rows.map((row) => row.labels["stars"]), rows: rows.map((row) => row.row), notes };
};

describe("a CSV file's dialect", () => {
  it("semicolons and decimal commas are seen and said", async () => {
    const found = await starsOf("text;stars;size\na;4,5;1,25\nb;3;2\n");
    expect(found.stars).toEqual([4.5, 3]);
    expect(found.rows).toEqual([
      { text: "a", size: 1.25 },
      { text: "b", size: 2 },
    ]);
    expect(found.notes).toEqual([
      expect.stringMatching(/rows\.csv: cells are divided by a semicolon/),
      expect.stringMatching(/rows\.csv: numbers have a decimal comma/),
    ]);
  });

  it("tabs and bars are seen and said; a .tsv needs no saying", async () => {
    for (const [delimiter, name] of [
      ["\t", "tab"],
      ["|", "bar"],
    ] as const) {
      const { stars: values, notes } = await starsOf(
        `text,with comma${delimiter}stars\n"a${delimiter}b"${delimiter}1.5\n`.replace(",with comma", ""),
      );
      expect(values).toEqual([1.5]);
      expect(notes).toEqual([expect.stringContaining(`a ${name}`)]);
    }
    expect(await starsOf("text\tstars\na\t1\n", {}, "rows.tsv")).toMatchObject({ stars: [1], notes: [] });
  });

  it("is what is declared, and a quoted decimal comma beside commas is read", async () => {
    const files = [{ path: "rows.csv", delimiter: "," as const, decimal: "," as const }];
    expect(await starsOf('text;x,stars\na;b,"1,5"\n', { files })).toMatchObject({ stars: [1.5], notes: [] });
    await expect(
      read({ files: [{ path: "rows.jsonl", delimiter: ";" }] }, { "rows.jsonl": "{}" }),
    ).rejects.toMatchObject({ code: "text-option", message: expect.stringContaining("read as jsonl") });
  });

  it("never takes thousands for decimals, nor a point beside decimal commas", async () => {
    await expect(starsOf("text;stars\na;1,234\nb;2,345\n")).rejects.toThrow(/"1,234"/);
    await expect(
      starsOf("text;stars\na;1,5\nb;2.5\n", { files: [{ path: "rows.csv", decimal: "," }] }),
    ).rejects.toThrow(/rows\.csv:3.*"2\.5"/);
    await expect(starsOf("text;stars\na;1.234,5\n")).rejects.toThrow(/not a finite number/);
  });

  it("line ends of carriage returns alone, and Excel's sep= line", async () => {
    expect((await starsOf("text,stars\ra,1\rb,2\r")).stars).toEqual([1, 2]);
    expect((await starsOf("sep=;\r\ntext;stars\r\na;1\r\n")).stars).toEqual([1]);
    await expect(starsOf("sep=;\ntext;stars\na;1\nb;x\n")).rejects.toThrow(/rows\.csv:4/);
  });

  it("columns without a name are left out and said; a name twice is refused", async () => {
    const found = await starsOf(",text,stars,\n0,a,1,x\n1,b,2,y\n");
    expect(found.rows).toEqual([{ text: "a" }, { text: "b" }]);
    expect(found.notes).toEqual([expect.stringMatching(/column 1, 4 has no name/)]);
    await expect(starsOf("text,stars,stars\na,1,2\n")).rejects.toThrow(/names "stars" twice/);
  });

  it("JSON Lines may end lines with carriage returns alone", async () => {
    const text = '{"text":"a","stars":1}\r{"text":"b","stars":2}\r\n\r\n{"text":"c","stars":3}';
    expect((await starsOf(text, {}, "rows.jsonl")).stars).toEqual([1, 2, 3]);
    await expect(starsOf('{"text":"a","stars":1}\r\n{"text":"b"}\r\n', {}, "rows.jsonl")).rejects.toThrow(
      /rows\.jsonl:2/,
    );
  });
});
