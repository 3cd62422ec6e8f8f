import type { MessageEntity } from "@grammyjs/types";
import { badRequest, type Refusal } from "./refusal.ts";

type Entity = { type: MessageEntity["type"]; offset: number; length: number; url?: string; language?: string };
type Formatted = { text: string; entities: Entity[] };

type Open = { tag: string; at: number; attribute: string; children: number };

const kinds: Record<string, Entity["type"]> = {
  b: "bold",
  strong: "bold",
  i: "italic",
  em: "italic",
  u: "underline",
  ins: "underline",
  s: "strikethrough",
  strike: "strikethrough",
  del: "strikethrough",
  "tg-spoiler": "spoiler",
  span: "spoiler",
  code: "code",
  pre: "pre",
  blockquote: "blockquote",
  a: "text_link",
  "tg-emoji": "custom_emoji",
};
const named: Record<string, string> = { lt: "<", gt: ">", amp: "&", quot: '"' };
const bytes = (text: string) => Buffer.byteLength(text);
const refused = (words: string): Refusal => badRequest(`can't parse entities: ${words}`);

/**
 * Parses Telegram's HTML mode like `parse_html` of its server (tdlib, MessageEntity.cpp): the same tags, the same
 * attributes, the same error messages. Offsets count UTF-16 units.
 */
export function parseHtml(source: string): Formatted {
  const entities: Entity[] = [];
  const open: Open[] = [];
  let text = "";
  let i = 0;
  while (i < source.length) {
    const character = source[i] as string;
    if (character === "&") {
      const [decoded, length] = entity(source, i);
      text += decoded;
      i += length;
      continue;
    }
    if (character !== "<") {
      text += character;
      i += 1;
      continue;
    }
    const start = bytes(source.slice(0, i));
    if (source[i + 1] === "/") {
      const end = source.indexOf(">", i);
      if (end < 0) throw refused(`Unclosed end tag at byte offset ${start}`);
      const name = source
        .slice(i + 2, end)
        .trim()
        .toLowerCase();
      const last = open.pop();
      if (last === undefined) throw refused(`Unexpected end tag at byte offset ${start}`);
      if (name !== "" && name !== last.tag)
        throw refused(`Unmatched end tag at byte offset ${start}, expected "</${last.tag}>", found "</${name}>"`);
      close(last, text, entities);
      i = end + 1;
      continue;
    }
    const opened = startTag(source, i, start);
    if (open.length >= 16) throw refused("too deep nesting of entities");
    open.push({ tag: opened.tag, at: text.length, attribute: opened.attribute, children: entities.length });
    i = opened.end;
  }
  const last = open.pop();
  if (last !== undefined) throw refused(`Can't find end tag corresponding to start tag "${last.tag}"`);
  if (!text.isWellFormed())
    throw refused(
      "Text contains invalid Unicode characters after decoding HTML entities, check for unmatched surrogate code units",
    );
  return { text, entities: entities.toSorted((a, b) => a.offset - b.offset || b.length - a.length) };
}

function close({ tag, at, attribute, children }: Open, text: string, entities: Entity[]): void {
  const length = text.length - at;
  if (length === 0) return;
  const type = kinds[tag] as Entity["type"];
  if (type === "text_link") {
    const url = attribute === "" ? text.slice(at) : attribute;
    // An invalid address is no error: Telegram shows the text without the link.
    if (/^(https?|tg|ton):\/\/[^\s]+\.?[^\s]*$/i.test(url) || /^[^\s/]+\.[^\s]{2,}$/.test(url))
      entities.push({ type, offset: at, length, url });
    return;
  }
  // <pre><code class="language-x"> is one entity: pre with a language.
  const inner = entities.findIndex(
    (one, i) => i >= children && one.type === "code" && one.offset === at && one.length === length,
  );
  const language = type === "pre" && inner >= 0 ? entities.splice(inner, 1)[0]?.language : undefined;
  entities.push({
    type,
    offset: at,
    length,
    ...(type === "code" && attribute !== "" ? { language: attribute } : {}),
    ...(language === undefined ? {} : { language }),
  });
}

function startTag(source: string, from: number, start: number): { tag: string; attribute: string; end: number } {
  let i = from + 1;
  while (i < source.length && !/[\s>]/.test(source[i] as string)) i += 1;
  if (i >= source.length) throw refused(`Unclosed start tag at byte offset ${start}`);
  const tag = source.slice(from + 1, i).toLowerCase();
  if (!(tag in kinds)) throw refused(`Unsupported start tag "${tag}" at byte offset ${start}`);
  let attribute = "";
  for (;;) {
    while (/\s/.test(source[i] ?? "")) i += 1;
    if (i >= source.length) throw refused(`Unclosed start tag "${tag}" at byte offset ${start}`);
    if (source[i] === ">") break;
    const nameFrom = i;
    while (i < source.length && !/[\s=>/"']/.test(source[i] as string)) i += 1;
    const name = source.slice(nameFrom, i);
    if (name === "") throw refused(`Empty attribute name in the tag "${tag}" at byte offset ${start}`);
    while (/\s/.test(source[i] ?? "")) i += 1;
    if (source[i] !== "=") {
      // Only `expandable` of blockquote may have no value.
      if (tag === "blockquote" && name === "expandable") continue;
      throw refused(`Expected equal sign in declaration of an attribute of the tag "${tag}" at byte offset ${start}`);
    }
    i += 1;
    while (/\s/.test(source[i] ?? "")) i += 1;
    const quote = source[i];
    let value = "";
    if (quote === '"' || quote === "'") {
      i += 1;
      while (i < source.length && source[i] !== quote) {
        const [decoded, length] = source[i] === "&" ? entity(source, i) : [source[i] as string, 1];
        value += decoded;
        i += length;
      }
      if (i >= source.length) throw refused(`Unclosed start tag at byte offset ${start}`);
      i += 1;
    } else {
      const valueFrom = i;
      while (i < source.length && /[a-zA-Z0-9.-]/.test(source[i] as string)) i += 1;
      value = source.slice(valueFrom, i).toLowerCase();
      if (!/[\s>]/.test(source[i] ?? "")) throw refused(`Unexpected end of name token at byte offset ${start}`);
    }
    if ((tag === "a" && name === "href") || (tag === "tg-emoji" && name === "emoji-id")) attribute = value;
    if (tag === "code" && name === "class" && value.startsWith("language-"))
      attribute = value.slice("language-".length);
    if (tag === "span" && name === "class") attribute = value;
  }
  if (tag === "span" && attribute !== "tg-spoiler")
    throw refused(`Tag "span" must have class "tg-spoiler" at byte offset ${start}`);
  return { tag, attribute: tag === "span" ? "" : attribute, end: i + 1 };
}

/** Decodes what is at "&": a numeric entity, one of the four named ones, or a plain ampersand. */
function entity(source: string, at: number): [text: string, length: number] {
  const numeric = /^&#(?:x([0-9a-f]{1,8})|(\d{1,10}));?/i.exec(source.slice(at, at + 16));
  if (numeric !== null) {
    const code = numeric[1] === undefined ? Number(numeric[2]) : Number.parseInt(numeric[1], 16);
    if (code > 0 && code < 0x10ffff) return [String.fromCodePoint(code), numeric[0].length];
  }
  const name = /^&(lt|gt|amp|quot);?/.exec(source.slice(at, at + 6));
  return name === null ? ["&", 1] : [named[name[1] as string] as string, name[0].length];
}
