import { breakEven, costLines } from "./break-even.js";
import { chart } from "./chart.js";
import { fill, h } from "./dom.js";
import { count, duration, money, percent, plural } from "./format.js";

/**
 * Compares a local and a remote model for the same input, only by what this visit has measured. `ms`: whole time, null
 * for a failure. `workMs`: the part of it inside the model. `perHour`: cost of the machine, used or not; null if each
 * answer has a price.
 * @typedef {{ ms: number | null, workMs: number | null, firstMs: number | null, cost: number | null }} Seen
 * @typedef {{ name: string, currency: string, perHour: number | null }} Side
 */

const KEPT = 50;

/**
 * @param {readonly Side[]} sides
 * @returns {{ element: HTMLElement, add: (round: readonly (Seen | null)[]) => void }} a round has one entry per side;
 *   null for a side that was not asked
 */
export function comparison(sides) {
  /** @type {(readonly (Seen | null)[])[]} */
  const rounds = [];
  const times = chart({
    title: "Time until the whole answer",
    format: duration,
    height: 150,
    from: "first",
    to: "latest",
    empty: "No answers yet.",
  });
  const share = h("div", { class: "race", "aria-hidden": "true" });
  const rows = h("tbody");
  const words = h("p", { class: "hint" });
  const lines = chart({
    title: "Cost of an hour",
    format: (value) => money(value, sides[0]?.currency ?? "USD"),
    height: 130,
    from: "no answers",
    empty: "",
  });
  const even = h("p", { class: "even" });
  const element = h(
    "section",
    { class: "card comparison", hidden: true, "aria-label": "Comparison" },
    h(
      "div",
      { class: "card-head" },
      h("h3", null, "Side by side, this visit"),
      h(
        "button",
        {
          type: "button",
          class: "plain small",
          onclick() {
            rounds.length = 0;
            element.hidden = true;
          },
        },
        "Clear",
      ),
    ),
    h(
      "div",
      { class: "pair" },
      times.element,
      h("figure", { class: "chart" }, h("figcaption", null, "Median time, logarithmic"), share),
    ),
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
            ...["Model", "Answers", "Failures", "Median", "First words", "Per 1,000 answers"].map((name, i) =>
              h("th", { scope: "col", class: i === 0 ? null : i === 4 ? "num wide-only" : "num" }, name),
            ),
          ),
        ),
        rows,
      ),
    ),
    words,
    h(
      "div",
      { class: "pair costs" },
      h("div", { class: "stack" }, h("h4", null, "Break-even point"), even),
      lines.element,
    ),
  );

  const draw = () => {
    const summaries = sides.map((side, i) => ({ ...side, ...summary(rounds.map((round) => round[i] ?? null)) }));
    times.update(sides.map(({ name }, i) => ({ name, values: rounds.map((round) => round[i]?.ms ?? null) })));
    const longest = Math.max(...summaries.map(({ medianMs }) => medianMs ?? 0));
    fill(
      share,
      ...summaries.map(({ name, medianMs }, i) => {
        const bar = h("i", { class: `series-${i}` });
        bar.style.width = `${medianMs === null ? 0 : 100 * logShare(medianMs, longest)}%`;
        return h(
          "div",
          { class: "race-row" },
          h("span", { class: "race-name" }, name),
          h("span", { class: "race-track" }, bar),
          h("b", null, medianMs === null ? "–" : duration(medianMs)),
        );
      }),
    );
    fill(
      rows,
      ...summaries.map(({ name, currency, perHour, answers, failures, medianMs, firstMs, cost }) =>
        h(
          "tr",
          null,
          h("th", { scope: "row" }, name),
          h("td", { class: "num" }, count(answers)),
          h(
            "td",
            { class: "num" },
            failures === 0 ? "0" : `${count(failures)} (${percent(failures / (answers + failures))})`,
          ),
          h("td", { class: "num" }, medianMs === null ? "–" : duration(medianMs)),
          h("td", { class: "num wide-only" }, firstMs === null ? "–" : duration(firstMs)),
          h(
            "td",
            { class: "num" },
            cost !== null
              ? money(cost * 1000, currency)
              : perHour === null
                ? "–"
                : `${money(perHour, currency)} an hour`,
          ),
        ),
      ),
    );
    const [one, other] = summaries;
    words.textContent = one?.medianMs && other?.medianMs ? ratio(one, other) : "";
    showBreakEven(one, other);
  };

  /**
   * @param {(Side & ReturnType<typeof summary>) | undefined} machine
   * @param {(Side & ReturnType<typeof summary>) | undefined} provider
   */
  function showBreakEven(machine, provider) {
    const point =
      machine === undefined || provider === undefined
        ? null
        : breakEven(
            { ...machine, medianMs: machine.workMs },
            { perAnswer: provider.cost, currency: provider.currency },
          );
    lines.element.hidden = true;
    if (machine === undefined || provider === undefined || point === null) return;
    even.textContent = inWords(point, machine, provider);
    if (
      point.answersPerHour === null ||
      point.answersPerHour === 0 ||
      machine.perHour === null ||
      provider.cost === null
    )
      return;
    const drawn = costLines(machine.perHour, provider.cost, point.answersPerHour);
    lines.element.hidden = false;
    lines.update(
      [
        { name: machine.name, values: drawn.machine },
        { name: provider.name, values: drawn.provider },
      ],
      `${count(drawn.maxAnswers)} answers`,
    );
  }

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

