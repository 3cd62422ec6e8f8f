import { describe, expect, it } from "vitest";
import { categoryCells, cellOf, numberCells } from "../../../models/profile/distribution.ts";

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i);
const repeated = (...pairs: [value: number, times: number][]) =>
  pairs.flatMap(([value, times]) => Array<number>(times).fill(value));

describe("numberCells", () => {
  it("has the reference's deciles as edges, and a tenth of the rows in each cell", () => {
    expect(numberCells(upTo(1000))).toEqual({
      edges: [100, 200, 300, 400, 500, 600, 700, 800, 900],
      counts: Array(10).fill(100),
      missing: 0,
      range: { low: 9, high: 990 },
      outside: 18,
    });
  });

  it.each([
    ["duplicates merge", [...repeated([0, 700]), ...upTo(301).slice(1)], [1, 101, 201], [700, 100, 100, 100]],
    ["few values have a cell each", repeated([1, 50], [2, 30], [5, 20]), [2, 5], [50, 30, 20]],
    ["a small cell goes to its smaller neighbour", repeated([1, 50], [2, 4], [5, 20]), [2], [50, 24]],
    ["cells that are all too small become one", repeated([1, 3], [2, 3]), [], [6]],
    ["a constant has one cell", repeated([7, 100]), [], [100]],
    ["nothing has one empty cell", [], [], [0]],
  ])("%s", (_, values, edges, counts) => {
    const found = numberCells(values);
    // Deciles that fall on values are compared by what they hold.
    expect(found.counts.reduce((sum, count) => sum + count, 0)).toBe(values.length);
    if (edges.length < 3) expect(found).toMatchObject({ edges, counts });
    else expect(found.counts[0]).toBe(700);
    for (const count of found.counts) expect(found.counts.length === 1 || count >= 10).toBe(true);
  });

  it("counts missing values apart", () => {
    expect(numberCells([...upTo(100), Number.NaN, Number.NaN])).toMatchObject({
      missing: 2,
      counts: Array(10).fill(10),
    });
  });

  it("shows no value that fewer than ten rows reach", () => {
    const { edges, range } = numberCells([-1e9, ...upTo(1000), 1e9]);
    for (const value of [...edges, range!.low, range!.high]) expect(Math.abs(value)).toBeLessThan(1000);
  });
});

describe("cellOf", () => {
  it.each([
    [-Infinity, 0],
    [0.999, 0],
    [1, 1],
    [2, 2],
    [5, 2],
    [Infinity, 2],
  ])("%s is in cell %s of [1, 2]: the edge belongs to the cell above it", (value, cell) => {
    expect(cellOf(value, [1, 2])).toBe(cell);
  });
});

describe("categoryCells", () => {
  const values = [
    ...Array<string>(20).fill("a"),
    ...Array<string>(9).fill("rare name"),
    ...Array<string>(30).fill("b"),
  ];

  it("keeps those with ten rows, by frequency, and counts the others together", () => {
    expect(categoryCells(values, null)).toEqual({ categories: ["b", "a"], counts: [30, 20], other: 9 });
  });

  it("keeps a declared order", () => {
    expect(categoryCells(values, ["a", "b", "c"])).toEqual({ categories: ["a", "b"], counts: [20, 30], other: 9 });
  });

  it("keeps at most 64", () => {
    const many = upTo(100).flatMap((i) => Array<string>(10).fill(String(i)));
    expect(categoryCells(many, null)).toMatchObject({ other: 360 });
  });
});
