import { expect, it } from "vitest";
import type { ManifestInput } from "../../../../models/core/manifest/manifest.ts";
import { openPredictor } from "../../../../models/core/predictor/predictor.ts";
import { offline, refusal } from "../build.ts";
import { cardFolder, cardManifest } from "./models.ts";
import { day, noon, tableOf } from "./tables.ts";

const table = tableOf(
  ["spend", "visits"],
  [
    { key: "a", at: noon, values: [1, 2] },
    { key: "a", at: noon + day, values: [50, 3] },
    { key: "b", at: noon, values: [9, 4] },
  ],
);
type RulesInput = NonNullable<ManifestInput["rules"]>;

async function answers(rules: RulesInput, rows: Record<string, unknown>[], features: object = {}) {
  const manifest = cardManifest(table, { missing: { fill: 0 }, ...features }, { rules });
  const predictor = await openPredictor(cardFolder(manifest, table), {}, offline);
  try {
    return await predictor.predict(rows);
  } finally {
    await predictor.close();
  }
}
const fired = (found: Awaited<ReturnType<typeof answers>>) =>
  found.map((one) => (one.ok ? (one.rules?.fired.map(({ rule }) => rule) ?? []) : one.error.message));
const row = (card_id: string, days: number) => ({
  card_id,
  at: new Date(noon + days * day).toISOString(),
  amount: 1,
});

it("rules read the features that the model's tabular step takes, as of the row's time", async () => {
  const rules = { version: "1.0.0", list: [{ id: "much", when: "spend > 20", override: { value: -1 } }] };
  const found = await answers(rules, [row("a", 0), row("a", 1), row("b", 1), row("nobody", 1)]);
  expect(fired(found)).toEqual([[], ["much"], [], []]);
  expect(found.map((one) => one.ok && one.heads["value"])).toMatchObject([
    { value: 1 + 20 + 100.5 },
    { value: -1 },
    { value: 9 + 40 + 100.5 },
    { value: 100.5 },
  ]);
});

it("rules.columns name a feature that only the rules read, and derive from it", async () => {
  const rules: RulesInput = {
    version: "1.0.0",
    columns: { frauds: { type: "lookup", from: "card.frauds" } },
    derive: { twice: "frauds * 2" },
    list: [{ id: "before", when: "twice >= 4 and visits > 2", reasons: ["it happened before"] }],
  };
  const features = { features: { spend: {}, visits: {}, frauds: { aggregate: "count", over: "30d" } } };
  expect(fired(await answers(rules, [row("a", 0.5), row("a", 2), row("b", 2)], features))).toEqual([
    [],
    ["before"],
    [],
  ]);
});

it("a feature that the model lacks is refused with its place", async () => {
  const rules: RulesInput = {
    version: "1.0.0",
    columns: { frauds: { type: "lookup", from: "card.frauds" } },
    list: [{ id: "before", when: "frauds > 0", reasons: ["r"] }],
  };
  const { message } = await refusal(() => answers(rules, [row("a", 0)]));
  expect(message).toMatch(/rules\.columns\.frauds/);
  expect(message).toMatch(/card\.frauds/);
});
