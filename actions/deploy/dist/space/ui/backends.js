import { answerCard } from "./answer-card.js";
import { Failure } from "./api.js";
import { h } from "./dom.js";

/**
 * Everything that can answer for one model: the model itself, and a remote one if it has a pair. Each has its own card,
 * so a slow or failing one does not affect the others.
 * @typedef {import("./model.js").Backend} Backend
 * @typedef {{ backend: Backend, prediction: import("./answers.js").Prediction }} Answered
 * @typedef {{ backend: Backend, failure: Failure }} Failed
 */

/**
 * `ask` resolves when every backend has answered or failed. A new question cancels the one before.
 * @param {readonly Backend[]} backends
 * @returns {{
 *   element: HTMLElement,
 *   clear: () => void,
 *   ask: (row: Record<string, unknown>, retry: () => void) =>
 *     Promise<{ answered: Answered[], failed: Failed[], cancelled: boolean }>,
 *   cancel: () => void,
 * }}
 */
export function backendCards(backends) {
  const cards = backends.map((backend) =>
    answerCard(
      backend.title,
      backend.from,
      backend.remote === null
        ? ""
        : `What you enter is sent to whoever runs ${backend.remote.model}. Nothing is stored here.`,
    ),
  );
  let running = new AbortController();
  const clear = () =>
    cards.forEach((card, i) => {
      const missing = backends[i]?.missing ?? "";
      if (missing === "") card.clear();
      else card.notice("Not set up yet.", missing);
    });
  clear();
  return {
    element: h("div", { class: `answers answers-${cards.length}` }, ...cards.map((card) => card.element)),
    clear,
    cancel: () => running.abort(),
    async ask(row, retry) {
      running.abort();
      const mine = new AbortController();
      running = mine;
      /** @type {Answered[]} */
      const answered = [];
      /** @type {Failed[]} */
      const failed = [];
      /** @type {Promise<import("./answers.js").Prediction> | null} */
      let first = null;
      const one = async (/** @type {Backend} */ backend, /** @type {number} */ i) => {
        const card = cards[i];
        // Cancelling a slow one does not cancel the others.
        const own = new AbortController();
        card?.wait(() => own.abort());
        const ahead = first;
        const asking = (async () => {
          const given =
            Object.keys(backend.inputs).length === 0 || ahead === null
              ? {}
              : taken(backend.inputs, await ahead.catch(() => null));
          return backend.predict({ ...row, ...given }, AbortSignal.any([mine.signal, own.signal]), (text) => {
            if (running === mine) card?.write(text);
          });
        })();
        first ??= asking;
        try {
          const prediction = await asking;
          if (running !== mine) return;
          card?.render(prediction);
          answered.push({ backend, prediction });
        } catch (error) {
          const failure =
            error instanceof Failure
              ? error
              : new Failure("unreadable", "The answer could not be shown.", {
                  detail: error instanceof Error ? error.message : "",
                  cause: error,
                });
          if (running !== mine) return;
          card?.fail(failure, failure.transient || failure.kind === "cancelled" ? retry : null);
          failed.push({ backend, failure });
        }
      };
      await Promise.all(backends.map((backend, i) => (backend.missing === "" ? one(backend, i) : Promise.resolve())));
      return { answered, failed, cancelled: running !== mine };
    },
  };
}

/**
 * Reads the inputs that come from another backend's answer.
 * @param {Record<string, string>} inputs
 * @param {import("./answers.js").Prediction | null} prediction
 * @returns {Record<string, unknown>}
 * @throws {Failure} when there is no such answer
 */
function taken(inputs, prediction) {
  if (prediction === null)
    throw new Failure("cancelled", "Not asked.", { detail: "It needs the local answer, and there is none." });
  return Object.fromEntries(
    Object.entries(inputs).map(([name, from]) => {
      const [head, part] = from.split(".");
      const found = /** @type {any} */ (prediction.heads.find((one) => one.name === head));
      return [name, found?.[String(part)]];
    }),
  );
}
