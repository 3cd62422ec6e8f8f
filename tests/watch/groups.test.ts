import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { EvaluationError } from "../../models/core/errors.ts";
import type { LiveCounts } from "../../models/profile/live.ts";
import { mergeHours } from "../../models/profile/live.ts";
import type { LabelledHead, Profile } from "../../models/profile/schema.ts";
import { watchPolicy } from "../../models/core/manifest/watch.ts";
import { RandomStream } from "../../eval/stats/random.ts";
import { expectedNote } from "../../watch/checks/expected-accuracy.ts";
import { labelViews } from "../../watch/checks/label-views.ts";
import { performanceChecks } from "../../watch/checks/performance.ts";
import { sendLabels } from "../../watch/live/send-labels.ts";
import { lookAt } from "../../watch/watch.ts";
import { emptyState } from "../../watch/live/state.ts";
import { folderWith } from "../eval/dataset/build.ts";
import { gatedModel, riskManifest, riskRows, served, type LabelledRow, type Served } from "./live-model.ts";

const regions = ["north", "south"] as const;
const withRegion = (rows: readonly LabelledRow[]): LabelledRow[] =>
  rows.map(({ row, label }, i) => ({ row: { ...row, region: regions[i % 2] } as LabelledRow["row"], label }));

describe("labels of a real server by slice and class", () => {
  let server: Served;
  let counts: LiveCounts;
  let watchedModel: Awaited<ReturnType<typeof lookAt>>["model"];
  const gates = (slices: string[]) => ({
    checks: [
      { kind: "limit" as const, metric: "accuracy" as const, min: 0.6 },
      { kind: "non-inferiority" as const, metric: "accuracy" as const, margin: 0.05, slices },
    ],
  });

  beforeAll(async () => {
    const manifest = riskManifest({ gates: gates(["region"]) });
    manifest.dataset!.slices = ["region"];
    const { dir } = await gatedModel(manifest, withRegion(riskRows(2000, 1)));
    server = await served(dir);
    const rows = riskRows(2000, 3);
    const id = await server.ask(rows);
    // In the south every third label is the other one.
    const feedback = rows.map(({ label }, i) => {
      const turned = i % 2 === 1 && i % 3 === 0;
      return {
        predictionId: `${id}:${i}`,
        label: turned ? (label === "yes" ? "no" : "yes") : label,
        slices: { region: regions[i % 2], unheard: "of" },
      };
    });
    for (let from = 0; from < 2000; from += 1000)
      await server.post("feedback", { feedback: feedback.slice(from, from + 1000) });
    counts = await server.counts();
    ({ model: watchedModel } = await lookAt(
      { model: "risk", origins: [server.url], gates: null, policy: watchPolicy() },
      emptyState(),
      { fetch, now: () => new Date() },
    ));
  }, 60_000);

  it("are counted as whoever labelled them named them; what the dataset has not is left out", () => {
    expect(counts.profile!.slices!.map(({ name }) => name).toSorted()).toEqual(["region=north", "region=south"]);
    const hours = mergeHours([counts.hours]);
    const sums = counts.profile!.slices!.map((_, s) =>
      hours.reduce((sum, { sliced }) => sum + sliced![0]![s]!.reduce((all, one) => all + one, 0), 0),
    );
    expect(sums).toEqual([1000, 1000]);
  });

  it("the slice that the gates declare decides, by the rules of the profile; the other holds; classes inform", () => {
    const groups = watchedModel.checks.filter(({ slice }) => slice !== "all");
    const of = (slice: string) => groups.find((one) => one.slice === slice)!;
    expect(of("region=south")).toMatchObject({ verdict: "FAIL", advisory: false, n: 1000 });
    expect(of("region=north")).toMatchObject({ n: 1000 });
    expect(of("region=north").verdict).not.toBe("FAIL");
    expect(of("label=no")).toMatchObject({ advisory: true });
    expect(watchedModel.verdict).toBe("FAIL");
    expect(watchedModel.reason).toContain("accuracy of risk, region=south");
  });

  it("a label's slices are few, and belong to a label", async () => {
    const many = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`s${i}`, 1]));
    expect((await server.post("feedback", { predictionId: "x", label: "no", slices: many })).status).toBe(422);
    expect((await server.post("feedback", { predictionId: "x", event: "click", slices: { a: 1 } })).status).toBe(422);
  });

  it("labels come from a file, once, with their slices; what the server does not know is said", async () => {
    const rows = riskRows(30, 5);
    const id = await server.ask(rows);
    const lines = rows.map(({ label }, i) => `${id}:${i},${label},north`);
    const file = join(folderWith({}), "labels.csv");
    writeFileSync(file, ["predictionId,label,region", ...lines, "0123456789ab.1.aa-bb:0,no,north", ""].join("\n"));
    const deps = { fetch };
    expect(await sendLabels(file, "risk", [server.url], deps)).toEqual({ recorded: 30, unknown: 1 });
    expect(await sendLabels(file, "risk", [server.url, server.url], deps)).toEqual({ repeated: 30, unknown: 1 });
    writeFileSync(file, `predictionId,label\n${id}:0,yes\n,no\n`);
    await expect(sendLabels(file, "risk", [server.url], deps)).rejects.toThrow(/labels\.csv:3/);
    writeFileSync(file, `predictionId,label\n${id}:0,yes\n`);
    await expect(sendLabels(file, "other", [server.url], deps)).rejects.toThrow(/404/);
    await expect(sendLabels(file, "risk", ["http://127.0.0.1:9"], deps)).rejects.toThrow(EvaluationError);
  });

  it("many refused labels are said", async () => {
    const feedback = Array.from({ length: 400 }, (_, i) => ({
      predictionId: `0123456789ab.${i}.aa-bb`,
      label: "no",
    }));
    await server.post("feedback", { feedback });
    const { model } = await lookAt(
      { model: "risk", origins: [server.url], gates: null, policy: watchPolicy() },
      emptyState(),
      { fetch, now: () => new Date() },
    );
    expect(model.notes.join("\n")).toMatch(/40\d were refused: 40\d for predictions that are not known/);
  });
});

