import { verdictMark } from "../../eval/report/text/verdict-mark.ts";
import { minuteMs } from "../telegram/clock.ts";
import { escapeHtml, inertLine } from "../telegram/format.ts";

/**
 * Outside text for a line of a reply: on one line, truncated, without active mentions or links, escaped; "?" if nothing
 * is left.
 */
export function safe(text: string, maxLength = 80): string {
  return escapeHtml(inertLine(text, maxLength));
}

/** The first seven digits of a commit. */
export function shortSha(sha: string): string {
  return safe(sha.slice(0, 7), 7);
}

const signs: Record<string, string> = {
  ...verdictMark,
  success: "✅",
  SUCCESS: "✅",
  failure: "❌",
  FAILURE: "❌",
  cancelled: "⚪",
  in_progress: "⏳",
  IN_PROGRESS: "⏳",
  queued: "⏳",
  QUEUED: "⏳",
  waiting: "🔔",
  skipped: "⚪",
};

/** A verdict, or a run's status or conclusion, with its emoji. */
export function withSign(word: string): string {
  return `${Object.hasOwn(signs, word) ? signs[word] : "❔"} ${safe(word, 24)}`;
}

/** "3 min ago", "5 h ago", "2 d ago". */
export function ago(thenMs: number, nowMs: number): string {
  const minutes = Math.max(0, Math.round((nowMs - thenMs) / minuteMs));
  if (minutes < 60) return `${minutes} min ago`;
  if (minutes < 48 * 60) return `${Math.round(minutes / 60)} h ago`;
  return `${Math.round(minutes / 1440)} d ago`;
}

/** A number with four significant digits. */
export function figure(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(4))) : "—";
}

/** "2026-11-21 08:00 UTC", in a time zone. */
export function clockTime(atMs: number, timeZone: string): string {
  const { year, month, day, hour, minute } = clockParts(atMs, timeZone);
  return `${year}-${month}-${day} ${hour}:${minute} ${timeZone}`;
}

/** Date and time of day in a time zone, each part with two digits, the year with four. */
export function clockParts(atMs: number, timeZone: string) {
  const parts = new Intl.DateTimeFormat("en-GB", {
    timeZone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).formatToParts(atMs);
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.find((one) => one.type === type)?.value ?? "";
  return { year: part("year"), month: part("month"), day: part("day"), hour: part("hour"), minute: part("minute") };
}
