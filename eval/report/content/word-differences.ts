import { diffArrays } from "diff";
import type { Piece } from "./task-table.ts";

/** Words of a text that are compared; comparing takes time with the square of what differs. */
const maxWords = 300;
/** Equal words that are shown before and after a difference. */
const context = 5;
/** UTF-16 units of one shown piece, and pieces of one text. */
export const maxPieceLength = 160;
const maxPieces = 24;

/**
 * What a text has that its reference has not (`added`) and the other way round (`missing`), word by word as written;
 * character by character where neither has white space (Chinese, Japanese). Equal stretches far from a difference, and
 * the ends of long texts, are an ellipsis.
 */
export function wordDifferences(reference: string, text: string): Piece[] {
  const pair = [reference, text].map((one) => one.split(/\s+/).filter((word) => word !== ""));
  const byCharacter = pair.every(({ length }) => length <= 1);
  const [from, to] = byCharacter
    ? ([[...reference.trim()], [...text.trim()]] as const)
    : (pair as [string[], string[]]);
  const joint = byCharacter ? "" : " ";
  const parts = diffArrays(from.slice(0, maxWords), to.slice(0, maxWords));
  const pieces = parts.map(({ value, added, removed }, i): Piece => {
    if (added || removed) return { text: value.join(joint), kind: added ? "added" : "missing" };
    const before = i === 0 && parts.length > 1 ? 0 : context;
    const after = i === parts.length - 1 ? 0 : context;
    if (value.length <= before + after + 1) return { text: value.join(joint), kind: "plain" };
    const kept = [...value.slice(0, before), "…", ...value.slice(value.length - after)];
    return { text: kept.join(joint), kind: "plain" };
  });
  const cutOff = pieces.length > maxPieces || from.length > maxWords || to.length > maxWords;
  return cutOff ? [...pieces.slice(0, maxPieces), { text: "…", kind: "plain" }] : pieces;
}

/** How many characters differ. */
export function differing(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, { kind, text }) => sum + (kind === "missing" || kind === "added" ? text.length : 0), 0);
}
