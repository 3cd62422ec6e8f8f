import { oneLine } from "./text.ts";

const hidden = "\u200b";

/**
 * Text from outside as escaped GitHub-flavoured Markdown on one line, safe in a table cell: no markup, no HTML, and no
 * live mention, issue reference or link. GitHub looks for the latter after Markdown is rendered, so entities do not
 * stop them; a zero-width space does.
 */
export function markdownText(text: string): string {
  return finish(oneLine(text), Number.POSITIVE_INFINITY);
}

/**
 * Like `markdownText`, but at most `maxLength` characters of output, cut between characters and never inside an entity.
 */
export function markdownCut(text: string, maxLength: number): string {
  return finish(oneLine(text), maxLength);
}

/** Text from outside as code. It uses an element because backticks in a table cell cannot contain a pipe. */
export function markdownCode(text: string, maxLength = 200): string {
  const inner = markdownCut(text, maxLength);
  return inner === "" ? "" : `<code>${inner}</code>`;
}

function finish(text: string, maxLength: number): string {
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
    if (out.length + 1 <= maxLength) kept = out;
    out += piece;
    if (out.length > maxLength) return `${kept}…`;
  }
  return out;
}

function isMarkup(character: string, before: string | undefined, after: string | undefined): boolean {
  if (/[\\`*{}[\]<>&|~$"]/.test(character)) return true;
  // An underscore inside a word is not markup.
  if (character === "_") return !isWord(before) || !isWord(after);
  // Characters that would begin a list, a heading or a rule at the start of a line.
  return before === undefined
    ? /[-+#=]/.test(character)
    : /[.)]/.test(character) && /\d/.test(before) && (after === undefined || after === " ");
}

function isWord(character: string | undefined): boolean {
  return character !== undefined && /[\p{L}\p{N}]/u.test(character);
}
