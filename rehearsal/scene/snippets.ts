/** A fenced block of a Markdown document. */
type Snippet = {
  language: string;
  /** The file into which the reader puts it, from ```yaml title="PATH"; null for blocks that are not a file. */
  title: string | null;
  text: string;
  /** Line number of the opening fence, counted from 1. */
  line: number;
};

/** The fenced blocks of a document, in order. A block that is never closed is an error. */
export function snippetsOf(markdown: string): Snippet[] {
  const found: Snippet[] = [];
  let open: { fence: string; indent: number; snippet: Snippet; lines: string[] } | null = null;
  for (const [i, line] of markdown.split(/\r?\n/).entries()) {
    const fence = /^( *)(`{3,}|~{3,})(.*)$/.exec(line);
    if (open === null) {
      if (fence === null) continue;
      const [, indent = "", marks = "", info = ""] = fence;
      const snippet = {
        language: /^\s*([\w+-]*)/.exec(info)?.[1] ?? "",
        title: /\btitle="([^"]+)"/.exec(info)?.[1] ?? null,
        text: "",
        line: i + 1,
      };
      open = { fence: marks, indent: indent.length, snippet, lines: [] };
    } else if (fence !== null && fence[3]?.trim() === "" && fence[2]?.startsWith(open.fence) === true) {
      found.push({ ...open.snippet, text: open.lines.map((one) => `${one}\n`).join("") });
      open = null;
    } else {
      open.lines.push(line.slice(Math.min(open.indent, /^ */.exec(line)?.[0].length ?? 0)));
    }
  }
  if (open !== null) throw new Error(`line ${open.snippet.line}: the block is never closed`);
  return found;
}

/** The files that a document's reader ends up with: path → content. @throws Error for a title that occurs twice */
export function filesOf(markdown: string): Map<string, string> {
  const files = new Map<string, string>();
  for (const { title, text, line } of snippetsOf(markdown)) {
    if (title === null) continue;
    if (files.has(title)) throw new Error(`line ${line}: ${title} is there twice`);
    files.set(title, text);
  }
  return files;
}

/**
 * Replaces the documents' placeholders with the reader's own names: OWNER/REPO (Sluice's repository), its SHA, and NS
 * (of Spaces).
 */
export function filledIn(
  text: string,
  { sluice, sha, namespace }: { sluice: string; sha: string; namespace?: string },
): string {
  const filled = text.replaceAll(/\bOWNER\/REPO\b/g, sluice).replaceAll(/@SHA\b/g, `@${sha}`);
  return namespace === undefined ? filled : filled.replaceAll(/\bNS\//g, `${namespace}/`);
}