const head: LabelledHead = { head: "h", kind: "classes", classes: ["no", "yes"], confusion: [450, 50, 50, 450] };
const profile: Profile = {
  schemaVersion: 1,
  model: { id: "m", version: "1.0.0", sha256: "" },
  dataset: { id: "d", digest: "", rows: 1000 },
  rows: { answered: 1000, refused: 0, observed: 1000 },
  variables: [],
  left: 0,
  labels: [head],
  performance: [{ head: "h", metric: "accuracy", value: 0.9, interval: null, unit: "fraction", n: 1000 }],
  slices: Array.from({ length: 20 }, (_, i) => ({
    name: `s=${i}`,
    performance: [{ head: "h", metric: "accuracy", value: 0.9, interval: null, unit: "fraction", n: 50 }],
  })),
};
const draw = (random: RandomStream, n: number, wrong: number) => {
  let bad = 0;
  for (let i = 0; i < n; i++) bad += Number(random.next() / 2 ** 32 < wrong);
  return [n - bad, bad];
};

describe("groups share the errors", () => {
  const gates = {
    alpha: 0.05,
    minimumPerClass: 30,
    onInsufficient: "fail" as const,
    checks: [
      { kind: "non-inferiority" as const, metric: "accuracy" as const, slices: [], margin: 0.05 },
      { kind: "non-inferiority" as const, metric: "accuracy" as const, slices: ["s"], margin: 0.05 },
    ],
  };
  /** A year of a model whose twenty slices are all as far from the gate as they may be. @returns whether any alarmed */
  const year = (seed: number, wrong: number, days = 180): boolean => {
    const random = new RandomStream(seed);
    const hours = Array.from({ length: days }, (_, day) => ({
      hour: `${new Date(Date.UTC(2026, 0, 1 + day)).toISOString().slice(0, 10)}T00`,
      labelled: [[0, 0, 0, 0]],
      sliced: [profile.slices!.map(() => draw(random, 5, wrong))],
    }));
    const { groups } = performanceChecks(profile, { hours, due: "2026-12-31T23" }, gates, watchPolicy());
    return groups.some(({ verdict, advisory }) => verdict === "FAIL" && !advisory);
  };

  it("twenty slices on their margin raise an alarm in at most a half of half-years; on the gate's figure in none", () => {
    // One alarm a year for all of it, half of that for the groups: a quarter in half a year, and its Monte-Carlo error.
    const alarms = Array.from({ length: 40 }, (_, seed) => year(seed, 0.15)).filter(Boolean).length;
    expect(alarms).toBeLessThanOrEqual(20);
    expect(Array.from({ length: 10 }, (_, seed) => year(seed, 0.1)).filter(Boolean)).toHaveLength(0);
  }, 60_000);

  it("and a slice that breaks is found", () => {
    expect(year(1, 0.5, 60)).toBe(true);
  });

  it("a class or slice that the gate had few rows of is not followed", () => {
    const few = {
      ...profile,
      slices: [{ name: "s=a", performance: [{ ...profile.slices![0]!.performance[0]!, n: 29 }] }],
    };
    expect(labelViews(few).map(({ slice }) => slice)).toEqual(["all", "label=no", "label=yes"]);
    const rare = { ...profile, labels: [{ ...head, confusion: [450, 50, 5, 20] }], slices: [] };
    expect(labelViews(rare).map(({ slice }) => slice)).toEqual(["all", "label=no"]);
  });
});

