import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { buildFeatures, type BuildRequest } from "../../../eval/features/build.ts";
import { digestOf, noon, read, tableOf } from "../../models/core/lookup/tables.ts";
import { refusal } from "../../models/core/build.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "sluice-features-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const iso = new Date(noon).toISOString();
const build = (name: string, text: string, changes: Partial<BuildRequest> = {}) => {
  writeFileSync(join(dir, name), text);
  return buildFeatures({
    inputs: [join(dir, name)],
    key: ["card"],
    time: "at",
    created: null,
    columns: null,
    repeats: "refuse",
    latest: false,
    asOfMs: null,
    out: join(dir, "card.features"),
    ...changes,
  });
};
const written = () => new Uint8Array(readFileSync(join(dir, "card.features")));

describe("features build", () => {
  it.each([
    ["cards.csv", `card,at,spend,visits\n007,${iso},1.5,\nb,${iso},2,3\n`],
    [
      "cards.jsonl",
      `{"card":"007","at":${noon},"spend":1.5,"visits":null}\n{"card":"b","at":"${iso}","spend":2,"visits":3}\n`,
    ],
  ])("makes the same table of %s", async (name, text) => {
    const built = await build(name, text);
    const expected = tableOf(
      ["spend", "visits"],
      [
        { key: "007", values: [1.5, null] },
        { key: "b", values: [2, 3] },
      ],
    );
    expect(written()).toEqual(expected);
    expect(built).toMatchObject({ sha256: digestOf(expected), keys: 2, events: 2, columns: ["spend", "visits"] });
  });

  it("keeps the newest event, events up to a time, and composite keys", async () => {
    const lines = [0, 1, 2].map((h) => JSON.stringify({ card: "a", shop: "b,c", at: noon + h * 3_600_000, x: h }));
    const key = ["card", "shop"];
    await build("x.jsonl", lines.join("\n"), { key, latest: true, asOfMs: noon + 3_600_000 });
    const store = await read(written());
    const found = store.find('["a","b,c"]')!;
    expect([store.columns, found.to - found.from, found.values[found.from]]).toEqual([["x"], 1, 1]);
  });

  it.each<[string, string, Partial<BuildRequest>, RegExp]>([
    ["a text in the place of a number", `{"card":"a","at":${noon},"x":"much"}`, {}, /x.jsonl:1: x is no number.*much/s],
    ["a number beyond float32", `{"card":"a","at":${noon},"x":1e300}`, {}, /x.jsonl:1.*does not fit a float32/s],
    ["no key", `{"card":null,"at":${noon},"x":1}`, {}, /x.jsonl:1: card is no key/],
    ["a time without zone", `{"card":"a","at":"2026-01-15T12:00:00","x":1}`, {}, /x.jsonl:1: at is no point in time/],
    ["a column that is not there", `{"card":"a","at":${noon},"x":1}`, { columns: ["y"] }, /has no y.*card, at, x/s],
    ["half a record", `{"card":"a","at":${noon},"x":1}\n{"card":`, {}, /x.jsonl:2: a record cannot be read/],
    ["no record", "\n", {}, /no record to make features of/],
    ["two events that contradict", `{"card":"a","at":${noon},"x":1}\n{"card":"a","at":${noon},"x":2}`, {}, /key "a"/],
  ])("refuses %s, and writes nothing", async (_, text, changes, message) => {
    expect((await refusal(() => build("x.jsonl", text, changes))).message).toMatch(message);
    expect(() => written()).toThrow(/ENOENT/);
  });
});
