import { h } from "./dom.js";
import { forecastChart } from "./forecast-chart.js";
import { number, percent, plural } from "./format.js";
import { markedText } from "./marked-text.js";
import { rankedList } from "./ranked-list.js";

/**
 * @typedef {import("./answers.js").HeadAnswer} HeadAnswer
 * @typedef {Record<string, unknown>} Row what was asked
 */

/** @param {HeadAnswer} head @param {Row} row @param {boolean} named @returns {HTMLElement} the answer of one head */
export function headView(head, row, named) {
  return h("div", { class: "head" }, named && h("p", { class: "head-name quiet" }, head.name), ...parts(head, row));
}

/** @param {HeadAnswer} head @param {Row} row @returns {import("./dom.js").Child[]} */
function parts(head, row) {
  switch (head.kind) {
    case "classification":
      return classification(head);
    case "regression":
      return [
        h(
          "p",
          { class: "result" },
          h("span", { class: "result-main number", title: String(head.value) }, number(head.value)),
          h("span", { class: "result-side" }, head.unit),
        ),
      ];
    case "ranking":
      return [rankedList(head.items)];
    case "series":
      return [forecastChart(head, history(head, row), observed(head, row))];
    case "spans":
      return [markedText(String(row[head.field] ?? ""), head)];
    case "text":
      return written(head);
  }
}

/** @param {HeadAnswer & { kind: "classification" }} head */
function classification(head) {
  const first = head.scores.slice(0, 8);
  const others = head.scores.length - first.length;
  return [
    h(
      "p",
      { class: "result" },
      h("span", { class: "result-main" }, head.label),
      h("span", { class: "result-side" }, percent(head.score)),
    ),
    h("ul", { class: "bars" }, ...first.map(({ label, score }) => bar(label, score, label === head.label))),
    others > 0 && h("p", { class: "quiet" }, `and ${others} less likely`),
    head.unlisted > 0 && h("p", { class: "quiet" }, `${plural(head.unlisted, "less likely label")} not listed`),
  ];
}

/** @param {HeadAnswer & { kind: "series" }} head @param {Row} row @returns {number[]} what came before the forecast */
function history(head, row) {
  const given = row[head.history];
  return Array.isArray(given) && given.every((value) => typeof value === "number") ? given : [];
}

/** @param {HeadAnswer & { kind: "series" }} head @param {Row} row @returns {(number | null)[]} what came since */
function observed(head, row) {
  const given = row[head.observed];
  return Array.isArray(given) ? given.map((value) => (typeof value === "number" ? value : null)) : [];
}

/** @param {HeadAnswer & { kind: "text" }} head */
function written(head) {
  const facts = [
    head.backend === "" ? "" : `answered by ${head.backend}`,
    head.partial ? "it broke off: the rest is missing" : "",
    head.usage === null ? "" : plural(head.usage.outputTokens, "token"),
    head.cut ? "cut at its token limit" : "",
    "a text has no confidence",
  ].filter(Boolean);
  return [
    h("p", { class: "result-text" }, head.text),
    head.said.length > 0 &&
      h(
        "ol",
        { class: "said" },
        ...head.said.map(({ start, end, text }) =>
          h("li", null, h("time", null, `${clock(start)} – ${clock(end)}`), h("span", null, text)),
        ),
      ),
    h("p", { class: "hint" }, facts.join(" · ")),
  ];
}

/** @param {number} seconds @returns {string} minutes and seconds, e.g. 1:05.3 */
const clock = (seconds) =>
  `${Math.floor(Math.round(seconds * 10) / 600)}:${((Math.round(seconds * 10) % 600) / 10).toFixed(1).padStart(4, "0")}`;

/** @param {string} label @param {number} score @param {boolean} first */
function bar(label, score, first) {
  const filled = h("i", { class: first ? "first" : null });
  filled.style.width = `${Math.min(1, Math.max(0, score)) * 100}%`;
  return h(
    "li",
    null,
    h("span", { class: "bar-label" }, label),
    h("span", { class: "bar", "aria-hidden": "true" }, filled),
    h("span", { class: "bar-score" }, percent(score)),
  );
}
