import { rmSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ManifestInput } from "../../../models/core/manifest/manifest.ts";
import { jsonLines, linearManifest, teamRepository, type TeamRepository } from "../../cli/repository.ts";
import { day, digestOf, noon, tableOf, type Event } from "../../models/core/lookup/tables.ts";
import { cardManifest } from "../../models/core/lookup/models.ts";
import { verdictOn } from "./verdict-on.ts";

const columns = ["spend", "visits"];
/** Card c changes every day: spend is the number of the day, visits that of the card. */
const events: Event[] = Array.from({ length: 10 }, (_, c) =>
  Array.from({ length: 30 }, (__, d) => ({ key: `card-${c}`, at: noon + d * day, values: [d, c] })),
).flat();
const history = tableOf(columns, events);
const latest = tableOf(columns, events, { latest: true });

/** 200 rows, each six hours after an event of its card; the true value is what was known then. */
const rows = Array.from({ length: 200 }, (_, i) => {
  const [card, d] = [i % 10, (7 * i) % 29];
  return {
    id: `row-${i}`,
    card_id: `card-${card}`,
    at: new Date(noon + d * day + day / 4).toISOString(),
    later: new Date(noon + (d + 1) * day).toISOString(),
    amount: i % 3,
    half: i % 2 === 0 ? "even" : "odd",
    value: d + 10 * card + 100 * (i % 3) + 0.5,
  };
});

type Changes = Partial<ManifestInput> & { step?: Parameters<typeof cardManifest>[1]; served?: Uint8Array };

function manifest({ step = {}, served = latest, ...changes }: Changes = {}): ManifestInput {
  const base = linearManifest();
  return cardManifest(served, step, {
    ...base,
    id: "linear",
    version: "1.1.0",
    preprocess: cardManifest(served, step).preprocess,
    dataset: {
      ...base.dataset!,
      time: "at",
      features: { card: { path: "data/card.features" } },
    },
    gates: { checks: [{ kind: "limit", metric: "mae", max: 0.001 }] },
    ...changes,
  });
}

let team: TeamRepository;
const put = (changes: Changes = {}) => {
  team.write("models/linear/card.features", changes.served ?? latest);
  team.write("models/linear/model.yaml", stringify(manifest(changes)));
};
const land = (message: string) => {
  team.git("add", "-A");
  team.git("commit", "-qm", message);
};
beforeEach(() => {
  team = teamRepository();
  team.write("models/linear/data/rows.jsonl", jsonLines(rows));
  team.write("models/linear/data/card.features", history);
  put({ version: "1.0.0" });
  land("Features by card");
  put();
});
afterEach(() => team.remove());

