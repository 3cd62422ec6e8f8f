import { number, percent, plural, shorten } from "./format.js";

/**
 * One head in a few words, for tables and screen readers.
 * @param {import("./answers.js").HeadAnswer} head
 * @returns {string}
 */
export function headText(head) {
  switch (head.kind) {
    case "classification":
      return `${head.label}, ${percent(head.score)}`;
    case "regression":
      return withUnit(number(head.value), head.unit);
    case "ranking":
      return head.items.length === 0
        ? "no items"
        : `${head.items
            .slice(0, 3)
            .map(({ id, title }) => title || id)
            .join(", ")}${head.items.length > 3 ? ` and ${head.items.length - 3} more` : ""}`;
    case "series":
      return withUnit(
        `${head.values.slice(0, 4).map(number).join(", ")}${head.values.length > 4 ? `, … (${plural(head.values.length, "step")})` : ""}`,
        head.unit,
      );
    case "spans":
      return head.spans.length === 0
        ? "nothing found"
        : head.spans.map(({ text, type }) => `${shorten(text, 40)} (${type})`).join(", ");
    case "text":
      return head.text;
  }
}

/** @param {string} words @param {string} unit */
function withUnit(words, unit) {
  return unit === "" ? words : `${words} ${unit}`;
}
