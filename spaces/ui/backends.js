import { answerCard } from "./answer-card.js";
import { Failure } from "./api.js";
import { h } from "./dom.js";

/**
 * Everything that can answer for one model: its local session today, and a remote one beside it where the model has a pair.
 * Each has its own card; a slow or failing one leaves the others alone.
 * @typedef {{ id: string, title: string, from: string, predict: (row: Record<string, unknown>, signal: AbortSignal) => Promise<import("./model.js").Prediction> }} Backend
 * @typedef {{ backend: Backend, prediction: import("./model.js").Prediction }} Answered
 */

/**
 * @param {readonly Backend[]} backends
 * @returns {{ element: HTMLElement, clear: () => void, ask: (row: Record<string, unknown>, retry: () => void) => Promise<{ answered: Answered[], failed: Failure[] }>, cancel: () => void }}
 *   ask resolves when every backend has answered or failed; a new question cancels the one before
 */
export function backendCards(backends) {
  const cards = backends.map((backend) => answerCard(backend.title, backend.from));
  let running = new AbortController();
  const clear = () => cards.forEach((card) => card.clear());
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
      /** @type {Failure[]} */
      const failed = [];
      await Promise.all(backends.map(async (backend, i) => {
        const card = cards[i];
        card?.wait(() => mine.abort());
        try {
          const prediction = await backend.predict(row, mine.signal);
          if (running !== mine) return;
          card?.show(prediction);
          answered.push({ backend, prediction });
        } catch (error) {
          const failure = error instanceof Failure ? error : new Failure("unreadable", "The answer could not be shown.", { detail: error instanceof Error ? error.message : "", cause: error });
          if (running !== mine) return;
          card?.fail(failure, failure.passing || failure.kind === "cancelled" ? retry : null);
          failed.push(failure);
        }
      }));
      return { answered, failed };
    },
  };
}
