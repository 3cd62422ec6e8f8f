import { chart } from "./chart.js";
import { h } from "./dom.js";
import { number, plural } from "./format.js";

/** Steps of the past for each that is forecast: with more of them the forecast would be a corner of the chart. */
const PAST = 4;

/**
 * A forecast as a line, after what came before it, with the band between its outermost quantiles; and as a table. What
 * was observed since is a line of its own, with rings around the values that the answer flags.
 * @param {import("./answers.js").HeadAnswer & { kind: "series" }} head
 * @param {readonly number[]} history oldest first; empty when the input holds none
 * @param {readonly (number | null)[]} observed values of the first steps; empty when the input holds none
 * @returns {HTMLElement}
 */
export function forecastChart(head, history, observed) {
  const { values, quantiles, unit, flagged } = head;
  const past = history.slice(-PAST * values.length);
  const [lowest] = quantiles;
  const highest = quantiles.at(-1);
  const banded = lowest !== undefined && highest !== undefined && quantiles.length > 1;
  const gap = past.map(() => null);
  const drawing = chart({
    title: unit === "" ? "Forecast" : `Forecast, ${unit}`,
    format: number,
    height: 220,
    from:
      past.length === 0
        ? "step 1"
        : past.length < history.length
          ? `the last ${past.length} of ${history.length}`
          : `${plural(past.length, "value")} before`,
    to: `step ${values.length}`,
    empty: "No steps.",
  });
  drawing.update(
    [
      { name: "forecast", values: [...gap, ...values] },
      ...(past.length === 0 ? [] : [{ name: "before", values: [...past, ...values.map(() => null)] }]),
      ...(observed.length === 0
        ? []
        : [{ name: "observed", values: [...gap, ...values.map((_, t) => observed[t] ?? null)] }]),
    ],
    `step ${values.length}`,
    banded
      ? {
          name: `${level(lowest.level)} – ${level(highest.level)}`,
          low: [...gap, ...lowest.values],
          high: [...gap, ...highest.values],
        }
      : undefined,
    observed.length === 0
      ? undefined
      : {
          name: "flagged",
          values: [...gap, ...values.map((_, t) => flagged.find(({ step }) => step === t + 1)?.value ?? null)],
        },
  );
  return h("div", { class: "forecast" }, drawing.element, table(head, observed));
}

/** @param {number} share */
const level = (share) => `${Number((share * 100).toPrecision(4))} %`;

/**
 * @param {import("./answers.js").HeadAnswer & { kind: "series" }} head
 * @param {readonly (number | null)[]} observed
 */
function table({ values, quantiles, flagged }, observed) {
  const seen = (/** @type {number} */ t) => {
    const value = observed[t] ?? null;
    const odd = flagged.some(({ step }) => step === t + 1);
    return h(
      "td",
      { class: odd ? "num flagged" : "num", title: value === null ? "" : String(value) },
      value === null ? "–" : number(value),
      odd && " flagged",
    );
  };
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
            observed.length > 0 && h("th", { scope: "col", class: "num" }, "Observed"),
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
              observed.length > 0 && seen(t),
              h("td", { class: "num", title: String(value) }, number(value)),
              ...quantiles.map((one) => h("td", { class: "num" }, number(one.values[t] ?? NaN))),
            ),
          ),
        ),
      ),
    ),
  );
}
