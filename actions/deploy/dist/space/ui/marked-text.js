import { h } from "./dom.js";
import { percent } from "./format.js";

/** Number of colours; further types share them, and every mark says its type. */
const COLOURS = 6;

/**
 * The text with its spans marked, and what the marks mean.
 * @param {string} text as it was sent
 * @param {import("./answers.js").HeadAnswer & { kind: "spans" }} head
 * @returns {HTMLElement}
 */
export function markedText(text, { spans, types, readTo }) {
  const colour = (/** @type {string} */ type) => `span-${Math.max(0, types.indexOf(type)) % COLOURS}`;
  /** @type {import("./dom.js").Child[]} */
  const pieces = [];
  let at = 0;
  for (const { start, end, type, score } of spans) {
    if (start < at || end > text.length) continue;
    pieces.push(
      text.slice(at, start),
      h(
        "mark",
        { class: colour(type), title: `${type}, ${percent(score)}` },
        text.slice(start, end),
        h("span", { class: "mark-type" }, type),
      ),
    );
    at = end;
  }
  const seen = readTo === null ? text.length : Math.max(at, readTo);
  pieces.push(text.slice(at, seen));
  if (seen < text.length) pieces.push(h("span", { class: "unread" }, text.slice(seen)));
  return h(
    "div",
    { class: "spans" },
    h("p", { class: "result-text marked" }, ...pieces),
    h(
      "ul",
      { class: "legend span-legend", "aria-label": "Types" },
      ...types.map((type) =>
        h(
          "li",
          { class: "key" },
          h("i", { class: colour(type), "aria-hidden": "true" }),
          `${type} `,
          h("b", null, spans.filter((one) => one.type === type).length),
        ),
      ),
    ),
    spans.length === 0 && h("p", { class: "hint" }, "Nothing was found in this text."),
    seen < text.length && h("p", { class: "hint note" }, "The model read the text up to where it is pale."),
  );
}
