import type { InputRichBlock, MessageEntity, RichText } from "@grammyjs/types";
import type { StoredMessage } from "../../../rehearsal/telegram/state.ts";

export type Scene = { caption: string; card: StoredMessage; edited: boolean; ring: StoredMessage | null };

const e = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

function rich(text: RichText): string {
  if (typeof text === "string") return e(text);
  if (Array.isArray(text)) return text.map(rich).join("");
  const inner = "text" in text ? rich(text.text as RichText) : "";
  return text.type === "bold" ? `<b>${inner}</b>` : text.type === "italic" ? `<i>${inner}</i>` : inner;
}

function block(one: InputRichBlock<never>): string {
  switch (one.type) {
    case "heading":
      return `<h4>${rich(one.text)}</h4>`;
    case "paragraph":
      return `<p>${rich(one.text)}</p>`;
    case "footer":
      return `<footer>${rich(one.text)}</footer>`;
    case "table":
      return `<div class="scroll"><table>${one.cells.map((row) => `<tr>${row.map((cell) => `<${cell.is_header === true ? "th" : "td"} colspan="${cell.colspan ?? 1}">${rich(cell.text ?? "")}</${cell.is_header === true ? "th" : "td"}>`).join("")}</tr>`).join("")}</table></div>`;
    case "details":
      return `<details><summary>${rich(one.summary)}</summary>${one.blocks.map((inner) => block(inner)).join("")}</details>`;
    default:
      throw new Error(`no picture of a ${one.type} yet`);
  }
}

const tags: Partial<Record<MessageEntity["type"], string>> = { bold: "b", italic: "i", pre: "pre", code: "code" };

/** Text with its entities as HTML, as a phone shows it. A card's entities do not overlap. */
function formatted({ text, entities }: StoredMessage): string {
  let at = 0;
  let html = "";
  for (const one of entities) {
    const tag = tags[one.type];
    const inner = e((text ?? "").slice(one.offset, one.offset + one.length));
    html +=
      e((text ?? "").slice(at, one.offset)) + (tag === undefined ? `<a>${inner}</a>` : `<${tag}>${inner}</${tag}>`);
    at = one.offset + one.length;
    // A block element already ends the line.
    if (one.type === "pre" && (text ?? "")[at] === "\n") at += 1;
  }
  return `<div class="text">${html}${e((text ?? "").slice(at))}</div>`;
}

function bubble(message: StoredMessage, mark: string): string {
  const body =
    message.rich === null
      ? formatted(message)
      : (message.rich as { blocks: InputRichBlock<never>[] }).blocks.map(block).join("");
  const buttons = (message.markup?.inline_keyboard ?? [])
    .map((row) => `<div class="row">${row.map((one) => `<span>${e(String(one["text"]))} ↗</span>`).join("")}</div>`)
    .join("");
  return `<div class="bubble">${body}<div class="mark">${mark}</div></div>${buttons}`;
}

function scene({ caption, card, edited, ring }: Scene, i: number): string {
  const reply =
    ring === null || ring.message_id === card.message_id
      ? ""
      : `<div class="bubble reply"><div class="quote">Sluice<br>${e(firstLine(card))}</div>${formatted(ring)}<div class="mark">🔔 with sound</div></div>`;
  const mark = edited ? "edited" : card.silent ? "🔕 sent silently" : "🔔 sent with sound";
  return `<section><h2>${i + 1}. ${e(caption)}</h2>${bubble(card, mark)}${reply}</section>`;
}

function firstLine(card: StoredMessage): string {
  const heading = (card.rich as { blocks?: { text?: string }[] } | null)?.blocks?.[0]?.text ?? card.text ?? "";
  return (heading.split("\n")[0] as string).slice(0, 48);
}

/** The life of a card as one page: what the chat shows after each step, rendered from what was sent to Telegram. */
export function page(scenes: readonly Scene[]): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>The Telegram card of one candidate</title>
<style>
:root { color-scheme: light dark; --page: #eef2f5; --ink: #1c2733; --soft: #60707f; --bubble: #fff; --line: #d5dde4; --accent: #2678b6; --button: #c9d9e6; }
@media (prefers-color-scheme: dark) { :root { --page: #0e1621; --ink: #e9eef2; --soft: #8b9aa8; --bubble: #182533; --line: #2c3b4a; --accent: #6ab3f3; --button: #22374a; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 20px; background: var(--page); color: var(--ink); font: 14px/1.4 "Noto Sans", "DejaVu Sans", "Noto Color Emoji", system-ui, sans-serif; }
header { max-width: 900px; margin: 0 0 16px; } h1 { font-size: 20px; margin: 0 0 4px; } header p { margin: 0; color: var(--soft); }
main { display: grid; grid-template-columns: repeat(auto-fit, minmax(340px, 1fr)); gap: 20px; align-items: start; }
h2 { font-size: 13px; font-weight: 600; color: var(--soft); margin: 0 0 6px; }
section { min-width: 0; }
.bubble { background: var(--bubble); border-radius: 12px; padding: 8px 12px 4px; box-shadow: 0 1px 1px #0002; overflow-wrap: anywhere; }
.bubble h4 { margin: 0 0 4px; font-size: 15px; } .bubble p { margin: 0 0 4px; } .bubble footer { color: var(--soft); font-size: 12px; margin-top: 4px; }
.scroll { overflow-x: auto; margin: 4px 0 6px; } table { border-collapse: collapse; width: 100%; font-size: 12.5px; line-height: 1.3; overflow-wrap: normal; } th, td { border: 1px solid var(--line); padding: 2px 5px; text-align: left; vertical-align: top; } th { font-weight: 600; }
details { margin: 0 0 4px; } .text { white-space: pre-wrap; } pre { margin: 4px 0; padding: 6px 8px; background: var(--page); border-left: 3px solid var(--accent); border-radius: 4px; font: 12px/1.4 "DejaVu Sans Mono", monospace; white-space: pre-wrap; } a { color: var(--accent); }
.mark { text-align: right; color: var(--soft); font-size: 11px; }
.row { display: flex; gap: 4px; margin-top: 4px; } .row span { flex: 1; text-align: center; background: var(--button); border-radius: 8px; padding: 5px 2px; font-size: 11.5px; white-space: nowrap; color: var(--accent); font-weight: 600; }
.reply { margin-top: 8px; } .quote { border-left: 3px solid var(--accent); padding-left: 8px; margin-bottom: 4px; color: var(--soft); font-size: 12px; }
</style></head><body>
<header><h1>The Telegram card of one candidate</h1><p>One message, edited in place from the gate to production. Drawn from what actions/notify sent to a stand-in of Telegram's Bot API; the figures of births are a real verdict, the failed proof and the figures of mood are examples.</p></header>
<main>
${scenes.map(scene).join("\n")}
</main></body></html>
`;
}
