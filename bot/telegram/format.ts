import { cut, oneLine } from "../../eval/report/text/text.ts";

/** The longest text and caption that Telegram accepts, in UTF-16 units without markup. */
export const maxTextLength = 4096;
export const maxCaptionLength = 1024;

// Invisible and direction-changing characters can make a text read differently from what it is. Telegram itself drops
// control characters other than line breaks and tabs.
const forbiddenCharacters = /[^\P{Cc}\n\t]|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;
const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });
/** No emoji is longer than this. A longer grapheme is a heap of combining marks and may be cut between code points. */
const maxGraphemeLength = 64;

/**
 * Outside text in a form that Telegram can hold: valid Unicode, no control characters, nothing that changes the reading
 * order.
 */
export function fit(text: string): string {
  return text.toWellFormed().replace(/\r\n?/g, "\n").replace(forbiddenCharacters, "");
}

/** Escapes the four characters that are special in HTML mode, and changes nothing else. */
export function escapeMarkup(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

/** Text from outside for HTML mode. */
export function escapeHtml(text: string): string {
  return escapeMarkup(fit(text));
}

/** The plain text of HTML that this product wrote: tags removed, entities decoded. */
export function plainText(html: string): string {
  return html
    .replace(/<[^>]*>/g, "")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&amp;", "&");
}

/**
 * Keeps Telegram from turning a stranger's text into mentions, commands, hashtags and links. It inserts a zero-width
 * space after the character that would start one.
 */
export function inert(text: string): string {
  return fit(text)
    .replace(/([@#$])(?=[\p{L}\p{N}_])/gu, "$1\u200b")
    .replace(/:\/\//g, ":\u200b//")
    .replace(/(?<![\p{L}\p{N}/])\/(?=[a-z0-9_])/giu, "/\u200b")
    .replace(/\bwww\./gi, "www\u200b.");
}

/** Outside text on one line, truncated and inert; "?" if nothing is left. */
export function inertLine(text: string, maxLength: number): string {
  return inert(cut(oneLine(text), maxLength)) || "?";
}

/** The parts of a text that must not be split: graphemes, so that no emoji, flag or surrogate pair is cut. */
function pieces(text: string): string[] {
  return [...graphemes.segment(text)].flatMap(({ segment }) =>
    segment.length <= maxGraphemeLength ? [segment] : [...segment],
  );
}

/** At most `maxLength` UTF-16 units of plain text, with a final ellipsis if something was cut off. */
export function truncate(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  if (maxLength < 1) return "";
  let kept = "";
  for (const piece of pieces(text.slice(0, maxLength + maxGraphemeLength))) {
    if (kept.length + piece.length + 1 > maxLength) break;
    kept += piece;
  }
  return `${kept}…`;
}

type Token = { kind: "open" | "close" | "text"; raw: string; tag: string; length: number };

/** Splits HTML that this product wrote, where every "<" starts a tag and every "&" an entity. */
function tokens(html: string): Token[] {
  return [...html.matchAll(/<(\/?)([a-z-]+)[^>]*>|&(?:[a-z]+|#\d+|#x[\da-f]+);|[^<&]+|[<&]/gi)].flatMap(
    (match): Token[] => {
      const [raw, slash, tag] = match;
      if (tag !== undefined)
        return [{ kind: slash === "/" ? "close" : "open", raw, tag: tag.toLowerCase(), length: 0 }];
      if (raw.startsWith("&") && raw.length > 1)
        return [{ kind: "text", raw, tag: "", length: /^&(lt|gt|amp|quot);$/.test(raw) ? 1 : 2 }];
      return pieces(raw).map((piece) => ({ kind: "text", raw: piece, tag: "", length: piece.length }));
    },
  );
}

/** The beginning of some HTML, at most `maxLength` visible UTF-16 units, with an ellipsis if something was cut off. */
export function truncateHtml(html: string, maxLength = maxTextLength): string {
  const whole = tokens(html);
  if (whole.reduce((sum, { length }) => sum + length, 0) <= maxLength) return html;
  const open: string[] = [];
  let kept = "";
  let visible = 0;
  for (const token of whole) {
    if (visible + token.length + 1 > maxLength) break;
    if (token.kind === "open") open.push(token.tag);
    if (token.kind === "close") open.pop();
    kept += token.raw;
    visible += token.length;
  }
  return `${kept}…${open
    .toReversed()
    .map((tag) => `</${tag}>`)
    .join("")}`;
}

/** A link in HTML if Telegram accepts the address; otherwise only the words. */
export function linkHtml(words: string, url: string | null): string {
  const text = escapeHtml(inert(words));
  return url !== null && isLink(url) ? `<a href="${escapeHtml(url)}">${text}</a>` : text;
}

/** Whether Telegram accepts the address in a button or a link: http(s), a host with a dot, no white space. */
export function isLink(url: string): boolean {
  return (
    /^https?:\/\/[^\s\p{Cc}/?#<>"]+\.[^\s\p{Cc}/?#.<>"]+([/?#][^\s\p{Cc}<>"]*)?$/iu.test(url) &&
    url.length <= 1000 &&
    url.isWellFormed() &&
    URL.canParse(url)
  );
}
