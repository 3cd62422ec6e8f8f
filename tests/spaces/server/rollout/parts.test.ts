import { describe, expect, it } from "vitest";
import { RandomStream } from "../../../../eval/stats/random.ts";
import { decideCanary } from "../../../../eval/stats/sequential/canary-decision.ts";
import type { HeadResult } from "../../../../models/core/postprocess/result.ts";
import { rolloutSettings } from "../../../../models/core/rollout/settings.ts";
import { agreementOf, keptAnswer, labelValue } from "../../../../spaces/server/rollout/answer-value.ts";
import { createEvidence } from "../../../../spaces/server/rollout/evidence.ts";
import { whyNoRoom } from "../../../../spaces/server/rollout/memory.ts";
import { createShadowQueue } from "../../../../spaces/server/rollout/shadow-queue.ts";
import { createUnits, unitOf } from "../../../../spaces/server/rollout/units.ts";

const label = (of: string): HeadResult => ({ kind: "classification", label: of, score: 0.9, probabilities: {} });
const number = (value: number): HeadResult => ({ kind: "regression", value });
const items = (...ids: string[]): HeadResult => ({ kind: "ranking", items: ids.map((id) => ({ id, score: 1 })) });

describe("how far two answers agree", () => {
  it.each<[HeadResult, HeadResult, number]>([
    [label("a"), label("a"), 1],
    [label("a"), label("b"), 0],
    [number(100), number(104), 1],
    [number(100), number(106), 0],
    [number(0), number(0), 1],
    [items("a", "b", "c"), items("b", "c", "d"), 0.5],
    [items(), items(), 1],
    [{ kind: "series", values: [1, 2, 4, 8] }, { kind: "series", values: [1, 2, 5, 9] }, 0.5],
    [{ kind: "spans", spans: [] }, { kind: "spans", spans: [] }, 1],
    [label("a"), number(1), 0],
  ])("%j and %j: %d", (a, b, wanted) => {
    expect(agreementOf({ head: a }, { head: b }, 0.05)).toBe(wanted);
  });
  it("is the mean over the heads", () => {
    expect(agreementOf({ x: label("a"), y: number(1) }, { x: label("a"), y: number(2) }, 0.05)).toBe(0.5);
    expect(agreementOf({}, {}, 0.05)).toBe(1);
  });
});

it("a label makes an answer right or wrong; a number within its distance", () => {
  const kept = keptAnswer({ mood: label("good"), fare: number(10), list: items("a") });
  expect(kept).toEqual({ mood: "good", fare: 10 });
  expect(labelValue(kept, "mood", "good", null)).toBe(1);
  expect(labelValue(kept, "mood", "bad", null)).toBe(0);
  expect(labelValue(kept, "fare", 12, 2)).toBe(1);
  expect(labelValue(kept, "fare", 12.1, 2)).toBe(0);
  expect(labelValue(kept, "fare", 12, null)).toBeNull();
  expect(labelValue(kept, "list", "a", null)).toBeNull();
  expect(labelValue(kept, null, "good", null)).toBe(1);
});

describe("who asks", () => {
  const key = { header: "X-User", field: "account", apiKey: true };
  it("is the first that a request has", () => {
    const shown = { headers: {}, apiKey: "k" };
    expect(unitOf(key, { headers: { "x-user": "ana" }, apiKey: "k" }, { account: 7 })).toBe("ana");
    expect(unitOf(key, shown, { account: 7 })).toBe("7");
    expect(unitOf(key, shown, {})).toBe("k");
    expect(unitOf(key, { headers: {}, apiKey: null }, null)).toBeNull();
    expect(unitOf({ apiKey: false }, shown, {})).toBeNull();
  });
  it("is counted once in an arm, and once in a step for the sample ratio", () => {
    const units = createUnits("r", () => 0.5);
    const ana = units.place("ana");
    expect([units.count("candidate", ana), units.count("candidate", ana)]).toEqual([true, false]);
    expect(units.tally).toEqual({ baseline: 0, candidate: 1 });
    units.nextStep();
    expect(units.count("candidate", ana)).toBe(false);
    expect(units.tally.candidate).toBe(1);
    expect([units.count("baseline", units.place(null)), units.count("baseline", units.place(null))]).toEqual([
      true,
      true,
    ]);
  });
  it("keeps a unit where it is as the share grows, and shows shares that are not kept", () => {
    const units = createUnits("r", () => 0);
    const below = (share: number) =>
      new Set(Array.from({ length: 500 }, (_, i) => `u${i}`).filter((one) => units.place(one).place < share));
    const [few, many] = [below(0.1), below(0.5)];
    expect([...few].every((one) => many.has(one))).toBe(true);
    for (let i = 0; i < 400; i++) units.count(i % 10 === 0 ? "candidate" : "baseline", units.place(null));
    expect(units.mismatch(0.1)).toBeLessThan(0);
    expect(units.mismatch(0.5)).toBeGreaterThan(3);
    expect(units.mismatch(0)).toBe(0);
  });
});

