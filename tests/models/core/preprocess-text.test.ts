import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileText } from "../../../models/core/preprocess/text.ts";
import { RowError } from "../../../models/core/row.ts";
import { textStep } from "../../../models/core/preprocess/schema.ts";
import { refusal, wordTokenizer } from "./build.ts";

const compile = (changes: object = {}, specials = true) =>
  compileText(textStep.parse({ kind: "text", ...changes }), { tokenizer: wordTokenizer(specials) }, (path) =>
    path.join("."),
  );
const ids = (text: string, changes: object = {}, specials = true) => {
  const prepared = compile(changes, specials).prepare({ text });
  return prepared instanceof Promise || prepared.kind !== "tokens" ? null : prepared.ids;
};

describe("tokens", () => {
  it("stand between the special tokens", () => {
    expect(ids("t1 t2 unheard")).toEqual([61, 1, 2, 63, 62]);
  });

  it("are cut at the end of the text, and the special tokens stay", () => {
    expect(ids("t1 t2 t3 t4 t5", { maxTokens: 4 })).toEqual([61, 1, 2, 62]);
    expect(ids("t1 t2 t3 t4 t5", { maxTokens: 4 }, false)).toEqual([1, 2, 3, 4]);
    expect(ids("t1 t2", { maxTokens: 4 })).toEqual([61, 1, 2, 62]);
  });

  it("come from several fields; all but the first may be missing", () => {
    const tokens = (row: object) => {
      const prepared = compile({ field: "title", append: ["more", "last"], separator: " t9 " }, false).prepare({
        ...row,
      });
      return prepared instanceof Promise || prepared.kind !== "tokens" ? null : prepared.ids;
    };
    expect(tokens({ title: "t1", more: "t2 t3", last: "t4" })).toEqual([1, 9, 2, 3, 9, 4]);
    expect(tokens({ title: "t1", last: "t4" })).toEqual([1, 9, 4]);
    expect(tokens({ title: "t1", more: null, last: "" })).toEqual([1]);
  });

  it("follow those of a prefix, which no length of a row counts", () => {
    expect(ids("t1 t2", { prefix: "t9 t8 ", maxCharacters: 5 })).toEqual([61, 9, 8, 1, 2, 62]);
  });

  it("are always at least one", () => {
    expect(ids("")).toEqual([61, 62]);
    expect(ids("", {}, false)).toEqual([63]);
    expect(ids("   ", {}, false)).toEqual([63]);
  });
});

const collate = (texts: string[], changes: object = {}) => {
  const step = compile(changes);
  return step.collate(texts.map((text) => step.prepare({ text }) as never));
};

describe("a batch", () => {
  it("is padded to its longest row, with a true mask", () => {
    const { ids, attention_mask } = collate(["t1", "t1 t2 t3"], { padId: 9 });
    expect(ids).toEqual({ data: Int32Array.from([61, 1, 62, 9, 9, 61, 1, 2, 3, 62]), dims: [2, 5] });
    expect([...attention_mask!.data]).toEqual([1, 1, 1, 0, 0, 1, 1, 1, 1, 1]);
  });

  it("is padded to a fixed width where the manifest says so", () => {
    expect(collate(["t1"], { padTo: 8, maxTokens: 8 })["ids"]!.dims).toEqual([1, 8]);
  });

  it("holds the same tokens as its rows alone, whatever the texts", () => {
    const step = compile({ maxTokens: 12 });
    const word = fc.oneof(
      fc.integer({ min: 1, max: 70 }).map((i) => `t${i}`),
      fc.string({ unit: "grapheme" }),
    );
    fc.assert(
      fc.property(
        fc.array(
          fc.array(word).map((words) => words.join(" ")),
          { minLength: 1, maxLength: 6 },
        ),
        (texts) => {
          const rows = texts.map((text) => step.prepare({ text }) as never);
          const together = step.collate(rows);
          const width = together["ids"]!.dims[1]!;
          rows.forEach((row, i) => {
            const alone = step.collate([row]);
            const length = step.length(row);
            expect(length).toBeGreaterThanOrEqual(1);
            expect(length).toBeLessThanOrEqual(12);
            expect(alone["ids"]!.data).toEqual(together["ids"]!.data.slice(i * width, i * width + length));
            const mask = Array.from(together["attention_mask"]!.data.slice(i * width, (i + 1) * width));
            expect(mask).toEqual([...Array(length).fill(1), ...Array(width - length).fill(0)]);
          });
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe("a row that is refused", () => {
  it.each<[string, object, object, RegExp]>([
    ["a missing text", {}, {}, /text is missing/],
    ["a number", { text: 5 }, {}, /received: 5/],
    ["an inherited property", {}, { field: "constructor" }, /text is missing/],
    ["a number where a further text may be", { text: "t1", more: 5 }, { append: ["more"] }, /more: not a text/],
    [
      "a further text that is too long",
      { text: "t1", more: "t1 t1" },
      { append: ["more"], maxCharacters: 4 },
      /received: 5 characters/,
    ],
    ["a text that is too long", { text: "t1 t1" }, { maxCharacters: 4 }, /received: 5 characters/],
  ])("%s", async (_, row, changes, message) => {
    const error = await refusal(() => compile(changes).prepare(row as Record<string, unknown>));
    expect(error).toBeInstanceOf(RowError);
    expect(error.message).toMatch(message);
  });
});

describe("a step that is refused", () => {
  it.each<[string, () => unknown, string]>([
    ["no room beside the special tokens", () => compile({ maxTokens: 2 }), "text-max-tokens"],
    ["padding shorter than the text", () => compile({ maxTokens: 8, padTo: 4 }), "text-pad-to"],
    [
      "an invalid tokenizer",
      () => compileText(textStep.parse({ kind: "text" }), { tokenizer: { hello: 1 } }, String),
      "tokenizer",
    ],
  ])("%s", async (_, call, code) => {
    expect((await refusal(call)).code).toBe(code);
  });
});
