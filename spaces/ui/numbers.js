/**
 * Numbers as people paste them: a spreadsheet's column or row, one per line, commas, semicolons, or a JSON list.
 * @param {string} text
 * @returns {unknown[] | undefined} numbers, null, and any other piece as its text; undefined when nothing was given
 */
export function readNumberList(text) {
  const trimmed = text.trim();
  if (trimmed === "") return undefined;
  if (trimmed.startsWith("[")) {
    try {
      const list = JSON.parse(trimmed);
      if (Array.isArray(list)) return list;
    } catch {
      // Not JSON: its pieces are read below, and the server names the one that is wrong.
    }
  }
  return trimmed
    .replace(/^\[|\]$/g, "")
    .split(/[\s,;]+/)
    .filter((piece) => piece !== "")
    .map((piece) => (piece === "null" ? null : Number.isFinite(Number(piece)) ? Number(piece) : piece));
}

/** @param {string} text @returns {unknown} a number; the text if it is not one; undefined if it is empty */
export function asNumber(text) {
  const trimmed = text.trim();
  if (trimmed === "") return undefined;
  const value = Number(trimmed);
  return Number.isFinite(value) ? value : trimmed;
}
