/** 1973 in milliseconds. Smaller numbers are seconds by mistake more often than they are the early seventies. */
const SMALLEST_MS = 1e11;
const ISO = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2}))?$/;

/** What `instantMs` takes, for messages. */
export const instantWords =
  "a time with its zone (2026-11-29T10:00:00Z), a date, or milliseconds since 1970 as a number";

/**
 * A point in time as milliseconds since 1970; a date alone is its midnight in UTC. Null for anything else: a time
 * without a zone would mean something else on another machine.
 */
export function instantMs(value: unknown): number | null {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.getTime();
  if (typeof value === "number") return Number.isFinite(value) && value >= SMALLEST_MS ? value : null;
  if (typeof value !== "string" || !ISO.test(value)) return null;
  const ms = Date.parse(value);
  // Date.parse takes the 31st of February for the 3rd of March.
  if (Number.isNaN(ms) || Number(value.slice(8, 10)) > daysIn(Number(value.slice(0, 4)), Number(value.slice(5, 7))))
    return null;
  return ms;
}

const daysIn = (year: number, month: number) => new Date(Date.UTC(year, month, 0)).getUTCDate();
