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
  queued: "⏳",
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
