/** Longest text and caption that Telegram takes, in UTF-16 units after markup is read. */
export const maxTextLength = 4096;
export const maxCaptionLength = 1024;

// Invisible and direction-changing characters can forge what is read; controls other than line breaks and tabs are
// dropped by Telegram.
const unfit = /[^\P{Cc}\n\t]|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;
const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });
/** No emoji is longer; what is longer is a heap of combining marks, and may be cut between code points. */
const maxGraphemeLength = 64;

/** Text from outside as Telegram can hold it: valid Unicode, no controls, nothing that reorders what is read. */
export function fit(text: string): string {
  return text.toWellFormed().replace(/\r\n?/g, "\n").replace(unfit, "");
}

/** Text from outside for HTML mode. */
export function escapeHtml(text: string): string {
  return fit(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

/**
 * Keeps Telegram from making mentions, commands, hashtags and links of a stranger's text: a zero-width space after
 * the character that would start one.
 */
export function inert(text: string): string {
  return fit(text)
    .replace(/([@#$])(?=[\p{L}\p{N}_])/gu, "$1\u200b")
    .replace(/:\/\//g, ":\u200b//")
    .replace(/(?<![\p{L}\p{N}/])\/(?=[a-z0-9_])/giu, "/\u200b")
    .replace(/\bwww\./gi, "www\u200b.");
}

/** The parts of a text that may not be torn: graphemes, so that no emoji, flag or surrogate pair is cut. */
function pieces(text: string): string[] {
  return [...graphemes.segment(text)].flatMap(({ segment }) =>
    segment.length <= maxGraphemeLength ? [segment] : [...segment],
  );
}

/** At most `longest` UTF-16 units of plain text, ending in an ellipsis where something is missing. */
export function truncate(text: string, longest: number): string {
  if (text.length <= longest) return text;
  if (longest < 1) return "";
  let kept = "";
  for (const piece of pieces(text.slice(0, longest + maxGraphemeLength))) {
    if (kept.length + piece.length + 1 > longest) break;
    kept += piece;
  }
  return `${kept}…`;
}

type Token = { kind: "open" | "close" | "text"; raw: string; tag: string; length: number };

/** Reads HTML as this product writes it: every "<" starts a tag, every "&" an entity. */
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

/**
 * Cuts HTML into messages of at most `longest` visible UTF-16 units. No tag, entity, emoji or surrogate pair is torn;
 * tags that are open at a cut are closed and opened again. Cuts at a line break where one is near.
 *
 * @param longest at least 64, the length of the longest emoji
 */
export function splitHtml(html: string, longest = maxTextLength): string[] {
  const parts: string[] = [];
  const open: Token[] = [];
  let written = "";
  let visible = 0;
  let atBreak: { written: string; visible: number; open: Token[] } | null = null;
  const closing = (tags: readonly Token[]) =>
    tags
      .toReversed()
      .map(({ tag }) => `</${tag}>`)
      .join("");
  const opening = (tags: readonly Token[]) => tags.map(({ raw }) => raw).join("");
  const keep = (text: string) => {
    if (text.replace(/<[^>]*>/g, "").trim() !== "") parts.push(text);
  };
  for (const token of tokens(html)) {
    if (token.kind === "open") open.push(token);
    else if (token.kind === "close") open.pop();
    else if (visible + token.length > longest) {
      if (atBreak !== null && atBreak.visible > longest / 2) {
        keep(atBreak.written + closing(atBreak.open));
        written = opening(atBreak.open) + written.slice(atBreak.written.length);
        visible -= atBreak.visible;
      } else {
        keep(written + closing(open));
        written = opening(open);
        visible = 0;
      }
      atBreak = null;
    }
    written += token.raw;
    visible += token.length;
    if (token.raw === "\n") atBreak = { written, visible, open: [...open] };
  }
  keep(written + closing(open));
  return parts;
}

/** As much of some HTML as fits, whole tags closed, with an ellipsis where something is missing. */
export function truncateHtml(html: string, longest = maxTextLength): string {
  const whole = tokens(html);
  if (whole.reduce((sum, { length }) => sum + length, 0) <= longest) return html;
  const open: string[] = [];
  let kept = "";
  let visible = 0;
  for (const token of whole) {
    if (visible + token.length + 1 > longest) break;
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

/** A link in HTML where the address is one that Telegram takes; the bare words otherwise. */
export function linkHtml(words: string, url: string | null): string {
  const text = escapeHtml(inert(words));
  return url !== null && isLink(url) ? `<a href="${escapeHtml(url)}">${text}</a>` : text;
}

/** Whether Telegram takes the address in a button or a link: http(s), a host with a dot, no white space. */
export function isLink(url: string): boolean {
  return (
    /^https?:\/\/[^\s\p{Cc}/?#<>"]+\.[^\s\p{Cc}/?#.<>"]+([/?#][^\s\p{Cc}<>"]*)?$/iu.test(url) &&
    url.length <= 1000 &&
    url.isWellFormed() &&
    URL.canParse(url)
  );
}
