import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileDerived } from "../../../models/core/expression/expression.ts";
import { RowError, type Row } from "../../../models/core/row.ts";
import { tabularStep } from "../../../models/core/preprocess/schema.ts";
import { compileTabular } from "../../../models/core/preprocess/tabular.ts";
import { refusal } from "./build.ts";

const compile = (step: object) =>
  compileTabular(tabularStep.parse({ kind: "tabular", ...step }), (path) => `preprocess.row.${path.join(".")}`);
const vector = (step: object, row: Row) => {
  const prepared = compile(step).prepare(row);
  return prepared instanceof Promise || prepared.kind !== "numbers" ? null : [...prepared.values];
};
const x = { columns: { x: { type: "number" } } };

describe("columns become numbers", () => {
  it.each<[string, object, Row, number[]]>([
    ["as they are", { ...x, features: [{ column: "x", encode: "number" }] }, { x: 3 }, [3]],
    [
      "true and false",
      { columns: { x: { type: "boolean" } }, features: [{ column: "x", encode: "number" }] },
      { x: true },
      [1],
    ],
    ["standardized", { ...x, features: [{ column: "x", encode: "standardize", mean: 1, std: 4 }] }, { x: 3 }, [0.5]],
    ["min-max", { ...x, features: [{ column: "x", encode: "min-max", min: 1, max: 5 }] }, { x: 2 }, [0.25]],
    [
      "one-hot",
      { columns: { x: { type: "string" } }, features: [{ column: "x", encode: "one-hot", categories: ["a", "b"] }] },
      { x: "b" },
      [0, 1],
    ],
    [
      "an unknown category as zeros",
      {
        columns: { x: { type: "string" } },
        features: [{ column: "x", encode: "one-hot", categories: ["a", "b"], unknown: "zeros" }],
      },
      { x: "c" },
      [0, 0],
    ],
    [
      "a list",
      { columns: { x: { type: "number-list", length: 2 } }, features: [{ column: "x", encode: "list" }] },
      { x: [4, 5] },
      [4, 5],
    ],
    [
      "a missing value, filled",
      { columns: { x: { type: "number", missing: { fill: 7 } } }, features: [{ column: "x", encode: "number" }] },
      { x: null },
      [7],
    ],
    [
      "a missing value, which becomes NaN beside one that is there",
      {
        columns: { x: { type: "number", missing: "nan", min: 0 }, y: { type: "number", missing: "nan" } },
        features: [
          { column: "x", encode: "number" },
          { column: "y", encode: "standardize", mean: 1, std: 2 },
        ],
      },
      { x: null, y: 5 },
      [NaN, 2],
    ],
    [
      "derived, one from the other",
      { ...x, derive: { y: "x * 2", z: "y + 1" }, features: [{ column: "z", encode: "number" }] },
      { x: 3 },
      [7],
    ],
    [
      "whether a field is there, whatever it holds",
      {
        columns: {
          x: { type: "present", field: "y" },
          z: { type: "present", field: "w" },
          n: { type: "present", field: "nobody" },
        },
        features: [
          { column: "x", encode: "number" },
          { column: "z", encode: "number" },
          { column: "n", encode: "number" },
        ],
      },
      { y: [], w: null },
      [1, 0, 0],
    ],
    [
      "a condition",
      {
        columns: { d: { type: "date" } },
        derive: { weekend: "weekday(d) >= 6" },
        features: [{ column: "weekend", encode: "number" }],
      },
      { d: "2024-02-03" },
      [1],
    ],
  ])("%s", (_, step, row, expected) => {
    expect(vector(step, row)).toEqual(expected);
  });
});

