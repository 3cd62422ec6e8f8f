import { failureNotice } from "./answer-card.js";
import { Failure } from "./api.js";
import { chunksOf, runChunks } from "./batch-run.js";
import { problemList, resultRecords, resultTable } from "./batch-tables.js";
import { writeCsv } from "./csv.js";
import { fill, h } from "./dom.js";
import { download } from "./download.js";
import { count, duration, plural } from "./format.js";

/**
 * Runs the rows that have no outcome yet, and shows the progress.
 * @param {HTMLElement} element
 * @param {import("./model.js").Model} model
 * @param {import("./batch-rows.js").BatchInput} input
 * @param {(import("./answers.js").RowOutcome | undefined)[]} outcomes filled as answers arrive
 * @param {() => AbortController} begin cancels the run before and returns a controller for this one
 */
export async function runView(element, model, input, outcomes, begin) {
  const running = begin();
  const waiting = input.rows.filter((row, i) => row.problem === "" && outcomes[i] === undefined);
  const before = outcomes.filter((one) => one !== undefined).length;
  const total = before + waiting.length;
  const bar = h("progress", { max: total, value: before, "aria-label": "Rows answered" });
  const words = h("p", { class: "quiet", role: "status" });
  fill(
    element,
    h(
      "div",
      { class: "card-head" },
      h("h3", null, "Working"),
      h("button", { type: "button", class: "plain", onclick: () => running.abort() }, "Cancel"),
    ),
    bar,
    words,
  );
  const begun = performance.now();
  let done = before;
  const setStatus = (/** @type {string} */ extra) => {
    const seconds = (performance.now() - begun) / 1000;
    const rate = (done - before) / Math.max(seconds, 0.001);
    const left =
      rate > 0 && seconds > 2 && done < total ? `, about ${duration(((total - done) / rate) * 1000)} left` : "";
    bar.value = done;
    words.textContent = `${count(done)} of ${plural(total, "row")}${seconds > 0.5 ? `, ${count(rate)} rows/s` : ""}${left}${extra}`;
  };
  setStatus("");
  /** @type {Failure | null} */
  let failure = null;
  try {
    await runChunks(
      chunksOf(
        waiting.map((row) => row.values),
        model.maxRows,
      ),
      model.predictMany,
      {
        signal: running.signal,
        done(chunk, answers) {
          answers.forEach((answer, i) => {
            const row = waiting[chunk.from + i];
            if (row !== undefined) outcomes[row.number - 1] = answer;
          });
          done += chunk.rows.length;
          setStatus("");
        },
        paused: (ms, why) => setStatus(`. ${why.title} Trying again in ${Math.max(1, Math.round(ms / 1000))} s…`),
      },
    );
  } catch (error) {
    failure =
      error instanceof Failure
        ? error
        : new Failure("unreadable", "The answers could not be read.", {
            detail: error instanceof Error ? error.message : "",
            cause: error,
          });
  }
  const bad = input.rows.flatMap((row, i) => (outcomes[i]?.error ? [{ row, words: outcomes[i].error }] : []));
  const skipped = input.rows.filter((row) => row.problem !== "").length;
  const answered = outcomes.filter((one) => one !== undefined && one.error === "").length;
  const spent = performance.now() - begun;
  const open = total - outcomes.filter((one) => one !== undefined).length;
  fill(
    element,
    h(
      "div",
      { class: "card-head" },
      h("h3", null, failure === null ? "Answers" : failure.kind === "cancelled" ? "Cancelled" : "Stopped"),
      h(
        "div",
        { class: "row" },
        open > 0 &&
          h(
            "button",
            { type: "button", class: "plain", onclick: () => runView(element, model, input, outcomes, begin) },
            `Go on with ${plural(open, "row")}`,
          ),
        answered > 0 &&
          h(
            "button",
            {
              type: "button",
              class: "primary",
              onclick: () =>
                download(`${model.id}-answers.csv`, "text/csv;charset=utf-8", [
                  "\uFEFF",
                  writeCsv(resultRecords(input, outcomes, model.heads)),
                ]),
            },
            "Download CSV",
          ),
      ),
    ),
    h(
      "p",
      { role: "status" },
      h("b", null, plural(answered, "row")),
      " answered",
      bad.length + skipped > 0 && h("span", { class: "warn" }, `, ${bad.length + skipped} not`),
      open > 0 && `, ${open} not asked`,
      h(
        "span",
        { class: "quiet" },
        ` · ${duration(spent)} · ${count((done - before) / Math.max(spent / 1000, 0.001))} rows/s`,
      ),
    ),
    failure !== null && failure.kind !== "cancelled" && failureNotice(failure, null),
    bad.length > 0 && problemList(bad, "The model could not use these rows:"),
    answered + bad.length > 0 && resultTable(input, outcomes, model.heads),
  );
}
