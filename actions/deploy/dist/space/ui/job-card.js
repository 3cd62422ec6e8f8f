import { failureNotice } from "./answer-card.js";
import { Failure } from "./api.js";
import { fill, h } from "./dom.js";
import { download } from "./download.js";
import { clock, count, percent, plural, size } from "./format.js";
import { followJob, hasEnded, readResult, removeJob } from "./jobs-api.js";

/**
 * One job: its state, its progress, what to do with it.
 * @typedef {import("./jobs-api.js").Job} Job
 */

const WORDS = {
  queued: "Waiting",
  running: "Running",
  succeeded: "Done",
  failed: "Failed",
  cancelled: "Cancelled",
};
const BADGES = {
  queued: "",
  running: "",
  succeeded: "badge-pass",
  failed: "badge-fail",
  cancelled: "badge-inconclusive",
};
/**
 * @param {Job} first
 * @param {(id: string) => void} onDeleted called when it is deleted
 * @returns {{ element: HTMLElement, id: string, stop: () => void, follow: () => void }}
 */
export function jobCard(first, onDeleted) {
  let job = first;
  const name = first.name ?? "";
  /** @type {AbortController | null} */
  let following = null;
  const title = h("h4", null);
  // Read aloud when it changes; the progress is not.
  const state = h("span", { class: "badge", role: "status" });
  const bar = h("progress", { max: 1, "aria-label": "Rows done" });
  const words = h("p", { class: "quiet" });
  const problems = h("div", null);
  const actions = h("div", { class: "actions" });
  const wrong = h("div", null);
  const element = h(
    "li",
    { class: "job" },
    h("div", { class: "job-head" }, title, state),
    bar,
    words,
    problems,
    actions,
    wrong,
  );
  let shownState = "";
  let shownProblems = "";

  function update() {
    const { progress, model, version } = job;
    title.textContent = `${name || `Job ${job.id.slice(0, 8)}`} · ${model}${version === null ? "" : ` v${version}`}`;
    bar.hidden = hasEnded(job);
    if (progress.total === null) bar.removeAttribute("value");
    else bar.value = progress.rows / Math.max(1, progress.total);
    words.textContent = [
      progress.total === null
        ? size(job.inputBytes)
        : hasEnded(job)
          ? plural(progress.rows, "row")
          : `${count(progress.rows)} of ${plural(progress.total, "row")} (${percent(progress.rows / progress.total)})`,
      progress.failed > 0 ? `${plural(progress.failed, "row")} without an answer` : "",
      `asked for at ${clock(new Date(job.created))}`,
      job.links.result === null ? "" : `kept until ${new Date(job.expires).toLocaleString()}`,
    ]
      .filter(Boolean)
      .join(" · ");
    if (job.state !== shownState) {
      shownState = job.state;
      state.textContent = WORDS[job.state];
      state.className = `badge ${BADGES[job.state]}`;
      showActions();
    }
    const now = JSON.stringify([job.problems, job.error]);
    if (now === shownProblems) return;
    shownProblems = now;
    fill(
      problems,
      job.error !== null && h("p", { class: "wrong" }, job.error.detail),
      job.problems.length > 0 &&
        h(
          "details",
          null,
          h("summary", null, "What is wrong with the rows without an answer"),
          h(
            "ul",
            { class: "flow" },
            ...job.problems.map((group) =>
              h(
                "li",
                null,
                `${group.problem}: ${plural(group.rows, "row")} (${group.first.map((row) => `row ${count(row + 1)}`).join(", ")}${group.rows > group.first.length ? ", …" : ""})`,
              ),
            ),
          ),
        ),
    );
  }

  function showActions() {
    const button = (/** @type {string} */ text, /** @type {() => Promise<unknown>} */ act, primary = false) =>
      h("button", { type: "button", class: `${primary ? "primary" : "plain"} small`, onclick: () => tried(act) }, text);
    fill(
      actions,
      job.links.result !== null && job.progress.rows > 0 && button("Download CSV", () => save("csv"), true),
      job.links.result !== null && job.progress.rows > 0 && button("JSON Lines", () => save("jsonl")),
      button(hasEnded(job) ? "Delete" : "Cancel", remove),
    );
  }

  /** @param {() => Promise<unknown>} act */
  async function tried(act) {
    fill(wrong);
    try {
      await act();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      fill(wrong, failureNotice(error, null));
    }
  }

  /** @param {"csv" | "jsonl"} format */
  async function save(format) {
    const stem = (name || job.model).replace(/\.[^.]*$/, "");
    download(
      `${stem}-answers.${format}`,
      format === "csv" ? "text/csv;charset=utf-8" : "application/x-ndjson",
      format === "csv" ? ["\uFEFF", await readResult(job, format)] : [await readResult(job, format)],
    );
  }

  async function remove() {
    const ended = hasEnded(job);
    const { data } = await removeJob(job.id);
    if (ended) return deleted();
    job = JSON.parse(data);
    update();
  }

  function deleted() {
    following?.abort();
    onDeleted(job.id);
  }

  update();
  return {
    element,
    id: job.id,
    stop: () => following?.abort(),
    follow() {
      if (hasEnded(job)) return;
      following?.abort();
      following = new AbortController();
      void followJob(
        job,
        following.signal,
        (next) => {
          job = next;
          update();
        },
        deleted,
      );
    },
  };
}
