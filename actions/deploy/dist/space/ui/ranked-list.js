import { h } from "./dom.js";
import { number } from "./format.js";

const SHOWN = 10;

/**
 * Items from the best on, with their scores. Bars compare scores that have a zero to start from.
 * @param {readonly import("./answers.js").Item[]} items
 * @returns {HTMLElement}
 */
export function rankedList(items) {
  const most = Math.max(...items.map(({ score }) => score));
  const comparable = most > 0 && items.every(({ score }) => score >= 0);
  const list = (/** @type {readonly import("./answers.js").Item[]} */ some, /** @type {number} */ start) =>
    h(
      "ol",
      { class: "ranked", start },
      ...some.map(({ id, title, score }, i) => {
        const filled = h("i", { class: start + i === 1 ? "first" : null });
        filled.style.width = `${comparable ? (score / most) * 100 : 0}%`;
        return h(
          "li",
          null,
          h("span", { class: "rank", "aria-hidden": "true" }, start + i),
          h(
            "span",
            { class: "item" },
            title === "" ? id : title,
            title !== "" && title !== id && h("span", { class: "quiet item-id" }, id),
          ),
          comparable && h("span", { class: "bar", "aria-hidden": "true" }, filled),
          h("span", { class: "bar-score", title: String(score) }, number(score)),
        );
      }),
    );
  return h(
    "div",
    { class: comparable ? "ranking with-bars" : "ranking" },
    list(items.slice(0, SHOWN), 1),
    items.length > SHOWN &&
      h("details", null, h("summary", null, `${items.length - SHOWN} more`), list(items.slice(SHOWN), SHOWN + 1)),
  );
}
