import { describe, expect, it } from "vitest";
import { readCatalogue } from "../../../models/core/catalogue/catalogue.ts";
import { compileItems } from "../../../models/core/preprocess/items.ts";
import { preprocessStep, type ItemsStep } from "../../../models/core/preprocess/schema.ts";
import { RowError } from "../../../models/core/row.ts";

const file = { path: "items.csv", sha256: "0".repeat(64), id: "id" };
const catalogue = readCatalogue("id\na\nb\n7\nc\n", file, () => "");
const step = (keys: object = {}) =>
  compileItems(preprocessStep.parse({ kind: "items", field: "seen", catalogue: file, ...keys }) as ItemsStep, {
    catalogue,
  });
const ids = (seen: unknown, keys: object = {}) => {
  const compiled = step(keys);
  const prepared = compiled.prepare({ seen });
  if (prepared instanceof Promise || prepared.kind !== "tokens") throw new Error("no ids");
  return prepared.ids;
};

describe("a list of items", () => {
  it.each<[string, unknown, object, number[]]>([
    ["becomes rows of the catalogue, in its own order", ["c", "a"], {}, [3, 0]],
    ["may name a numbered item as a number", [7, "7"], {}, [2, 2]],
    ["leaves out what the catalogue does not have", ["gone", "b"], {}, [1]],
    ["is one filler where it is empty", [], {}, [4]],
    ["is one filler where nothing in it is known", ["gone"], {}, [4]],
    ["keeps repeats", ["a", "b", "a"], {}, [0, 1, 0]],
    ["drops all repeats but the last", ["a", "b", "a"], { repeats: "drop" }, [1, 0]],
    ["is read from its end where it is too long", ["a", "b", "c"], { maxItems: 2 }, [1, 3]],
    [
      "counts only known and different items as long",
      ["a", "b", "b", "gone"],
      { maxItems: 2, repeats: "drop" },
      [0, 1],
    ],
  ])("%s", (_, seen, keys, expected) => {
    expect(ids(seen, keys)).toEqual(expected);
  });

  it("is filled up to the longest of its batch, with mask 0", () => {
    const compiled = step();
    const rows = [["a", "b", "c"], ["c"], []].map((seen) => compiled.prepare({ seen }));
    const { ids: found, mask } = compiled.collate(rows as Exclude<(typeof rows)[number], Promise<unknown>>[]);
    expect(found!.dims).toEqual([3, 3]);
    expect([...(found!.data as Int32Array)]).toEqual([0, 1, 3, 3, 4, 4, 4, 4, 4]);
    expect([...(mask!.data as Int32Array)]).toEqual([1, 1, 1, 1, 0, 0, 0, 0, 0]);
  });

  it.each<[string, unknown, object, string]>([
    ["nothing", undefined, {}, "seen"],
    ["a text", "a", {}, "seen"],
    ["an item that is no id", ["a", 1.5], {}, "seen[1]"],
    ["an unknown item, where these are refused", ["a", "gone"], { unknown: "reject" }, "seen[1]"],
  ])("is refused where the row has %s", (_, seen, keys, field) => {
    try {
      ids(seen, keys);
    } catch (error) {
      expect(error).toBeInstanceOf(RowError);
      expect((error as RowError).field).toBe(field);
      return;
    }
    throw new Error("not refused");
  });
});
