import { describe, expect, it } from "vitest";
import { RandomStream } from "../../eval/stats/random.ts";
import { watchPolicy } from "../../models/core/manifest/watch.ts";
import type { Profile } from "../../models/profile/schema.ts";
import { performanceChecks } from "../../watch/checks/performance.ts";
import { followChange, type LabelledDay } from "../../watch/live/change.ts";
import type { ChangeState } from "../../watch/schema/state.ts";

const badness = { low: [0, 1], high: [0, 1] };
const limit = 0.12;
const dayAt = (n: number) => new Date(Date.UTC(2026, 0, 1 + n)).toISOString().slice(0, 10);

/** Days of right and wrong answers, all over. `rate`: of wrong ones on a day. */
function drawn(days: number, labels: number, rate: (day: number) => number, seed: number): LabelledDay[] {
  const random = new RandomStream(seed);
  return Array.from({ length: days }, (_, n) => {
    let wrong = 0;
    for (let i = 0; i < labels; i++) wrong += Number(random.uniform() < rate(n));
    return { day: dayAt(n), counts: [labels - wrong, wrong], over: true };
  });
}

/** A look at the end of each day, at what is kept of 120 days, with the state through JSON as over restarts. */
function looks(days: readonly LabelledDay[], perYear = 1) {
  let state: ChangeState | null = null;
  return days.map((_, n) => {
    const look = followChange(state, days.slice(Math.max(0, n - 119), n + 1), badness, limit, perYear);
    state = JSON.parse(JSON.stringify(look.state)) as ChangeState;
    return look;
  });
}

describe("a change of an error rate by labels", () => {
  it("that is none raises no alarm in five years of an error of 10 %, held at 12 %", () => {
    const alarms = Array.from(
      { length: 5 },
      (_, year) => looks(drawn(365, 50, () => 0.1, 100 + year)).filter(({ worseSince }) => worseSince !== null).length,
    );
    expect(alarms.reduce((sum, one) => sum + one, 0)).toBe(0);
  });

  it("that is none raises one alarm a year at most on average, although the error is the limit itself", () => {
    let alarms = 0;
    for (let year = 0; year < 8; year++) {
      const seen = looks(drawn(365, 50, () => limit, 200 + year));
      alarms += seen.filter(({ worseSince }, i) => worseSince !== null && seen[i - 1]?.worseSince == null).length;
    }
    expect(alarms).toBeLessThanOrEqual(8);
  });

  it("that is none is not seen in a day's worse half, looked at six times a day while the rate swings by 5 points", () => {
    const random = new RandomStream(12);
    const days: { day: string; counts: [number, number]; over: boolean }[] = [];
    let state: ChangeState | null = null;
    for (let n = 0; n < 365; n++) {
      const today = { day: dayAt(n), counts: [0, 0] as [number, number], over: false };
      days.push(today);
      for (let look = 0; look < 6; look++) {
        const rate = 0.1 + 0.05 * Math.sin((2 * Math.PI * look) / 6);
        for (let i = 0; i < 80; i++) today.counts[random.uniform() < rate ? 1 : 0]++;
        today.over = look === 5;
        const seen = followChange(state, days.slice(-30), badness, limit, 1);
        expect(seen.worseSince).toBeNull();
        ({ state } = seen);
      }
    }
  });

  it.each([
    [50, 0.2, 9],
    [500, 0.2, 2],
    [2000, 0.2, 1],
    [50, 0.15, 30],
    [500, 0.15, 7],
    [2000, 0.15, 3],
  ])(
    "after 120 good days, %i labels a day, to an error of %d, is seen within %i days in the median",
    (n, after, most) => {
      const delays = Array.from({ length: n === 2000 ? 3 : 7 }, (_, run) => {
        const seen = looks(drawn(120 + 60, n, (day) => (day < 120 ? 0.1 : after), 300 + run));
        expect(seen.slice(0, 120).every(({ worseSince }) => worseSince === null)).toBe(true);
        const first = seen.findIndex(({ worseSince }) => worseSince !== null);
        return first < 0 ? Infinity : first - 119;
      });
      expect(delays.toSorted((a, b) => a - b)[Math.floor(delays.length / 2)]).toBeLessThanOrEqual(most);
    },
  );

  it("is closed when the error is as before again, and not before", () => {
    const seen = looks(drawn(90, 500, (day) => (day >= 30 && day < 60 ? 0.25 : 0.1), 7));
    expect(seen.slice(35, 60).every(({ worseSince }) => worseSince !== null)).toBe(true);
    expect(seen.at(-1)).toMatchObject({ worseSince: null, closed: true });
  });

  it("is the same whether the watch looked every day, over restarts, or once", () => {
    const days = drawn(60, 200, (day) => (day < 40 ? 0.1 : 0.3), 8);
    const once = followChange(null, days, badness, limit, 1);
    expect(looks(days).at(-1)).toEqual(once);
    expect(once.worseSince).not.toBeNull();
  });

  it("is not moved by a second look at the same labels, nor by what was looked at before its day was over", () => {
    const days = drawn(30, 200, () => 0.1, 9);
    const first = followChange(null, days, badness, limit, 1);
    expect(followChange(first.state, days, badness, limit, 1).state).toEqual(first.state);
    const open = days.map((one, i) => ({ ...one, over: i < 29 }));
    const looked = followChange(null, open, badness, limit, 1);
    expect(looked.state.taken).toHaveLength(29);
    expect(followChange(looked.state, days, badness, limit, 1).state).toEqual(first.state);
  });

  it("is seen on a day that is not over, and not kept", () => {
    const bad = { day: dayAt(0), counts: [500, 500], over: false };
    const look = followChange(null, [bad], badness, limit, 1);
    expect(look.worseSince).toBe(dayAt(0));
    expect(look.state).toMatchObject({ worseSince: null, taken: [], detector: { count: 0 } });
  });

  it("takes labels that come late once, and lets days go that nobody keeps", () => {
    const first = followChange(null, [{ day: dayAt(0), counts: [90, 10], over: true }], badness, limit, 1);
    const later = followChange(first.state, [{ day: dayAt(0), counts: [95, 12], over: true }], badness, limit, 1);
    expect(later.state.detector.count).toBe(107);
    const afterMonths = followChange(
      later.state,
      [{ day: dayAt(130), counts: [10, 0], over: true }],
      badness,
      limit,
      1,
    );
    expect(afterMonths.state.taken.map(({ day }) => day)).toEqual([dayAt(130)]);
  });

  it("begins anew with another limit", () => {
    const days = drawn(3, 100, () => 0.1, 10);
    const first = followChange(null, days, badness, limit, 1);
    expect(followChange(first.state, days, badness, 0.2, 1).state).toEqual(
      followChange(null, days, badness, 0.2, 1).state,
    );
  });

  it.each([
    ["nothing", []],
    ["empty days", [{ day: dayAt(0), counts: [0, 0], over: true }]],
    ["one wrong answer", [{ day: dayAt(0), counts: [0, 1], over: true }]],
    ["three wrong answers, and no other", [{ day: dayAt(0), counts: [0, 3], over: true }]],
  ])("is not seen in %s", (_, days) => {
    expect(followChange(null, days, badness, limit, 1)).toMatchObject({ worseSince: null, closed: false });
  });

  it("of numbers known by cell only comes from what they are at least, and ends by what they are at most", () => {
    // Between 0 and 1: nothing is known.
    const unknown = { low: [0], high: [1] };
    const look = followChange(null, [{ day: dayAt(0), counts: [5000], over: true }], unknown, limit, 1);
    expect(look.worseSince).toBeNull();
  });
});

