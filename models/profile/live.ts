import { z } from "zod";
import { profileFile } from "./schema.ts";

const count = z.int().nonnegative();

/** Why a row got no answer, as the counts name it. */
export const refusalKinds = ["missing", "outside", "unseen", "tooLong", "other"] as const;
export type RefusalKind = (typeof refusalKinds)[number];

/** One hour of one server. Arrays are in the order of the profile's variables and labelled heads. */
export const hourCounts = z.strictObject({
  hour: z
    .string()
    .regex(/^\d{4}-\d{2}-\d{2}T\d{2}$/, "YYYY-MM-DDTHH")
    .describe("In UTC."),
  answered: count.describe("Rows that were answered, except from the response cache."),
  refused: z.strictObject(
    Object.fromEntries(refusalKinds.map((kind) => [kind, count])) as Record<RefusalKind, typeof count>,
  ),
  counts: z
    .array(z.array(count))
    .describe(
      "Rows per cell of each variable. Numbers: the cells between the edges, missing, outside the range (counted besides). Categories: each, then other. Rates: yes, no.",
    ),
  labelled: z
    .array(z.array(count))
    .describe(
      "Labelled answers of this hour, per head. Classes: by true class then answer, positives per score cell, negatives per score cell. Errors: per cell.",
    ),
  sliced: z
    .array(z.array(z.array(count)))
    .optional()
    .describe(
      "Labelled answers per head and slice of the profile, as whoever labelled them named it. Classes: right, wrong. Errors: per cell.",
    ),
  events: z.record(z.string(), z.strictObject({ n: count, sum: z.number() })).describe("Business events, by name."),
});
export type HourCounts = z.infer<typeof hourCounts>;

/** What `GET /models/{id}/watch` answers: counts since the start of this server, on the profile's cells. */
export const liveCounts = z.strictObject({
  schemaVersion: z.literal(1),
  model: z.strictObject({ id: z.string(), version: z.string(), sha256: z.string() }),
  instance: z
    .strictObject({ id: z.string().max(64), startedAt: z.iso.datetime() })
    .describe("A new one at every start and for every version: counts of different ones add up."),
  at: z.iso.datetime(),
  profile: profileFile
    .nullable()
    .describe("What the model was gated on, with the cells of the counts; null without one."),
  profileSha256: z.string().nullable(),
  withoutProfile: z.string().optional().describe("Why there is no profile, where there is none."),
  hours: z.array(hourCounts).describe("Oldest first; hours without anything are left out."),
  pending: count.describe("Rows that are not shown until there are ten of them."),
  feedback: z.record(z.string(), count).describe("Feedback since the start, by what became of it."),
});
export type LiveCounts = z.infer<typeof liveCounts>;

/** Counts of cells, added. */
function addCounts(into: number[], more: readonly number[]): number[] {
  more.forEach((value, i) => {
    into[i] = (into[i] ?? 0) + value;
  });
  return into;
}

const addAll = (one: readonly number[][], other: readonly number[][]): number[][] =>
  Array.from({ length: Math.max(one.length, other.length) }, (_, i) => addCounts([...(one[i] ?? [])], other[i] ?? []));

function addSlices(one: HourCounts["sliced"], other: HourCounts["sliced"]): Pick<HourCounts, "sliced"> {
  if (one === undefined && other === undefined) return {};
  const heads = Math.max(one?.length ?? 0, other?.length ?? 0);
  return { sliced: Array.from({ length: heads }, (_, k) => addAll(one?.[k] ?? [], other?.[k] ?? [])) };
}

/**
 * Hours of several servers (replicas, or one before and after a restart) as one: each hour once, everything added. All
 * of them count on the cells of the same profile.
 */
export function mergeHours(all: readonly (readonly HourCounts[])[]): HourCounts[] {
  const merged = new Map<string, HourCounts>();
  for (const one of all.flat()) {
    const before = merged.get(one.hour);
    if (before === undefined) merged.set(one.hour, one);
    else
      merged.set(one.hour, {
        hour: one.hour,
        answered: before.answered + one.answered,
        refused: Object.fromEntries(
          refusalKinds.map((kind) => [kind, before.refused[kind] + one.refused[kind]]),
        ) as HourCounts["refused"],
        counts: addAll(before.counts, one.counts),
        labelled: addAll(before.labelled, one.labelled),
        ...addSlices(before.sliced, one.sliced),
        events: Object.fromEntries(
          [...new Set([...Object.keys(before.events), ...Object.keys(one.events)])].map((name) => [
            name,
            {
              n: (before.events[name]?.n ?? 0) + (one.events[name]?.n ?? 0),
              sum: (before.events[name]?.sum ?? 0) + (one.events[name]?.sum ?? 0),
            },
          ]),
        ),
      });
  }
  return [...merged.values()].toSorted((a, b) => (a.hour < b.hour ? -1 : 1));
}
