import type { ProfileVariable } from "../../models/profile/schema.ts";
import { refusalKinds, type HourCounts, type RefusalKind } from "../../models/profile/live.ts";

const DAY_MS = 86_400_000;

/** The traffic that is judged together. */
export type Window = {
  from: string;
  to: string;
  answered: number;
  refused: Record<RefusalKind, number>;
  /** Counts per variable, in the profile's order. */
  counts: number[][];
  /** The same by day, to see how alike the rows of a day are. */
  days: number[][][];
  events: { event: string; n: number; sum: number }[];
};

/** @param hours of all instances, merged */
export function windowOf(
  hours: readonly HourCounts[],
  variables: readonly ProfileVariable[],
  now: Date,
  windowDays: number,
): Window {
  const from = new Date(now.getTime() - windowDays * DAY_MS).toISOString();
  const inside = hours.filter(({ hour }) => hour >= from.slice(0, 13));
  const days = Map.groupBy(inside, ({ hour }) => hour.slice(0, 10));
  const events = new Map<string, { n: number; sum: number }>();
  for (const one of inside)
    for (const [event, { n, sum }] of Object.entries(one.events)) {
      const before = events.get(event) ?? { n: 0, sum: 0 };
      events.set(event, { n: before.n + n, sum: before.sum + sum });
    }
  return {
    from,
    to: now.toISOString(),
    answered: inside.reduce((sum, one) => sum + one.answered, 0),
    refused: Object.fromEntries(
      refusalKinds.map((kind) => [kind, inside.reduce((sum, one) => sum + one.refused[kind], 0)]),
    ) as Window["refused"],
    counts: summed(inside, variables.length),
    days: [...days.values()].map((some) => summed(some, variables.length)),
    events: [...events].map(([event, sums]) => ({ event, ...sums })),
  };
}

function summed(hours: readonly HourCounts[], variables: number): number[][] {
  return Array.from({ length: variables }, (_, v) => {
    const sum: number[] = [];
    for (const { counts } of hours)
      counts[v]?.forEach((count, i) => {
        sum[i] = (sum[i] ?? 0) + count;
      });
    return sum;
  });
}
