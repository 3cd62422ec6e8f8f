import { chart } from "./chart.js";
import { fill, h } from "./dom.js";
import { count, duration, money, percent } from "./format.js";

/**
 * A local and a remote answerer of the same input, compared by what this visit has seen of them and by nothing else.
 * @typedef {{ ms: number | null, firstMs: number | null, cost: number | null }} Seen  ms: whole time, null for a failure
 * @typedef {{ name: string, currency: string }} Side
 */

const KEPT = 50;

/**
 * @param {readonly Side[]} sides
 * @returns {{ element: HTMLElement, add: (round: readonly (Seen | null)[]) => void }}  a round has one entry per side; null for one that was not asked
 */
export function comparison(sides) {
  /** @type {(readonly (Seen | null)[])[]} */
  const rounds = [];
  const times = chart({ title: "Time until the whole answer", format: duration, height: 150, from: "first", to: "latest", empty: "No answers yet." });
  const share = h("div", { class: "race", "aria-hidden": "true" });
  const rows = h("tbody");
  const words = h("p", { class: "hint" });
  const element = h("section", { class: "card comparison", hidden: true, "aria-label": "Comparison" },
    h("div", { class: "card-head" }, h("h3", null, "Side by side, this visit"), h("button", { type: "button", class: "plain small", onclick() { rounds.length = 0; element.hidden = true; } }, "Clear")),
    h("div", { class: "pair" }, times.element, h("figure", { class: "chart" }, h("figcaption", null, "Median time, logarithmic"), share)),
    h("div", { class: "scroll" }, h("table", null, h("thead", null, h("tr", null, ...["Model", "Answers", "Failures", "Median", "First words", "Per 1,000 answers"].map((name, i) => h("th", { scope: "col", class: i === 0 ? null : i > 3 ? "num wide-only" : "num" }, name)))), rows)),
    words);

  const draw = () => {
    const summaries = sides.map((side, i) => ({ ...side, ...summary(rounds.map((round) => round[i] ?? null)) }));
    times.update(sides.map(({ name }, i) => ({ name, values: rounds.map((round) => round[i]?.ms ?? null) })));
    const longest = Math.max(...summaries.map(({ medianMs }) => medianMs ?? 0));
    fill(share, ...summaries.map(({ name, medianMs }, i) => {
      const bar = h("i", { class: `series-${i}` });
      bar.style.width = `${medianMs === null ? 0 : 100 * logShare(medianMs, longest)}%`;
      return h("div", { class: "race-row" }, h("span", { class: "race-name" }, name), h("span", { class: "race-track" }, bar), h("b", null, medianMs === null ? "–" : duration(medianMs)));
    }));
    fill(rows, ...summaries.map(({ name, currency, answers, failures, medianMs, firstMs, cost }) => h("tr", null,
      h("th", { scope: "row" }, name), h("td", { class: "num" }, count(answers)), h("td", { class: "num" }, failures === 0 ? "0" : `${count(failures)} (${percent(failures / (answers + failures))})`),
      h("td", { class: "num" }, medianMs === null ? "–" : duration(medianMs)), h("td", { class: "num wide-only" }, firstMs === null ? "–" : duration(firstMs)), h("td", { class: "num wide-only" }, cost === null ? "–" : money(cost * 1000, currency)))));
    const [one, other] = summaries;
    words.textContent = one?.medianMs && other?.medianMs ? ratio(one, other) : "";
  };

  return {
    element,
    add(round) {
      rounds.push(round);
      if (rounds.length > KEPT) rounds.shift();
      element.hidden = false;
      draw();
    },
  };
}

/** @param {readonly (Seen | null)[]} seen */
export function summary(seen) {
  const asked = seen.filter((one) => one !== null);
  const answered = asked.filter(({ ms }) => ms !== null);
  const costs = answered.map(({ cost }) => cost).filter((cost) => cost !== null).map(Number);
  return {
    answers: answered.length,
    failures: asked.length - answered.length,
    medianMs: median(answered.map(({ ms }) => Number(ms))),
    firstMs: median(answered.map(({ firstMs }) => firstMs).filter((ms) => ms !== null).map(Number)),
    cost: costs.length === 0 ? null : costs.reduce((sum, cost) => sum + cost, 0) / costs.length,
  };
}

/**
 * What one answer costs at the provider's prices.
 * @param {any} prices of the model's card
 * @param {any} usage of the answer, null where the provider counted nothing
 * @returns {number | null}
 */
export function costOf(prices, usage) {
  if (prices === null || prices === undefined) return null;
  if (typeof prices.perRequest === "number") return prices.perRequest;
  if (usage === null || usage === undefined) return null;
  return (usage.inputTokens * prices.inputPerMillionTokens + usage.outputTokens * prices.outputPerMillionTokens) / 1e6;
}

/** @param {readonly number[]} values @returns {number | null} */
function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted[(sorted.length - 1) >> 1];
  const next = sorted[sorted.length >> 1];
  return middle === undefined || next === undefined ? null : (middle + next) / 2;
}

/** A bar's length from a tenth of a millisecond on: milliseconds and minutes fit beside each other. @param {number} ms @param {number} longest */
function logShare(ms, longest) {
  const from = Math.log10(0.1);
  return Math.max(0.02, (Math.log10(Math.max(ms, 0.1)) - from) / Math.max(0.5, Math.log10(Math.max(longest, 0.2)) - from));
}

/** @param {{ name: string, medianMs: number | null }} a @param {{ name: string, medianMs: number | null }} b */
function ratio(a, b) {
  const [fast, slow] = (a.medianMs ?? 0) <= (b.medianMs ?? 0) ? [a, b] : [b, a];
  const times = (slow.medianMs ?? 0) / (fast.medianMs || 1);
  return `${slow.name} takes ${times >= 10 ? count(times) : times.toFixed(1)} times as long as ${fast.name}.`;
}
