import { appendFileSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { describe, expect, it } from "vitest";
import { loadManifest } from "../../../models/core/predictor/load.ts";
import { openPredictor } from "../../../models/core/predictor/predictor.ts";
import { offline } from "../../models/core/build.ts";
import { sluice } from "../../cli/sluice.ts";
import { cardManifest } from "../../models/core/lookup/models.ts";
import { day, noon, tableOf, type Event } from "../../models/core/lookup/tables.ts";
import { json, modelFolder, serve, temporaryFolder, until } from "./harness.ts";

const columns = ["spend", "visits"];
const events: Event[] = Array.from({ length: 50 }, (_, c) =>
  Array.from({ length: 5 }, (__, d) => ({ key: `card-${c}`, at: noon + d * day, values: [c + d / 8, d] })),
).flat();
const table = tableOf(columns, events);
const rows = Array.from({ length: 60 }, (_, i) => ({
  card_id: `card-${i}`,
  at: new Date(noon + (i % 6) * day).toISOString(),
  amount: i,
}));
const serving = { examples: [{ card_id: "card-1", at: noon, amount: 1 }] };
const lenient = { missing: { fill: 0 }, ttl: "30d" };

const folder = (bytes = table, changes: Parameters<typeof cardManifest>[2] = {}) =>
  modelFolder(cardManifest(bytes, lenient, { serving, ...changes }), { "card.features": bytes });

describe("a model with lookups through HTTP", () => {
  it.each(["main", "worker"])(
    "in the %s engine is the core's own prediction, alone and in a batch, notes too",
    async (engine) => {
      const dir = folder();
      const server = await serve([dir], ["--engine", engine]);
      const predictor = await openPredictor(await loadManifest(dir), {}, offline);
      const own = await predictor.predict(rows);
      await predictor.close();
      const batch = await json(await server.post("/predict/batch", { rows }));
      const shown = own.map((one) =>
        one.ok ? { heads: one.heads, ...(one.notes ? { notes: one.notes } : {}) } : null,
      );
      expect(batch["predictions"]).toEqual(shown);
      for (const i of [0, 7, 55]) {
        const { heads, notes } = await json(await server.post("/predict", rows[i]));
        expect({ heads, ...(notes === undefined ? {} : { notes }) }).toEqual(shown[i]);
      }
      // Rows 50 to 59 ask for cards that there are not; row 55 was asked for twice.
      const metrics = await (await server.get("/metrics")).text();
      expect(metrics).toContain('feature_lookups_missing_total{model="linear",step="card",reason="unknown"} 11');
      await server.kill();
    },
  );

  it("refuses a row without a key, and one whose key is none, with the field", async () => {
    const server = await serve([folder()]);
    for (const card_id of [undefined, "", 1.5, { a: 1 }, "x".repeat(600)]) {
      const response = await server.post("/predict", { card_id, amount: 1 });
      expect(response.status).toBe(422);
      expect(JSON.stringify(await response.json())).toContain("card_id");
    }
    await server.kill();
  });

  it("never answers from the cache, because features change", async () => {
    const server = await serve([folder()], ["--cache-bytes", "1000000"]);
    for (let i = 0; i < 2; i++) expect((await server.post("/predict", rows[1])).headers.get("x-cache")).toBeNull();
    await server.kill();
  });

  it("takes a new table while it serves, and keeps the old one when the new is damaged", async () => {
    const dir = folder();
    const server = await serve([dir]);
    const value = async () =>
      ((await json(await server.post("/predict", rows[1])))["heads"] as unknown as { value: { value: number } }).value
        .value;
    expect(await value()).toBe(1 + 1 / 8 + 10 + 100.5);
    const put = (bytes: Uint8Array, file: string, declared: Uint8Array) => {
      writeFileSync(join(dir, file), bytes);
      const manifest = cardManifest(declared, lenient, { serving });
      (manifest.preprocess["card"] as { store: { path: string } }).store.path = file;
      writeFileSync(join(dir, "model.yaml.new"), stringify(manifest));
      renameSync(join(dir, "model.yaml.new"), join(dir, "model.yaml"));
    };
    const next = tableOf(
      columns,
      events.map((event) => ({ ...event, values: [500, 0] })),
    );
    const damaged = next.slice();
    damaged[damaged.length - 1]! ^= 1;
    put(damaged, "card-2.features", next);
    await until(() => Promise.resolve(server.log().some(({ msg }) => /reload failed/.test(String(msg))) || undefined));
    expect(await value()).toBe(1 + 1 / 8 + 10 + 100.5);
    put(next, "card-3.features", next);
    await until(async () => ((await value()) === 600.5 ? true : undefined));
    await server.kill();
  });

  it("keeps a record without keys, and `sluice features check` computes it again", async () => {
    const dir = folder();
    const work = temporaryFolder();
    const log = join(work, "served.jsonl");
    const env = { SLUICE_LOOKUP_LOG: log, SLUICE_LOOKUP_SECRET: "not-the-real-secret", SLUICE_LOOKUP_SAMPLE: "1" };
    const server = await serve([dir], [], { env });
    await server.post("/predict/batch", { rows });
    const lines = await until(() => {
      // The model's example is asked for too, before it serves.
      const found = readFileSync(log, "utf8").trim().split("\n");
      return Promise.resolve(found.length > rows.length ? found : undefined);
    });
    await server.kill();
    expect(lines.join("\n")).not.toMatch(/card-\d/);
    writeFileSync(join(work, "history.features"), table);
    const check = (file: string) =>
      sluice(work, ["features", "check", dir, "--log", log, "--history", `card=${file}`, "--json"], env);
    const good = await check("history.features");
    expect(good.code).toBe(0);
    expect(JSON.parse(good.stdout)).toMatchObject({ verdict: "PASS", steps: [{ step: "card", differing: 0 }] });
    // Somebody corrects the past after it was served.
    const corrected = events.map((event) => (event.key === "card-7" ? { ...event, values: [1, 2] } : event));
    writeFileSync(join(work, "corrected.features"), tableOf(columns, corrected));
    const bad = await check("corrected.features");
    expect(bad.code).toBe(1);
    expect(JSON.parse(bad.stdout)).toMatchObject({ verdict: "FAIL", steps: [{ differing: 1 }] });
    appendFileSync(log, "{}\n");
    const broken = await check("history.features");
    expect([broken.code, broken.stderr]).toEqual([
      4,
      expect.stringMatching(/served.jsonl:\d+: not a record of a look-up/),
    ]);
  });
});
