import { cut, oneLine } from "../../eval/report/text/text.ts";
import { verdictMark } from "../../eval/report/text/verdict-mark.ts";
import { escapeHtml, inert } from "../telegram/format.ts";

/** Text from outside for a line of a reply: one line, cut, no mention or link, escaped. */
export function safe(text: string, longest = 80): string {
  return escapeHtml(inert(cut(oneLine(text), longest))) || "?";
}

export function short(sha: string): string {
  return safe(sha.slice(0, 7), 7);
}

/** A verdict or a run's conclusion, with a sign. */
export function marked(word: string): string {
  const known = verdictMark[word as keyof typeof verdictMark] as string | undefined;
  const signs: Record<string, string> = {
    success: "✅",
    SUCCESS: "✅",
    failure: "❌",
    FAILURE: "❌",
    cancelled: "⚪",
    in_progress: "⏳",
    queued: "⏳",
    waiting: "🔔",
    skipped: "⚪",
  };
  return `${known ?? signs[word] ?? "❔"} ${safe(word, 24)}`;
}

/** "3 min ago", "2 d ago". */
export function ago(thenMs: number, nowMs: number): string {
  const minutes = Math.max(0, Math.round((nowMs - thenMs) / 60_000));
  if (minutes < 60) return `${minutes} min ago`;
  if (minutes < 48 * 60) return `${Math.round(minutes / 60)} h ago`;
  return `${Math.round(minutes / 1440)} d ago`;
}

/** Four significant digits. */
export function figure(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(4))) : "—";
}

const milliseconds: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** "30m", "2h", "3d" → milliseconds, at most 30 days; null for anything else. */
export function durationMs(text: string): number | null {
  const [, count, unit] = /^(\d{1,4})([mhd])$/.exec(text) ?? [];
  if (count === undefined || unit === undefined) return null;
  const ms = Number(count) * (milliseconds[unit] as number);
  return ms >= 60_000 && ms <= 30 * 86_400_000 ? ms : null;
}
