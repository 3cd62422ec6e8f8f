/** A calendar date without a time zone. `days` counts from 1970-01-01. */
export type CalendarDate = { year: number; month: number; day: number; days: number };

const DAY_MS = 86_400_000;

/** ISO 8601 YYYY-MM-DD of a day that exists, or null. */
export function parseDate(text: string): CalendarDate | null {
  const match = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text);
  if (match === null) return null;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const time = Date.UTC(year, month - 1, day);
  const back = new Date(time);
  // Date.UTC reads the years 0..99 as 19xx and turns 30 February into a day in March. Both are refused here.
  if (back.getUTCFullYear() !== year || back.getUTCMonth() !== month - 1 || back.getUTCDate() !== day) return null;
  return { year, month, day, days: time / DAY_MS };
}

/** 1 = Monday … 7 = Sunday (ISO 8601). 1970-01-01 was a Thursday. */
export function isoWeekday(date: CalendarDate): number {
  return ((((date.days + 3) % 7) + 7) % 7) + 1;
}

/** Day of the year; 1 January is day 1. */
export function dayOfYear(date: CalendarDate): number {
  return date.days - Date.UTC(date.year, 0, 1) / DAY_MS + 1;
}
