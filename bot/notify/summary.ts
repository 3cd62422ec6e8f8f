import { renderCard } from "../card/render.ts";
import type { CardState } from "../card/state.ts";

type SummaryLine = { model: string; status: string; notes: string[] };

/** A step summary may be 1 MiB; ten cards are far less. */
const maxCharacters = 200_000;

/**
 * The cards that the chat did not get, for the step summary: as plain text, with the reason. The text is indented by
 * four spaces, so that Markdown does not interpret any of it. Empty if everything was delivered without a note.
 */
export function summaryOf(
  undelivered: readonly CardState[],
  results: readonly SummaryLine[],
  why: string | null,
): string {
  const lines = [
    ...(why === null ? [] : [why]),
    ...results.flatMap((one) => one.notes.map((note) => `${one.model}: ${note}`)),
    ...undelivered.flatMap((card) => ["", ...renderCard(card).plain.split("\n")]),
  ];
  if (lines.length === 0) return "";
  return `#### Telegram card\n\n${lines
    .join("\n")
    .split("\n")
    .map((line) => `    ${line}`)
    .join("\n")}\n\n`.slice(0, maxCharacters);
}
