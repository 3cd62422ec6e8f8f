import { figure, safe } from "../context/text.ts";
import type { HeadAnswer } from "../spaces/ask.ts";

/** Items, steps and spans that one line shows. */
const shown = 4;

/** One head's answer in a few words, as HTML: whatever of it has the form of a known kind. */
export function headWords({ items, values, flagged, spans, text, label, score, value }: HeadAnswer): string {
  if (items !== undefined)
    return listed(
      items.map(({ id, title }) => safe(title ?? id, 40)),
      "no items",
    );
  if (values !== undefined) {
    const odd = flagged === undefined ? "" : `; ${flagged.length} flagged`;
    return `${listed(values.map(figure), "no steps")}${odd}`;
  }
  if (spans !== undefined)
    return listed(
      spans.map((one) => `${safe(one.text, 40)} (${safe(one.type, 20)})`),
      "nothing found",
    );
  if (text !== undefined) return text.trim() === "" ? "no text" : safe(text, 200);
  if (label !== undefined) return `${safe(label, 40)}${score === undefined ? "" : ` ${figure(score)}`}`;
  return value === undefined ? "an answer that this bot cannot show" : figure(value);
}

/** What the candidate answers other than the live version, as HTML; null where nothing can be compared. */
export function headDifference(now: HeadAnswer, before: HeadAnswer): string | null {
  if (now.items !== undefined && before.items !== undefined) {
    const ids = before.items.map(({ id }) => id);
    if (now.items.map(({ id }) => id).join("\n") === ids.join("\n")) return "the same items";
    return `${now.items.filter(({ id }) => ids.includes(id)).length} of ${now.items.length} items in both`;
  }
  if (now.values !== undefined && before.values !== undefined) {
    const changes = now.values.map((one, t) => one - (before.values?.[t] ?? Number.NaN)).filter(Number.isFinite);
    const largest = changes.toSorted((a, b) => Math.abs(b) - Math.abs(a))[0];
    if (largest === undefined) return null;
    return largest === 0 ? "equal" : `${signed(largest)} at step ${changes.indexOf(largest) + 1}, the largest change`;
  }
  if (now.spans !== undefined && before.spans !== undefined) {
    const names = (spans: NonNullable<HeadAnswer["spans"]>) =>
      spans.map(({ start, end, type }) => `${start}-${end} ${type}`);
    const [mine, theirs] = [names(now.spans), names(before.spans)];
    const added = mine.filter((one) => !theirs.includes(one)).length;
    const lost = theirs.filter((one) => !mine.includes(one)).length;
    return added + lost === 0 ? "the same spans" : `${added} spans more, ${lost} less`;
  }
  if (now.text !== undefined && before.text !== undefined)
    return now.text === before.text ? "the same text" : "the texts differ";
  if (now.label !== before.label) return "the labels differ";
  const [a, b] = [now.value ?? now.score, before.value ?? before.score];
  return a === undefined || b === undefined ? null : a === b ? "equal" : signed(a - b);
}

const signed = (value: number) => `${value > 0 ? "+" : ""}${figure(value)}`;

function listed(words: readonly string[], none: string): string {
  if (words.length === 0) return none;
  const left = words.length - shown;
  return `${words.slice(0, shown).join(", ")}${left > 0 ? ` and ${left} more` : ""}`;
}