describe("a gate of a model with lookups", () => {
  it("joins what was known at each row's time, for candidate and baseline, and says how often nothing was", async () => {
    const verdict = await verdictOn(team.dir);
    expect(verdict).toMatchObject({ verdict: "PASS", dataset: { rows: 200 } });
    expect(verdict.checks[0]).toMatchObject({ observed: 0, baseline: 0 });
    expect(verdict.notes).toEqual(
      expect.arrayContaining([
        "Lookups of card for 200 rows: 0 (0.0 %) without features at their time, 0 (0.0 %) with features older than any limit, 0 (0.0 %) with a value missing.",
        "What card is served from was compared with the history for 10 keys as of 2026-02-13T12:00:00.000Z: every feature is the same float32.",
      ]),
    );
  });

  it("applies ttl and the missing policy as the server does", async () => {
    put({ step: { ttl: "5h", missing: { fill: 0 } }, gates: { checks: [{ kind: "limit", metric: "mae", max: 999 }] } });
    const verdict = await verdictOn(team.dir);
    expect(verdict.notes.join("\n")).toMatch(/200 \(100.0 %\) with features older than 5h/);
    const mean = rows.reduce((sum, { value, amount }) => sum + value - 100 * amount - 0.5, 0) / rows.length;
    expect(verdict.checks[0]!.observed).toBeCloseTo(mean, 6);
  });

  it.each<[string, Changes, RegExp]>([
    [
      "asks for a later time than the rows'",
      { step: { time: "later" } },
      /card would ask for features of another time.*time: at/s,
    ],
    ["asks about now", { step: { time: undefined as never } }, /another time than the rows'.*no time, which is now/s],
  ])("is ERROR for a candidate that %s", async (_, changes, reason) => {
    put(changes);
    const verdict = await verdictOn(team.dir);
    expect(verdict.verdict).toBe("ERROR");
    expect(verdict.reason).toMatch(reason);
  });

  it("is ERROR where the exam has no history of a step, and says what to land first", async () => {
    const { card } = manifest().preprocess;
    put({ preprocess: { ...manifest().preprocess, card: undefined as never, shop: card! } });
    const text = stringify(manifest()).replaceAll("card.spend", "shop.spend").replaceAll("card.visits", "shop.visits");
    team.write("models/linear/model.yaml", text.replace("\n  card:\n", "\n  shop:\n"));
    const verdict = await verdictOn(team.dir);
    expect(verdict.verdict).toBe("ERROR");
    expect(verdict.reason).toMatch(/no history of the features of shop.*card.*merged by itself/s);
  });

  it("judges by the base's history, whatever the candidate brings", async () => {
    // In the candidate's history every event came a day earlier: it knows tomorrow.
    team.write(
      "models/linear/data/card.features",
      tableOf(
        columns,
        events.map((event) => ({ ...event, at: event.at! - day })),
      ),
    );
    put({ version: "1.2.0", postprocess: linearManifest({ offset: 1 }).postprocess });
    const verdict = await verdictOn(team.dir);
    expect(verdict.verdict).toBe("FAIL");
    // With the candidate's own history the offset would have been right.
    expect(verdict.checks[0]!.observed).toBeCloseTo(1, 6);
    expect(verdict.policyChanges).toContainEqual(
      expect.objectContaining({ path: "dataset file models/linear/data/card.features", candidate: "changed" }),
    );
  });

  it("has another dataset digest with another history", async () => {
    const before = (await verdictOn(team.dir)).dataset!.digest;
    team.write(
      "models/linear/data/card.features",
      tableOf(columns, [...events, { key: "card-99", at: noon, values: [1, 1] }]),
    );
    land("Another history");
    const after = (await verdictOn(team.dir)).dataset!.digest;
    expect(after).not.toBe(before);
  });
});

describe("features that are served", () => {
  const last = noon + 29 * day;
  it.each<[string, Event[], RegExp]>([
    [
      "one bit off",
      events.map((event) =>
        event.key === "card-3" && event.at === last ? { ...event, values: [29 * (1 + 2 ** -23), 3] } : event,
      ),
      /card: 1 of 10 keys differ as of .*e.g. spend is 29.0000\d+ where the history gives 29/,
    ],
    ["a day old", events.filter(({ key, at }) => key !== "card-3" || at !== last), /1 of 10 keys differ.*spend is 28/],
    ["missing", events.filter(({ key }) => key !== "card-3"), /1 of 10 keys differ.*spend is NaN/],
  ])("are ERROR when they are %s", async (_, given, reason) => {
    const served = tableOf(columns, given, { latest: true });
    put({ served, step: { store: { path: "card.features", sha256: digestOf(served) } } });
    const verdict = await verdictOn(team.dir);
    expect(verdict.verdict).toBe("ERROR");
    expect(verdict.reason).toMatch(/not those that the model was judged with/);
    expect(verdict.reason).toMatch(reason);
  });

  it("may be newer than the history: those keys are counted and not compared", async () => {
    const served = tableOf(columns, [...events, { key: "card-3", at: last + day, values: [99, 3] }], { latest: true });
    put({ served });
    const verdict = await verdictOn(team.dir);
    expect(verdict.verdict).toBe("PASS");
    expect(verdict.notes.join("\n")).toMatch(/every feature is the same float32; 1 have a newer event/);
  });

  it("from Redis are not compared where its address is unknown, which the report says", async () => {
    put({ step: { store: { redis: { columns } } } });
    rmSync(join(team.dir, "models/linear/card.features"));
    const verdict = await verdictOn(team.dir);
    expect(verdict.verdict).toBe("PASS");
    expect(verdict.notes.join("\n")).toMatch(/SLUICE_FEATURES_REDIS_URL is not set here.*was not compared/);
  });
});