describe("what accuracy to expect without labels", () => {
  const edges = [0.25, 0.5, 0.75];
  const variables: Profile["variables"] = [
    {
      name: "h.score",
      role: "answer",
      kind: "numbers",
      edges,
      counts: [250, 250, 250, 250],
      missing: 0,
      range: null,
      outside: 0,
    },
  ];
  const known: LabelledHead = { ...head, positives: [25, 100, 150, 225], negatives: [225, 150, 100, 25] };
  const window = (counts: number[]) =>
    ({ counts: [[...counts, 0, 0]], answered: 400, refused: {}, days: [], events: [], from: "", to: "" }) as never;
  const note = (live: number[], labelled: number[]) => expectedNote(known, 0, variables, window(live), labelled);
  const even = [100, 100, 100, 100];
  /** Confusion, then positives and negatives per cell. */
  const labels = (up: number[], down: number[]) => [0, 0, 0, 0, ...up, ...down];

  it("holds if labels follow scores, which is seen where labels came", () => {
    expect(note(even, [])).toMatch(/expect an accuracy of 75\.0 %.*75\.0 % on the gate's rows.*cannot be seen without/);
    expect(note(even, labels([10, 40, 60, 90], [90, 60, 40, 10]))).toMatch(/The labels that came agree/);
    expect(note(even, labels([60, 60, 90, 100], [40, 40, 10, 0]))).toMatch(/no longer follow scores/);
    expect(note(even, labels([9, 9, 9, 9], [0, 0, 0, 0]))).toMatch(/cannot be seen without/);
    expect(note([0, 0, 0, 0], [])).toBeNull();
  });

  it("is refused where live scores lie where the gate had none", () => {
    const bare = { ...known, positives: [0, 100, 150, 225], negatives: [3, 150, 100, 25] };
    expect(expectedNote(bare, 0, variables, window(even), [])).toMatch(/not known: 25\.0 % of the live scores/);
  });

  it("says that nothing changed in at most 5 of 1,000 samples that are as the gate's", () => {
    const random = new RandomStream(9);
    let wrong = 0;
    for (let i = 0; i < 1000; i++) {
      const drawn = [0.1, 0.4, 0.6, 0.9].map((p) => draw(random, 100, p));
      const text = note(
        even,
        labels(
          drawn.map(([, up]) => up!),
          drawn.map(([down]) => down!),
        ),
      );
      wrong += Number(/no longer follow/.test(text!));
    }
    expect(wrong).toBeLessThanOrEqual(5);
  });
});
