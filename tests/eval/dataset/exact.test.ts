import * as fc from "fast-check";
import { ByteWriter, parquetWrite } from "hyparquet-writer";
import { describe, expect, it } from "vitest";
import { parseExactJson } from "../../../eval/dataset/formats/exact-json.ts";
import { read } from "./build.ts";

/** Ids that are one number as doubles. */
const long = ["9007199254740993", "9007199254740992", "18446744073709551615", "-9007199254740993"];
const asked = { idField: "big", slices: ["big"] };

describe("integers of any size", () => {
  it.each(["jsonl", "json"])("%s keeps the text of ids and slice values", async (format) => {
    const items = long.map((id) => `{"text":"a","class":1,"big":${id}}`);
    const path = `rows.${format}`;
    const text = format === "jsonl" ? items.join("\n") : `[${items.join(",")}]`;
    const { rows } = await read({ ...asked, files: [{ path }] }, { [path]: text });
    expect(rows.map((row) => row.id)).toEqual(long);
    expect(rows.map((row) => row.slices["big"])).toEqual(long);
  });

  it("Parquet keeps them, and every digit of a decimal", async () => {
    const writer = new ByteWriter();
    await parquetWrite({
      writer,
      schema: [
        { name: "root", num_children: 4 },
        { name: "id", type: "INT64", repetition_type: "REQUIRED" },
        { name: "class", type: "INT32", repetition_type: "REQUIRED" },
        {
          name: "short",
          type: "INT64",
          repetition_type: "REQUIRED",
          converted_type: "DECIMAL",
          scale: 2,
          precision: 18,
        },
        {
          name: "amount",
          type: "FIXED_LEN_BYTE_ARRAY",
          type_length: 12,
          repetition_type: "REQUIRED",
          converted_type: "DECIMAL",
          scale: 3,
          precision: 28,
        },
      ],
      columnData: [
        { name: "id", data: [9007199254740993n, 9007199254740992n] },
        { name: "class", data: [1, 0] },
        { name: "short", data: [1250n, -5n] },
        { name: "amount", data: [9007199254740993001n, -1n] },
      ],
    } as unknown as Parameters<typeof parquetWrite>[0]);
    const content = new Uint8Array(writer.getBuffer());
    const { rows } = await read(
      { idField: "id", slices: ["amount"], files: [{ path: "r.parquet" }] },
      { "r.parquet": content },
    );
    expect(rows.map((row) => row.id)).toEqual(["9007199254740993", "9007199254740992"]);
    expect(rows.map((row) => row.slices["amount"])).toEqual(["9007199254740993.001", "-0.001"]);
    expect(rows.map((row) => row.row["short"])).toEqual([12.5, -0.05]);
  });

  it("fields that the model reads as numbers stay numbers", async () => {
    const { rows } = await read(
      { files: [{ path: "r.jsonl" }] },
      { "r.jsonl": '{"amount":12345678901234567890,"other":12345678901234567890,"class":1}\n' },
      {
        preprocess: {
          tokens: { kind: "text" },
          table: {
            kind: "tabular",
            columns: { amount: { type: "number" as const } },
            features: [{ column: "amount", encode: "number" }],
          },
        },
      },
    );
    expect(rows[0]!.row).toEqual({ amount: Number("12345678901234567890"), other: "12345678901234567890" });
  });

  it("-0 is no 0, and a number beyond a double is refused as a label", async () => {
    const { rows } = await read(
      { idField: "id", files: [{ path: "r.jsonl" }] },
      { "r.jsonl": '{"id":-0,"class":1}\n{"id":0,"class":1}\n{"id":1e400,"class":1}\n{"id":1e401,"class":1}\n' },
    );
    expect(rows.map((row) => row.id)).toEqual(["-0", "0", "1e400", "1e401"]);
    await expect(
      read({ labels: { stars: { field: "s" } }, files: [{ path: "r.jsonl" }] }, { "r.jsonl": '{"s":1e400}\n' }),
    ).rejects.toThrow(/not a finite number: "1e400"/);
  });

  it("any JSON without a long number is what JSON.parse makes of it, and no integer loses a digit", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        const exact = parseExactJson(text, new Map());
        if (!/\d{16}|[eE]\+?\d{3}/.test(text)) expect(exact).toEqual(JSON.parse(text));
      }),
    );
    fc.assert(
      fc.property(fc.bigInt(), (integer) => {
        expect(String((parseExactJson(`{"a":[${integer}]}`, new Map()) as { a: unknown[] }).a[0])).toBe(
          String(integer),
        );
      }),
    );
  });
});