describe("expressions", () => {
  const row = { d: "2024-02-29", list: [1, 2, 3, 4], x: 2, t: "Why  12 ÉCLAIRS? 😀 No?!", none: "" };
  const value = (expression: string) => compileDerived("v", expression, Object.keys(row), () => "p")(row);
  // Python: datetime.date(2024, 2, 29).isoweekday(), .timetuple().tm_yday, (d - date(2000, 1, 1)).days;
  // statistics.pstdev
  it.each<[string, number | boolean]>([
    ["year(d)", 2024],
    ["month(d)", 2],
    ["day(d)", 29],
    ["weekday(d)", 4],
    ["day_of_year(d)", 60],
    ['days_since(d, "2000-01-01")', 8825],
    ["at(list, 0)", 1],
    ["at(list, -1)", 4],
    ["mean(list)", 2.5],
    ["mean(list, -2)", 3.5],
    ["mean(list, 0, 2)", 1.5],
    ["sum(list, 1)", 9],
    ["std(list)", Math.sqrt(1.25)],
    ["exp(0) + sin(0) + cos(0)", 2],
    ["-1 mod 3", 2],
    ["max(x, 5) - min(x, 5)", 3],
    ["if x > 1 then 10 else 20", 10],
    ["x in (1, 2)", true],
    ["not (x == 2)", false],
    ["length(t)", 23],
    ["words(t)", 5],
    ['count(t, "?")', 2],
    ['count(t, "?!")', 1],
    ["digits(t)", 2],
    ["capitals(t)", 9 / 12],
    ["length(none) + words(none) + digits(none) + capitals(none)", 0],
    ['none == ""', true],
  ])("%s", (expression, expected) => {
    expect(value(expression)).toBe(expected);
  });

  it.each<[string, RegExp]>([
    ["weekdy(d)", /unknown function weekdy[^]*did you mean `weekday`/],
    ["y + 1", /unknown value y/],
    ["random()", /unknown function random/],
    ["x +* 2", /not a valid expression/],
    ["constructor", /unknown value constructor/],
  ])("%s is refused when the model is opened", async (expression, message) => {
    const error = await refusal(() => value(expression));
    expect(error).not.toBeInstanceOf(RowError);
    expect(error.message).toMatch(message);
    expect(error.message).toContain(expression);
  });

  it.each<[string, RegExp]>([
    ["x / 0", /no finite number/],
    ["log(x - 3)", /no finite number/],
    ["x + (x > 1)", /Expected a text or number/],
    ["at(list, 9)", /index 9 is outside the list of 4/],
    ["year(x)", /not a date/],
    ["mean(list, 4)", /empty part/],
    ["list", /no single value/],
    ["length(x)", /not a text/],
    ["words(list)", /not a text/],
    ['count(t, "")', /nothing to count/],
  ])("%s refuses the row", async (expression, message) => {
    const error = await refusal(() => value(expression));
    expect(error).toBeInstanceOf(RowError);
    expect(error.message).toMatch(message);
  });

  it("treat a quoted text that looks like a name as text", () => {
    expect(compileDerived("v", 'x == "unknown_name and more"', ["x"], () => "p")({ x: "unknown_name and more" })).toBe(
      true,
    );
  });
});

describe("a row that is refused names its field", () => {
  const all = {
    columns: {
      n: { type: "number", min: 0, max: 9, missing: { fill: 1 } },
      s: { type: "string", missing: { fill: "a" } },
      d: { type: "date", missing: { fill: "2024-01-01" } },
      l: { type: "number-list", length: 2 },
      r: { type: "number", missing: { fill: 0 } },
    },
    features: [
      { column: "n", encode: "number" },
      { column: "s", encode: "one-hot", categories: ["a"] },
      { column: "l", encode: "list" },
      { column: "r", encode: "standardize", mean: 0, std: 1e-300 },
    ],
  };
  it.each<[string, Row, string]>([
    ["a text for a number", { n: "3", l: [1, 2] }, "n"],
    ["a NaN", { n: Number.NaN, l: [1, 2] }, "n"],
    ["out of range", { n: 10, l: [1, 2] }, "n"],
    ["an unknown category", { s: "b", l: [1, 2] }, "s"],
    ["a day that does not exist", { d: "2023-02-29", l: [1, 2] }, "d"],
    ["a missing list", {}, "l"],
    ["a list of another length", { l: [1] }, "l"],
    ["a hole in a list", { l: [1, null] }, "l[1]"],
    ["a feature beyond all numbers", { r: 1e200, l: [1, 2] }, "r"],
  ])("%s", async (_, row, field) => {
    const error = await refusal(() => compile(all).prepare(row));
    expect(error).toBeInstanceOf(RowError);
    expect((error as RowError).field).toBe(field);
  });
});

describe("a step that is refused names its place", () => {
  it.each<[string, object, RegExp]>([
    [
      "an unknown column",
      { ...x, features: [{ column: "xx", encode: "number" }] },
      /features\.0\.column[^]*did you mean `x`/,
    ],
    [
      "a list taken for a number",
      { columns: { l: { type: "number-list", length: 2 } }, features: [{ column: "l", encode: "number" }] },
      /encode: list/,
    ],
    ["a number taken for a list", { ...x, features: [{ column: "x", encode: "list" }] }, /number-list/],
    ["min equal to max", { ...x, features: [{ column: "x", encode: "min-max", min: 1, max: 1 }] }, /min < max/],
    [
      "a derived value that hides a column",
      { ...x, derive: { x: "1" }, features: [{ column: "x", encode: "number" }] },
      /hides a column/,
    ],
    [
      "an expression that uses a later one",
      { ...x, derive: { y: "z", z: "x" }, features: [{ column: "y", encode: "number" }] },
      /derive\.y[^]*unknown value z/,
    ],
  ])("%s", async (_, step, message) => {
    expect((await refusal(() => compile(step))).message).toMatch(message);
  });
});

it("a batch holds the vectors of its rows, in order", () => {
  const step = compile({
    columns: { a: { type: "number" }, b: { type: "boolean" } },
    features: [
      { column: "b", encode: "number" },
      { column: "a", encode: "standardize", mean: 2, std: 3 },
    ],
  });
  const finite = fc.double({ noNaN: true, min: -1e6, max: 1e6 });
  fc.assert(
    fc.property(fc.array(fc.record({ a: finite, b: fc.boolean() }), { minLength: 1, maxLength: 20 }), (rows) => {
      const { features } = step.collate(rows.map((row) => step.prepare(row) as never));
      expect(features!.dims).toEqual([rows.length, 2]);
      expect([...features!.data]).toEqual(rows.flatMap(({ a, b }) => [b ? 1 : 0, (a - 2) / 3]));
    }),
  );
});
