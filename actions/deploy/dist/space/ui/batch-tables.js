import { h } from "./dom.js";
import { plural, shorten } from "./format.js";
import { headText } from "./head-text.js";

/**
 * The tables of the batch tab: a preview before the run, the answers after it.
 * @typedef {import("./batch-rows.js").BatchInput} BatchInput
 * @typedef {import("./batch-rows.js").BatchRow} BatchRow
 * @typedef {import("./answers.js").RowOutcome} RowOutcome
 */

const PREVIEWED = 5;
const LISTED = 100;
const PROBLEMS = 8;

/** @param {BatchInput} input @param {string} where where the rows come from @returns {HTMLElement} */
export function previewTable(input, where) {
  const bad = input.rows.filter((row) => row.problem !== "");
  return h(
    "div",
    { class: "stack" },
    h(
      "p",
      null,
      h("b", null, plural(input.rows.length, "row")),
      ` in ${where} (${input.format})`,
      bad.length > 0 && h("span", { class: "warn" }, `, ${bad.length} of them unusable`),
    ),
    input.unused.length > 0 &&
      h(
        "p",
        { class: "quiet" },
        `The model does not read ${input.unused
          .slice(0, 6)
          .map((name) => `“${shorten(name, 30)}”`)
          .join(", ")}${input.unused.length > 6 ? ` and ${input.unused.length - 6} more` : ""}; kept in the results.`,
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
            h("th", { scope: "col", class: "num narrow-cell" }, "Row"),
            ...input.columns.map((column) => h("th", { scope: "col" }, shorten(column, 40))),
          ),
        ),
        h(
          "tbody",
          null,
          ...input.rows
            .slice(0, PREVIEWED)
            .map((row) =>
              h(
                "tr",
                null,
                h("th", { scope: "row", class: "num" }, row.number),
                ...input.columns.map((column) => h("td", { class: "input-cell" }, cell(row.values[column]))),
              ),
            ),
        ),
      ),
    ),
    input.rows.length > PREVIEWED &&
      h("p", { class: "quiet" }, `The first ${PREVIEWED} of ${plural(input.rows.length, "row")}.`),
    bad.length > 0 &&
      problemList(
        bad.map((row) => ({ row, words: row.problem })),
        "These rows will be left out:",
      ),
  );
}

/**
 * @param {readonly { row: BatchRow, words: string }[]} problems
 * @param {string} title
 * @returns {HTMLElement}
 */
export function problemList(problems, title) {
  return h(
    "div",
    { class: "notice warn-notice" },
    h("p", { class: "notice-title" }, title),
    h(
      "ul",
      null,
      ...problems.slice(0, PROBLEMS).map(({ row, words }) => h("li", null, h("b", null, place(row)), ` ${words}`)),
    ),
    problems.length > PROBLEMS && h("p", null, `and ${plural(problems.length - PROBLEMS, "more row")}`),
  );
}

/** @param {BatchRow} row */
function place(row) {
  return row.line === row.number ? `Row ${row.number}:` : `Row ${row.number} (line ${row.line}):`;
}

/**
 * @param {BatchInput} input
 * @param {readonly (RowOutcome | undefined)[]} outcomes by row
 * @param {readonly import("./answers.js").Head[]} heads
 * @returns {HTMLElement}
 */
export function resultTable(input, outcomes, heads) {
  const shown = input.rows.filter((_, i) => outcomes[i] !== undefined).slice(0, LISTED);
  return h(
    "div",
    { class: "stack" },
    h(
      "div",
      { class: "scroll tall", tabindex: "0", role: "region", "aria-label": "Answers" },
      h(
        "table",
        { class: "results" },
        h(
          "thead",
          null,
          h(
            "tr",
            null,
            h("th", { scope: "col", class: "num narrow-cell" }, "Row"),
            ...heads.map((head) => h("th", { scope: "col" }, head.name)),
            ...input.columns.map((column) => h("th", { scope: "col" }, shorten(column, 40))),
          ),
        ),
        h(
          "tbody",
          null,
          ...shown.map((row) => {
            const outcome = outcomes[row.number - 1];
            return h(
              "tr",
              { class: outcome?.error === "" ? null : "bad-row" },
              h("th", { scope: "row", class: "num" }, row.number),
              ...(outcome?.error === ""
                ? outcome.heads.map((head) => h("td", { class: "answer-cell" }, headText(head)))
                : [h("td", { class: "warn answer-cell", colspan: heads.length }, outcome?.error ?? "")]),
              ...input.columns.map((column) => h("td", { class: "input-cell" }, cell(row.values[column]))),
            );
          }),
        ),
      ),
    ),
    outcomes.filter((one) => one !== undefined).length > LISTED &&
      h("p", { class: "quiet" }, `The first ${LISTED} rows; the file has all of them.`),
  );
}

/**
 * @param {BatchInput} input
 * @param {readonly (RowOutcome | undefined)[]} outcomes
 * @param {readonly import("./answers.js").Head[]} heads
 * @returns {unknown[][]} header and one record per row, in the order of the input
 */
export function resultRecords(input, outcomes, heads) {
  const answerColumns = heads.flatMap((head) =>
    head.kind === "classification"
      ? [`predicted_${head.name}`, ...head.labels.map((label) => `p_${head.name}_${label}`)]
      : [`predicted_${head.name}`],
  );
  return [
    [
      "row",
      ...input.columns.map((column) =>
        ["row", "error", ...answerColumns].includes(column) ? `input_${column}` : column,
      ),
      ...answerColumns,
      "error",
    ],
    ...input.rows.map((row, i) => {
      const outcome = outcomes[i];
      const answers =
        outcome === undefined || outcome.error !== ""
          ? answerColumns.map(() => "")
          : heads.flatMap((head, k) => figures(head, outcome.heads[k]));
      return [
        row.number,
        ...input.columns.map((column) => row.values[column]),
        ...answers,
        row.problem || (outcome === undefined ? "not sent" : outcome.error),
      ];
    }),
  ];
}

/**
 * @param {import("./answers.js").Head} head
 * @param {import("./answers.js").HeadAnswer | undefined} answer
 * @returns {unknown[]}
 */
function figures(head, answer) {
  if (head.kind === "classification" && answer?.kind === "classification")
    return [answer.label, ...head.labels.map((label) => answer.scores.find((one) => one.label === label)?.score ?? "")];
  switch (answer?.kind) {
    case "regression":
      return [answer.value];
    case "text":
      return [answer.text];
    case "ranking":
      return [JSON.stringify(answer.items.map(({ id }) => id))];
    case "series":
      return [JSON.stringify(answer.values)];
    case "spans":
      return [JSON.stringify(answer.spans.map(({ start, end, type }) => ({ start, end, type })))];
    default:
      return [""];
  }
}

/** @param {unknown} value */
function cell(value) {
  return value === undefined || value === null
    ? ""
    : shorten(
        Array.isArray(value) && value.length > 6
          ? `${value.slice(0, 4).join(", ")}, … (${value.length} values)`
          : typeof value === "object"
            ? JSON.stringify(value)
            : String(value),
        80,
      );
}
