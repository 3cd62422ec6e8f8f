import { chart } from "./chart.js";
import { h } from "./dom.js";
import { number, plural } from "./format.js";

/**
 * A forecast as a line, after what came before it, with the band between its outermost quantiles; and as a table.
 * @param {import("./answers.js").HeadAnswer & { kind: "series" }} head
 * @param {readonly number[]} history oldest first; empty when the input holds none
 * @returns {HTMLElement}
 */
export function forecastChart(head, history) {
  const { values, quantiles, unit } = head;
  const [lowest] = quantiles;
  const highest = quantiles.at(-1);
  const banded = lowest !== undefined && highest !== undefined && quantiles.length > 1;
  const gap = history.map(() => null);
  const drawing = chart({
    title: unit === "" ? "Forecast" : `Forecast, ${unit}`,
    format: number,
    height: 220,
    from: history.length === 0 ? "step 1" : `${plural(history.length, "value")} before`,
    to: `step ${values.length}`,
    empty: "No steps.",
  });
  drawing.update(
    [
      { name: "forecast", values: [...gap, ...values] },
      ...(history.length === 0 ? [] : [{ name: "before", values: [...history, ...values.map(() => null)] }]),
    ],
    `step ${values.length}`,
    banded
      ? {
          name: `${level(lowest.level)} – ${level(highest.level)}`,
          low: [...gap, ...lowest.values],
          high: [...gap, ...highest.values],
        }
      : undefined,
  );
  return h("div", { class: "forecast" }, drawing.element, table(head));
}

/** @param {number} share */
const level = (share) => `${Number((share * 100).toPrecision(4))} %`;

/** @param {import("./answers.js").HeadAnswer & { kind: "series" }} head */
function table({ values, quantiles }) {
  return h(
    "details",
    null,
    h("summary", null, "The values"),
    h(
      "div",
      { class: "scroll tall", tabindex: "0", role: "region", "aria-label": "Forecast values" },
      h(
        "table",
        null,
        h(
          "thead",
          null,
          h(
            "tr",
            null,
            h("th", { scope: "col", class: "num narrow-cell" }, "Step"),
            h("th", { scope: "col", class: "num" }, "Forecast"),
            ...quantiles.map((one) => h("th", { scope: "col", class: "num" }, level(one.level))),
          ),
        ),
        h(
          "tbody",
          null,
          ...values.map((value, t) =>
            h(
              "tr",
              null,
              h("th", { scope: "row", class: "num" }, t + 1),
              h("td", { class: "num", title: String(value) }, number(value)),
              ...quantiles.map((one) => h("td", { class: "num" }, number(one.values[t] ?? NaN))),
            ),
          ),
        ),
      ),
    ),
  );
}