describe("a check by labels", () => {
  const profile: Profile = {
    schemaVersion: 1,
    model: { id: "m", version: "1.0.0", sha256: "" },
    dataset: { id: "d", digest: "", rows: 1000 },
    rows: { answered: 1000, refused: 0, observed: 1000 },
    variables: [],
    left: 0,
    labels: [{ head: "h", kind: "classes", classes: ["no", "yes"], confusion: [450, 50, 50, 450] }],
    performance: [{ head: "h", metric: "accuracy", value: 0.9, interval: null, unit: "fraction", n: 1000 }],
  };
  const judged = (days: readonly LabelledDay[], value = 0.9, labels = {}) =>
    performanceChecks(
      { ...profile, performance: [{ ...profile.performance[0]!, value }] },
      {
        hours: days.map(({ day, counts }) => ({ hour: `${day}T10`, labelled: [[counts[0]!, 0, counts[1]!, 0]] })),
        due: "2027",
      },
      null,
      watchPolicy({ labels: { margin: 0.02, ...labels } }),
    );

  it("that was good for long and is bad now is FAIL, while its interval of all labels still holds", () => {
    const days = drawn(125, 500, (day) => (day < 120 ? 0.1 : 0.2), 11);
    const [check] = judged(days).checks;
    expect(check).toMatchObject({
      verdict: "FAIL",
      advisory: false,
      interval: { method: expect.stringContaining("betting") },
    });
    expect(check!.interval!.low).toBeGreaterThan(-0.02);
    expect(check!.reason).toMatch(/: worse since 2026-05-0\d$/);
  });

  it("with fewer labels than the least is INCONCLUSIVE, however bad they are", () => {
    expect(judged([{ day: dayAt(0), counts: [0, 99], over: true }]).checks).toMatchObject([
      { verdict: "INCONCLUSIVE", advisory: true },
    ]);
  });

  it("whose limit is no rate inside 0 and 1 is decided by its interval", () => {
    const { checks, changes } = judged([{ day: dayAt(0), counts: [300, 700], over: true }], 1, { margin: 0 });
    expect(checks).toMatchObject([{ verdict: "FAIL" }]);
    expect(Object.keys(changes).filter((id) => !id.includes("@"))).toEqual([]);
  });
});
