import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { joinFeatures, type JoinRequest } from "../../../eval/features/join.ts";
import { cardFolder, cardManifest } from "../../models/core/lookup/models.ts";
import { day, hour, noon, read, tableOf } from "../../models/core/lookup/tables.ts";
import { refusal } from "../../models/core/build.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "sluice-join-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const table = tableOf(
  ["spend", "visits"],
  [
    { key: "007", at: noon - day, values: [0.1, 2] },
    { key: "007", at: noon, values: [3, null] },
  ],
);
const features = { spend: {}, visits: { missing: "nan" as const }, paid: { aggregate: "count" as const, over: "2d" } };
const manifest = (changes = {}) => cardManifest(table, { missing: { fill: -1 }, features, ...changes }, {});
const joined = async (name: string, text: string, changes: Partial<JoinRequest> = {}, step = {}) => {
  writeFileSync(join(dir, name), text);
  const request = { inputs: [join(dir, name)], histories: { card: await read(table) }, keep: null };
  return joinFeatures(cardFolder(manifest(step), table), { ...request, out: join(dir, "out.csv"), ...changes });
};
const written = () => readFileSync(join(dir, "out.csv"), "utf8");

describe("features join", () => {
  it.each([
    ["rows.csv", `card_id,at,note\n007,${noon - hour},"a, b"\n007,${noon},\nx,${noon},c\n`],
    [
      "rows.jsonl",
      `{"card_id":"007","at":${noon - hour},"note":"a, b"}\n{"card_id":"007","at":${noon},"note":null}\n{"card_id":"x","at":${noon},"note":"c"}\n`,
    ],
  ])("gives every row of %s the float32 features of its own time, and nothing later", async (name, text) => {
    const result = await joined(name, text);
    expect(written()).toBe(
      [
        "card_id,at,note,card.spend,card.visits,card.paid",
        `007,${noon - hour},"a, b",0.100000001,2,1`,
        `007,${noon},,3,,1`,
        `x,${noon},c,-1,,0`,
        "",
      ].join("\n"),
    );
    expect(result).toMatchObject({ rows: 3, missing: { card: 2 } });
    expect(Math.fround(0.100000001)).toBe(Math.fround(0.1));
  });

  it("keeps only the fields that are asked for", async () => {
    await joined("rows.csv", `card_id,at\n007,${noon}\n`, { keep: [] });
    expect(written()).toBe("card.spend,card.visits,card.paid\n3,,1\n");
  });

  it.each<[string, string, object, Partial<JoinRequest>, RegExp]>([
    ["a row without a time", `card_id,at\n007,\n`, {}, {}, /rows\.csv:2.*no time in at/s],
    ["a key that is none", `card_id,at\n,${noon}\n`, {}, {}, /rows\.csv:2 card_id/],
    ["a refused feature", `card_id,at\nx,${noon}\n`, { missing: "reject" }, {}, /card\.spend is needed/],
    ["a step without time", `card_id,at\n007,${noon}\n`, { time: undefined }, {}, /names no time/],
  ])("refuses %s, with its place", async (_, text, step, changes, message) => {
    const { message: said } = await refusal(() => joined("rows.csv", text, changes, step));
    expect(said).toMatch(message);
  });

  it("refuses a history of no lookup step", async () => {
    const histories = { cards: await read(table) };
    const { message } = await refusal(() => joined("rows.csv", `card_id,at\n007,${noon}\n`, { histories }));
    expect(message).toMatch(/no lookup step cards.*one of card/s);
  });
});
