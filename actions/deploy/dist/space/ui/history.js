import { chart } from "./chart.js";
import { fill, h } from "./dom.js";
import { clock, duration, number, shorten } from "./format.js";
import { headText } from "./head-text.js";

/**
 * The answers of this visit, newest first, with charts of their course; in memory only.
 * @typedef {{
 *   at: Date, row: Record<string, unknown>, prediction: import("./answers.js").Prediction, backend: string,
 * }} Entry
 */

const KEPT = 50;
const LISTED = 10;

/**
 * @param {import("./model.js").Model} model
 * @param {(row: Record<string, unknown>) => void} reuse puts an earlier input back into the form
 * @returns {{ element: HTMLElement, add: (entry: Entry) => void }}
 */
export function historyView(model, reuse) {
  /** @type {Entry[]} */
  const entries = [];
  const [head] = model.heads;
  const scored = head?.kind === "classification" ? (head.positive ?? null) : null;
  const answers = chart({
    title:
      head === undefined
        ? "Answers"
        : head.kind === "regression"
          ? `${head.name}${head.unit === "" || head.unit === head.name ? "" : `, ${head.unit}`}`
          : head.kind !== "classification"
            ? head.name
            : scored === null
              ? `Confidence of ${head.name}`
              : `Score of “${scored}”`,
    format: head?.kind === "classification" ? (share) => `${Math.round(share * 100)} %` : number,
    ...(head?.kind === "classification" ? { max: 1 } : {}),
    height: 130,
    from: "first",
    to: "latest",
    empty: "No answers yet.",
  });
  const times = chart({
    title: "Time per answer",
    format: duration,
    height: 130,
    from: "first",
    to: "latest",
    empty: "No answers yet.",
  });
  const rows = h("tbody");
  const more = h("p", { class: "hint" });
  const drawn = head?.kind === "classification" || head?.kind === "regression" ? answers.element : null;
  const element = h(
    "section",
    { class: "card history", hidden: true },
    h(
      "div",
      { class: "card-head" },
      h("h3", null, "This visit"),
      h(
        "button",
        {
          type: "button",
          class: "plain small",
          onclick() {
            entries.length = 0;
            element.hidden = true;
          },
        },
        "Clear",
      ),
    ),
    h("div", { class: drawn === null ? null : "pair" }, drawn, times.element),
    h(
      "div",
      { class: "scroll" },
      h(
        "table",
        null,
        h(
          "thead",
          null,
          h(
            "tr",
            null,
            h("th", { scope: "col", class: "wide-only" }, "When"),
            h("th", { scope: "col" }, "Input"),
            h("th", { scope: "col" }, "Answer"),
            h("th", { scope: "col", class: "num" }, "Time"),
          ),
        ),
        rows,
      ),
    ),
    more,
  );

  const draw = () => {
    fill(
      rows,
      ...entries
        .slice(-LISTED)
        .toReversed()
        .map((entry) =>
          h(
            "tr",
            null,
            h("td", { class: "quiet wide-only num-left" }, clock(entry.at)),
            h(
              "td",
              { class: "input-cell" },
              h(
                "button",
                { type: "button", class: "link", title: "Use this input again", onclick: () => reuse(entry.row) },
                summary(entry.row),
              ),
            ),
            h("td", null, shorten(entry.prediction.heads.map(headText).join("; "), 160)),
            h("td", { class: "num" }, duration(entry.prediction.timing.totalMs)),
          ),
        ),
    );
    more.textContent = `${entries.length > LISTED ? `The latest ${LISTED} of ${entries.length}. ` : ""}Choose an input to use it again.`;
    answers.update([{ name: "", values: entries.map((entry) => figure(entry.prediction.heads[0], scored)) }]);
    times.update([
      { name: "total", values: entries.map((entry) => entry.prediction.timing.totalMs) },
      { name: "inference", values: entries.map((entry) => entry.prediction.timing.inferenceMs) },
    ]);
  };

  return {
    element,
    add(entry) {
      entries.push(entry);
      if (entries.length > KEPT) entries.shift();
      element.hidden = false;
      draw();
    },
  };
}

/** @param {import("./answers.js").HeadAnswer | undefined} head @param {string | null} scored @returns {number | null} */
function figure(head, scored) {
  if (head?.kind === "regression") return head.value;
  if (head?.kind !== "classification") return null;
  return scored === null ? head.score : (head.scores.find(({ label }) => label === scored)?.score ?? null);
}

const NAMED = 3;

/** @param {readonly unknown[]} list @returns {string} its first names, or the number of its values */
function inShort(list) {
  if (list.length === 0) return "[]";
  if (list.some((one) => typeof one !== "string")) return `[${list.length} values]`;
  const more = list.length - NAMED;
  return `${list.slice(0, NAMED).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/** @param {Record<string, unknown>} row @returns {string} a row in a few words */
export function summary(row) {
  const values = Object.values(row);
  return (
    shorten(
      values
        .map((value) => {
          if (Array.isArray(value)) return inShort(value);
          if (typeof value === "string" && value.startsWith("data:"))
            return value.startsWith("data:image/") ? "(image)" : "(sound)";
          return typeof value === "object" ? JSON.stringify(value) : String(value);
        })
        .join(" · "),
      90,
    ) || "(empty)"
  );
}
