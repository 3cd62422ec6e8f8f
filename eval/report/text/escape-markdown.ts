import { oneLine } from "./text.ts";

const hidden = "\u200b";

/**
 * Text from outside as inert GitHub-flavoured Markdown on one line, fit for a table cell: no markup, no HTML, and no
 * live mention, issue reference or link. GitHub looks for those after Markdown is rendered, so entities do not stop
 * them; a zero-width space does.
 */
export function markdownText(text: string): string {
  return finish(oneLine(text), Number.POSITIVE_INFINITY);
}

/** As `markdownText`, at most `longest` characters of output, cut between characters and never inside an entity. */
export function markdownCut(text: string, longest: number): string {
  return finish(oneLine(text), longest);
}

/** Text from outside set as code. An element instead of backticks: a table cell's backticks cannot hold a pipe. */
export function markdownCode(text: string, longest = 200): string {
  const inner = markdownCut(text, longest);
  return inner === "" ? "" : `<code>${inner}</code>`;
}

function finish(text: string, longest: number): string {
  const inert = text
    .replace(/:\/\//g, `:${hidden}//`)
    .replace(/www\./gi, (found) => `${found.slice(0, 3)}${hidden}.`)
    .replace(/@/g, `@${hidden}`)
    .replace(/#(?=\d)/g, `#${hidden}`)
    .replace(/GH-(?=\d)/gi, (found) => found + hidden);
  let out = "";
  let kept = "";
  const characters = [...inert];
  for (const [i, character] of characters.entries()) {
    const piece = isMarkup(character, characters[i - 1], characters[i + 1])
      ? `&#${character.codePointAt(0)};`
      : character;
    if (out.length + 1 <= longest) kept = out;
    out += piece;
    if (out.length > longest) return `${kept}…`;
  }
  return out;
}

function isMarkup(character: string, before: string | undefined, after: string | undefined): boolean {
  if (/[\\`*{}[\]<>&|~$"]/.test(character)) return true;
  // An underscore inside a word is only an underscore.
  if (character === "_") return !isWord(before) || !isWord(after);
  // What would begin a list, a heading or a rule at the start of a line.
  return before === undefined
    ? /[-+#=]/.test(character)
    : /[.)]/.test(character) && /\d/.test(before) && (after === undefined || after === " ");
}

function isWord(character: string | undefined): boolean {
  return character !== undefined && /[\p{L}\p{N}]/u.test(character);
}