/**
 * @param {import("./break-even.js").BreakEven} point
 * @param {Side & ReturnType<typeof summary>} machine
 * @param {Side & ReturnType<typeof summary>} provider
 */
function inWords(point, machine, provider) {
  if (point.why !== "") return `Not known: ${point.why} is missing.`;
  if (point.answersPerHour === 0)
    return `${machine.name} costs nothing by its manifest, so it is the cheaper one from the first answer on.`;
  if (point.answersPerHour === null)
    return `${provider.name} costs nothing by its manifest, so a machine for ${machine.name} never pays.`;
  const most =
    point.maxPerHour === null
      ? ""
      : point.maxPerHour < point.answersPerHour
        ? ` One such machine gives only about ${about(point.maxPerHour)} an hour, so it never gets there.`
        : ` One such machine gives up to about ${about(point.maxPerHour)} an hour, one after the other.`;
  return `${count(point.answersPerHour)} answers an hour. Below that, ${provider.name} costs less by the answer (${money((provider.cost ?? 0) * 1000, provider.currency)} per 1,000, of ${plural(provider.answers, "answer")} seen); above it, the machine for ${machine.name} does (${money(machine.perHour ?? 0, machine.currency)} an hour).${most}`;
}

/** @param {number} value @returns {string} only its first two digits, because it comes from a handful of times */
function about(value) {
  return count(Number(value.toPrecision(2)));
}

/** @param {readonly (Seen | null)[]} seen */
export function summary(seen) {
  const asked = seen.filter((one) => one !== null);
  const answered = asked.filter(({ ms }) => ms !== null);
  const costs = answered
    .map(({ cost }) => cost)
    .filter((cost) => cost !== null)
    .map(Number);
  return {
    answers: answered.length,
    failures: asked.length - answered.length,
    medianMs: median(answered.map(({ ms }) => Number(ms))),
    workMs: median(
      answered
        .map(({ workMs }) => workMs)
        .filter((ms) => ms !== null)
        .map(Number),
    ),
    firstMs: median(
      answered
        .map(({ firstMs }) => firstMs)
        .filter((ms) => ms !== null)
        .map(Number),
    ),
    cost: costs.length === 0 ? null : costs.reduce((sum, cost) => sum + cost, 0) / costs.length,
  };
}

/**
 * What one answer costs at the provider's prices.
 * @param {any} prices of the model's card
 * @param {any} usage of the answer; null if the provider did not report it
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

/**
 * A bar's length on a logarithmic scale from a tenth of a millisecond, so that milliseconds and minutes fit side by
 * side.
 * @param {number} ms
 * @param {number} longest
 */
function logShare(ms, longest) {
  const from = Math.log10(0.1);
  return Math.max(
    0.02,
    (Math.log10(Math.max(ms, 0.1)) - from) / Math.max(0.5, Math.log10(Math.max(longest, 0.2)) - from),
  );
}

/** @param {{ name: string, medianMs: number | null }} a @param {{ name: string, medianMs: number | null }} b */
function ratio(a, b) {
  const [fast, slow] = (a.medianMs ?? 0) <= (b.medianMs ?? 0) ? [a, b] : [b, a];
  const times = (slow.medianMs ?? 0) / (fast.medianMs || 1);
  return `${slow.name} takes ${times >= 10 ? count(times) : times.toFixed(1)} times as long as ${fast.name}.`;
}
