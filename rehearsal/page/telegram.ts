import type { StoredMessage } from "../telegram/state.ts";
import { escapeHtml } from "./markdown.ts";

type Node = string | Node[] | { type?: string; text?: Node; url?: string };
type Cell = { text?: Node; is_header?: true; colspan?: number; align?: string };
type Block = { type: string; text?: Node; summary?: Node; size?: number; cells?: Cell[][]; blocks?: Block[] };

const styles: Record<string, string> = {
  bold: "b",
  italic: "i",
  underline: "u",
  strikethrough: "s",
  code: "code",
  marked: "mark",
  subscript: "sub",
  superscript: "sup",
  pre: "pre",
  blockquote: "blockquote",
};

/** A message as HTML, as its readers see it: rich blocks, or text with its entities. */
export function htmlOfMessage({ rich, text, caption, entities }: StoredMessage): string {
  const blocks = (rich as { blocks?: Block[] } | null)?.blocks;
  return blocks === undefined ? withEntities(text ?? caption ?? "", entities) : blocks.map(block).join("");
}

function inline(node: Node | undefined): string {
  if (node === undefined) return "";
  if (typeof node === "string") return escapeHtml(node);
  if (Array.isArray(node)) return node.map(inline).join("");
  if (node.type === "url" && node.url !== undefined)
    return `<a href="${escapeHtml(node.url)}" target="_blank" rel="noreferrer">${inline(node.text)}</a>`;
  const tag = styles[node.type ?? ""];
  return tag === undefined ? inline(node.text) : `<${tag}>${inline(node.text)}</${tag}>`;
}

function block({ type, text, summary, cells = [], blocks = [] }: Block): string {
  const inside = blocks.map(block).join("");
  switch (type) {
    case "heading":
      return `<h4>${inline(text)}</h4>`;
    case "footer":
      return `<footer>${inline(text)}</footer>`;
    case "details":
      return `<details><summary>${inline(summary)}</summary>${inside}</details>`;
    case "table":
      return `<div class="wide"><table>${cells.map((row) => `<tr>${row.map(cell).join("")}</tr>`).join("")}</table></div>`;
    default:
      return `<p>${inline(text)}</p>${inside}`;
  }
}

function cell({ text, is_header: header, colspan = 1, align = "left" }: Cell): string {
  const tag = header === true ? "th" : "td";
  return `<${tag}${colspan > 1 ? ` colspan="${colspan}"` : ""} class="${align === "right" || align === "center" ? align : "left"}">${inline(text)}</${tag}>`;
}

/** Offsets count UTF-16 units, like JavaScript's. Entities are nested or disjoint. */
function withEntities(text: string, entities: StoredMessage["entities"]): string {
  const known = entities.flatMap(({ type, offset, length }) =>
    styles[type] === undefined ? [] : [{ tag: styles[type], from: offset, to: offset + length }],
  );
  const ends = [...new Set([0, text.length, ...known.flatMap(({ from, to }) => [from, to])])].toSorted((a, b) => a - b);
  return ends
    .map((at, i) => {
      const closing = known
        .filter(({ to }) => to === at)
        .toSorted((a, b) => b.from - a.from)
        .map(({ tag }) => `</${tag}>`)
        .join("");
      const opening = known
        .filter(({ from }) => from === at)
        .toSorted((a, b) => b.to - a.to)
        .map(({ tag }) => `<${tag}>`)
        .join("");
      return `${closing}${opening}${escapeHtml(text.slice(at, ends[i + 1] ?? at))}`;
    })
    .join("");
}
