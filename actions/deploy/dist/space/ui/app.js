import { failureNotice } from "./answer-card.js";
import { apiKey, Failure } from "./api.js";
import { batchPanel } from "./batch.js";
import { fill, h } from "./dom.js";
import { watchHealth } from "./health.js";
import { jobsPanel } from "./jobs.js";
import { keyDialog } from "./key-dialog.js";
import { modelPanel } from "./model-panel.js";
import { backendsOf, loadModels } from "./model.js";
import { statusPanel } from "./status.js";
import { tabs } from "./tabs.js";

/** @typedef {import("./model.js").Model} Model */

/** @param {string} id @returns {HTMLElement} */
function byId(id) {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no #${id}`);
  return element;
}

const main = byId("main");
/** @type {Set<(health: import("./health.js").Health) => void>} */
const listeners = new Set();
const health = watchHealth(byId("health"), (now) => listeners.forEach((listener) => listener(now)));

async function start() {
  try {
    render(await loadModels());
  } catch (error) {
    const failure =
      error instanceof Failure
        ? error
        : new Failure("unreadable", "The server’s list of models cannot be read.", {
            detail: "The page and the server may be of different versions.",
            cause: error,
          });
    fill(main, failureNotice(failure, start));
  }
}

/** @param {readonly Model[]} models */
function render(models) {
  const status = statusPanel(models, loadModels, health.check);
  listeners.add(status.health);
  const bar = tabs(
    [
      ...models.map((model) => ({
        id: model.id,
        title: model.id,
        hint: model.description,
        panel: model.ready ? modelPanel(model, backendsOf(model, models)) : brokenPanel(model),
      })),
      {
        id: "batch",
        title: "Batch",
        panel: batchPanel(models.filter(({ ready, missing }) => ready && missing === "")),
        apart: true,
      },
      ...(models.some(({ jobs }) => jobs !== null) ? [jobsTab(models)] : []),
      { id: "status", title: "Status", panel: status.element, shown: status.shown, hidden: status.hidden },
    ],
    main,
  );
  fill(byId("tabs"), bar.list);
  void health.check();
}

/** @param {readonly Model[]} models @returns {import("./tabs.js").Tab} */
function jobsTab(models) {
  const { element, shown, hidden } = jobsPanel(
    models.filter(({ ready, missing, jobs }) => ready && missing === "" && jobs !== null),
  );
  return { id: "jobs", title: "Jobs", panel: element, shown, hidden };
}

/** @param {Model} model @returns {HTMLElement} */
function brokenPanel(model) {
  return h(
    "div",
    { class: "stack" },
    h("div", { class: "intro" }, h("h2", null, model.id)),
    h(
      "div",
      { class: "notice bad" },
      h("p", { class: "notice-title" }, "This model cannot answer."),
      h("p", { class: "pre" }, model.error || "The server has not loaded it."),
      h("button", { type: "button", class: "plain", onclick: () => location.reload() }, "Look again"),
    ),
  );
}

apiKey.ask = keyDialog(document.body);
void start();
