import { fill, h } from "./dom.js";
import { clock } from "./format.js";
import { headText } from "./head-text.js";
import { headView } from "./head-view.js";
import { timeBar } from "./time-bar.js";

/**
 * The answer of one backend: empty, waiting, answered or failed. A model with two backends has two of them side by
 * side.
 * @typedef {import("./answers.js").Prediction} Prediction
 * @typedef {import("./api.js").Failure} Failure
 * @typedef {{
 *   element: HTMLElement,
 *   wait: (cancel: () => void) => void,
 *   write: (text: string) => void,
 *   notice: (title: string, words: string) => void,
 *   render: (prediction: Prediction) => void,
 *   fail: (failure: Failure, retry: (() => void) | null) => void,
 *   clear: () => void,
 * }} AnswerCard
 */

/** After this time the user is told that nothing is broken. */
const SLOW_MS = 3000;

/**
 * @param {string} title
 * @param {string} from what answers, e.g. "mood v1.1.0"
 * @param {string} [note] what the user should know before asking
 * @returns {AnswerCard}
 */
export function answerCard(title, from, note = "") {
  const body = h("div", { class: "answer-body" });
  const who = h("span", { class: "quiet" }, from);
  const spoken = h("p", { class: "sr", role: "status" });
  const element = h(
    "section",
    { class: "card answer", "aria-label": title },
    h("div", { class: "card-head" }, h("h3", null, title), who),
    body,
    note !== "" && h("p", { class: "hint note" }, note),
    spoken,
  );
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let slowTimer;
  /** The part of a streamed text that has arrived. */
  let written = "";
  const page = h("p", { class: "result-text" });
  const settle = (/** @type {string} */ words) => {
    clearTimeout(slowTimer);
    element.classList.remove("waiting", "writing");
    element.removeAttribute("aria-busy");
    spoken.textContent = words;
  };

  return {
    element,
    clear() {
      settle("");
      fill(body, h("p", { class: "quiet placeholder" }, "The answer appears here."));
    },
    notice(title, words) {
      settle("");
      fill(
        body,
        h("div", { class: "notice calm" }, h("p", { class: "notice-title" }, title), h("p", { class: "pre" }, words)),
      );
    },
    write(text) {
      clearTimeout(slowTimer);
      written += text;
      page.textContent = written;
      if (page.parentElement !== body) fill(body, page);
      element.classList.add("writing");
    },
    wait(cancel) {
      clearTimeout(slowTimer);
      written = "";
      element.classList.remove("writing");
      element.setAttribute("aria-busy", "true");
      element.classList.add("waiting");
      slowTimer = setTimeout(() => {
        fill(
          body,
          h(
            "div",
            { class: "slow" },
            h("p", null, "Still waiting for the server…"),
            h("p", { class: "quiet" }, "It may be busy or waking up."),
            h("button", { type: "button", class: "plain", onclick: cancel }, "Cancel"),
          ),
        );
        spoken.textContent = "Still waiting for the server.";
      }, SLOW_MS);
    },
    render(prediction) {
      settle(prediction.heads.map(headText).join("; "));
      written = "";
      who.textContent = prediction.from;
      fill(
        body,
        ...prediction.heads.map((head) => headView(head, prediction.row, prediction.heads.length > 1)),
        prediction.reasons.length > 0 &&
          h(
            "ul",
            { class: "reasons", "aria-label": "Reasons" },
            ...prediction.reasons.map((reason) => h("li", null, reason)),
          ),
        ...prediction.notes.map((note) => h("p", { class: "hint note" }, note)),
        timeBar(prediction.timing),
        h(
          "details",
          { class: "raw" },
          h("summary", null, "The server’s JSON"),
          h("pre", { tabindex: "0" }, JSON.stringify(prediction.raw, null, 2)),
        ),
      );
    },
    fail(failure, retry) {
      settle("");
      // Text that was already shown stays.
      fill(
        body,
        written !== "" && h("p", { class: "result-text partial" }, `${written} …`),
        failureNotice(failure, retry),
      );
      written = "";
    },
  };
}

/**
 * @param {Failure} failure
 * @param {(() => void) | null} retry
 * @returns {HTMLElement}
 */
export function failureNotice(failure, retry) {
  // Errors shown at a field are not repeated here.
  const detail = failure.fields.length > 0 ? "What is wrong is marked in the form." : sentence(failure.detail);
  return h(
    "div",
    { class: `notice ${failure.kind === "cancelled" ? "calm" : "bad"}`, role: "alert" },
    h("p", { class: "notice-title" }, failure.title),
    detail !== "" && h("p", null, detail),
    failure.retryAfterMs !== null
      ? pauseLine(failure.retryAfterMs)
      : retry !== null && failure.kind === "problem" && failure.transient && h("p", null, "It can be asked again now."),
    retry !== null && h("button", { type: "button", class: "plain", onclick: retry }, "Try again"),
  );
}

/**
 * Says when to ask again, with a countdown while it is on the page.
 * @param {number} pauseMs
 * @returns {HTMLElement}
 */
function pauseLine(pauseMs) {
  const until = Date.now() + pauseMs;
  // Hidden from screen readers, which would otherwise read the alert aloud every second.
  const left = h("span", { "aria-hidden": "true" });
  const line = h("p", null, `It can be asked again at ${clock(new Date(until))}`, left, ".");
  const update = () => {
    const seconds = Math.ceil((until - Date.now()) / 1000);
    if (seconds <= 0) {
      line.textContent = "It can be asked again now.";
      return false;
    }
    left.textContent = seconds < 120 ? ` (in ${seconds} s)` : ` (in ${Math.ceil(seconds / 60)} min)`;
    return true;
  };
  if (update()) {
    const timer = setInterval(() => {
      if (!update() || !line.isConnected) clearInterval(timer);
    }, 1000);
  }
  return line;
}

/** @param {string} words @returns {string} with a capital and a full stop */
function sentence(words) {
  return words === "" ? "" : `${words[0]?.toUpperCase()}${words.slice(1)}${/[.!?…]$/.test(words) ? "" : "."}`;
}