it("memory: the weights twice and what a worker takes, or why not", () => {
  const mib = 1_048_576;
  expect(whyNoRoom(100 * mib, 200 * mib, 500 * mib)).toBeNull();
  expect(whyNoRoom(120 * mib, 200 * mib, 500 * mib)).toBe(
    "the candidate needs about 304 MiB beside the 200 MiB in use, more than the bound of 500 MiB (rollout.memoryMb)",
  );
});

describe("the shadow's queue", () => {
  const settled = () =>
    new Promise((resolve) => {
      setTimeout(resolve, 60);
    });
  it("waits while live rows wait, sheds beyond its bound, and gives up what is old", async () => {
    let busy = true;
    let now = 0;
    const queue = createShadowQueue(
      () => busy,
      () => now,
    );
    const ran: number[] = [];
    for (let i = 0; i < 20; i++)
      queue.add(() => {
        ran.push(i);
        return Promise.resolve();
      });
    expect(queue.tally()).toEqual({ compared: 0, shed: 4, waiting: 16 });
    await settled();
    expect(ran).toEqual([]);
    busy = false;
    await settled();
    expect(ran).toEqual(Array.from({ length: 16 }, (_, i) => i));
    busy = true;
    queue.add(() => Promise.resolve());
    now = 3000;
    await settled();
    expect(queue.tally()).toEqual({ compared: 16, shed: 5, waiting: 0 });
  });
});

describe("evidence of many roll-outs, looked at after every row", () => {
  const alpha = 0.05;
  const { metrics } = rolloutSettings.parse({
    metrics: { errors: { margin: 0.02 }, labels: { margin: 0.02 } },
  });
  const heads = (of: string) => ({ head: label(of) });

  /** @returns how many of `runs` shadows were promoted and ended within 1,500 labels */
  function play(runs: number, lost: number, gained: number) {
    const counts = { promoted: 0, ended: 0 };
    for (let run = 0; run < runs; run++) {
      const random = new RandomStream(900, run);
      const evidence = createEvidence(metrics, alpha, 100, () => 0);
      for (let row = 0; row < 1500; row++) {
        const u = random.uniform();
        const [base, candidate] = u < lost ? ["t", "f"] : u < lost + gained ? ["f", "t"] : ["t", "t"];
        evidence.pair({ heads: heads(base), ms: 1 }, { heads: heads(candidate), ms: 1 }, `id ${row}`);
        evidence.label(`id ${row}`, null, "t");
        const { action } = decideCanary(evidence.of("shadow"), { alpha, abortAlpha: alpha / 2, leastNew: 0 });
        if (action === "PROMOTE") counts.promoted++;
        if (action === "ABORT") counts.ended++;
        if (action !== "CONTINUE" && action !== "PAUSE") break;
      }
    }
    return counts;
  }

  it("on the margin hardly any is promoted or ended; far from it nearly all are", () => {
    const onMargin = play(150, 0.03, 0.01);
    // At most 5 % and 2.5 %; a rate of exactly so much is above these in fewer than one of a thousand seeds.
    expect(onMargin.promoted).toBeLessThanOrEqual(17);
    expect(onMargin.ended).toBeLessThanOrEqual(11);
    expect(play(40, 0.01, 0.01).promoted).toBeGreaterThan(36);
    expect(play(40, 0.1, 0.0).ended).toBe(40);
  }, 60_000);

  it("events count 0 where they do not come in time, in the order of the answers", () => {
    let now = 0;
    const { metrics: withEvents } = rolloutSettings.parse({
      metrics: { events: { buy: { withinMinutes: 1, max: 10, margin: 0.1 } } },
    });
    const evidence = createEvidence(withEvents, alpha, 100, () => now);
    evidence.share(0.5);
    const seen = { heads: heads("t"), ms: 1 };
    evidence.row("baseline", seen, "a");
    evidence.row("candidate", seen, "b");
    evidence.row("candidate", seen, null);
    evidence.event("b", "buy", 25);
    evidence.event("b", "other", 1);
    evidence.ripen();
    const buys = () => evidence.of("canary").find(({ metric }) => metric === "event buy")!.capital.moments;
    expect(buys().count).toBe(0);
    now = 60_000;
    evidence.ripen();
    evidence.event("a", "buy", 5);
    // candidate 1, baseline 0: a difference of 1.
    expect(buys()).toMatchObject({ count: 1, sum: 1 });
  });
});
