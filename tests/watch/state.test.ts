import { describe, expect, it } from "vitest";
import type { HourCounts, LiveCounts } from "../../models/profile/live.ts";
import { emptyState, hoursOf, instancesSince, withLive } from "../../watch/live/state.ts";
import type { WatchState } from "../../watch/schema/state.ts";

const hour = (at: string, answered: number): HourCounts => ({
  hour: at,
  answered,
  refused: { missing: 0, outside: 0, unseen: 0, tooLong: 0, other: 0 },
  counts: [[answered, 0, 0]],
  labelled: [],
  events: { click: { n: answered, sum: answered / 2 } },
});

const live = (instance: string, hours: HourCounts[], profileSha256 = "a"): LiveCounts => ({
  schemaVersion: 1,
  model: { id: "m", version: "1.0.0", sha256: "" },
  instance: { id: instance, startedAt: "2026-03-01T00:00:00Z" },
  at: "2026-03-01T12:00:00Z",
  profile: null,
  profileSha256,
  hours,
  pending: 0,
  feedback: {},
});

const day = (n: number) => new Date(Date.UTC(2026, 2, n, 12));
const answered = (state: WatchState) => hoursOf(state, "m").map(({ hour: at, answered: n }) => [at, n]);

describe("the state of a watch", () => {
  it("takes an instance's newest counts, once, however often it looks", () => {
    const first = withLive(emptyState(), live("one", [hour("2026-03-01T10", 20)]), day(1));
    const again = withLive(first, live("one", [hour("2026-03-01T10", 25), hour("2026-03-01T11", 5)]), day(1));
    expect(answered(withLive(again, live("one", [hour("2026-03-01T10", 25)]), day(1)))).toEqual([
      ["2026-03-01T10", 25],
      ["2026-03-01T11", 5],
    ]);
  });

  it("adds up instances: replicas, and a server before and after a restart", () => {
    const state = ["one", "two", "three"].reduce(
      (so, id) => withLive(so, live(id, [hour("2026-03-01T10", 10)]), day(1)),
      emptyState(),
    );
    expect(hoursOf(state, "m")).toEqual([hour("2026-03-01T10", 30)]);
    expect(instancesSince(state, "m", "2026-03-01T09:00:00Z")).toBe(3);
  });

  it("begins anew with another profile", () => {
    const state = withLive(emptyState(), live("one", [hour("2026-03-01T10", 10)]), day(1));
    expect(answered(withLive(state, live("two", [hour("2026-03-01T11", 3)], "b"), day(1)))).toEqual([
      ["2026-03-01T11", 3],
    ]);
  });

  it("keeps days of what no server reports any more, and lets very old ones go", () => {
    const old = withLive(emptyState(), live("one", [hour("2026-03-01T10", 10), hour("2026-03-01T11", 5)]), day(1));
    const later = withLive(old, live("two", [hour("2026-03-20T10", 7)]), day(20));
    expect(answered(later)).toEqual([
      ["2026-03-01T00", 15],
      ["2026-03-20T10", 7],
    ]);
    expect(answered(withLive(later, live("three", []), new Date(Date.UTC(2026, 6, 10))))).toEqual([
      ["2026-03-20T00", 7],
    ]);
  });

  it("takes nothing of a server without a profile", () => {
    expect(withLive(emptyState(), { ...live("one", []), profileSha256: null }, day(1))).toEqual(emptyState());
  });
});
