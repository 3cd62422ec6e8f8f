import { failureNotice } from "./answer-card.js";
import { Failure } from "./api.js";
import { fill, freshId, h } from "./dom.js";
import { plural, size } from "./format.js";
import { jobCard } from "./job-card.js";
import { listJobs, readJob, startJob } from "./jobs-api.js";
import { createUpload, deleteUpload, sendFile } from "./upload.js";

/**
 * The tab of long work: a file is uploaded, answered in the background, and its answers are fetched.
 * @typedef {import("./model.js").Model} Model
 * @typedef {import("./jobs-api.js").Job} Job
 */

const FORMATS = [
  ["", "by its name"],
  ["csv", "CSV"],
  ["jsonl", "JSON Lines"],
  ["json", "a JSON list"],
  ["parquet", "Parquet"],
  ["media", "the value of one field"],
];

/**
 * @param {readonly Model[]} models those that take jobs
 * @returns {{ element: HTMLElement, shown: () => void, hidden: () => void }}
 */
export function jobsPanel(models) {
  if (models.length === 0)
    return {
      element: h("div", null, h("p", { class: "quiet" }, "No model of this server is ready for jobs.")),
      shown() {},
      hidden() {},
    };
  /** @type {Map<string, ReturnType<typeof jobCard>>} */
  const cards = new Map();
  let isShown = false;

  const select = h(
    "select",
    { id: freshId("job-model"), onchange: describe },
    ...models.map((one) => h("option", { value: one.id }, one.id)),
  );
  const formats = h(
    "select",
    { id: freshId("job-format") },
    ...FORMATS.map(([value, words]) => h("option", { value }, words)),
  );
  const file = h("input", { type: "file", id: freshId("job-file"), "aria-describedby": "job-needs" });
  const needs = h("p", { class: "hint", id: "job-needs" });
  const upload = h("div", { class: "flow" });
  const start = h("button", { type: "submit", class: "primary" }, "Start");
  const form = h(
    "form",
    {
      class: "card form",
      "aria-label": "New job",
      novalidate: true,
      onsubmit(/** @type {Event} */ event) {
        event.preventDefault();
        void begin();
      },
    },
    h(
      "div",
      { class: "card-head" },
      h("div", { class: "row" }, h("label", { for: select.id }, "Answered by"), select),
      h("div", { class: "row" }, h("label", { for: formats.id }, "Read as"), formats),
    ),
    h("div", { class: "row" }, h("label", { for: file.id }, "Input file"), file),
    needs,
    h("div", { class: "actions" }, start),
    upload,
  );
  const list = h("ul", { class: "jobs" });
  const empty = h("p", { class: "quiet" }, "No jobs yet.");
  const listWrong = h("div", null);
  const address = h("input", { type: "text", id: freshId("job-address"), autocomplete: "off", spellcheck: "false" });
  const finder = h(
    "form",
    {
      class: "row job-finder",
      hidden: true,
      onsubmit(/** @type {Event} */ event) {
        event.preventDefault();
        void find();
      },
    },
    h("label", { for: address.id }, "Earlier job"),
    address,
    h("button", { type: "submit", class: "plain small" }, "Show"),
  );
  const unfinished = h("div", { class: "flow" });

  const chosen = () => models[select.selectedIndex] ?? models[0];

  function describe() {
    const model = chosen();
    const fields = model?.fields ?? [];
    const jobs = model?.jobs ?? null;
    fill(
      needs,
      "Columns: ",
      h("b", null, fields.map((field) => `${field.name}${field.required ? "" : " (optional)"}`).join(", ")),
      `. CSV, JSON Lines, a JSON list or Parquet${jobs === null ? "" : `, up to ${size(jobs.maxBytes)} and ${plural(jobs.maxRows, "row")}. Input and answers are deleted after ${plural(jobs.keepHours, "hour")}`}.`,
    );
  }

  async function begin() {
    const [one] = file.files ?? [];
    const model = chosen();
    if (model === undefined) return;
    if (one === undefined || one.size === 0) {
      fill(
        upload,
        h("p", { class: "wrong", role: "alert" }, one === undefined ? "Choose a file first." : "The file is empty."),
      );
      file.focus();
      return;
    }
    if (model.jobs !== null && one.size > model.jobs.maxBytes) {
      fill(
        upload,
        h(
          "p",
          { class: "wrong", role: "alert" },
          `${one.name} has ${size(one.size)}; this server takes ${size(model.jobs.maxBytes)}.`,
        ),
      );
      return;
    }
    await send(one, model.id, formats.value, null);
  }

  /**
   * Uploads a file, or the rest of it, and asks for the job.
   * @param {File} one @param {string} model @param {string} format @param {string | null} earlier id of an upload
   */
  async function send(one, model, format, earlier) {
    let id = earlier;
    let pausing = new AbortController();
    const bar = h("progress", { max: one.size, value: 0, "aria-label": "Bytes uploaded" });
    const words = h("p", { class: "quiet", role: "status" }, `Uploading ${one.name}…`);
    const buttons = h("div", { class: "actions" });
    const wrong = h("div", null);
    fill(upload, words, bar, buttons, wrong);
    start.disabled = true;

    const run = async () => {
      pausing = new AbortController();
      fill(wrong);
      words.textContent = `Uploading ${one.name}…`;
      fill(buttons, h("button", { type: "button", class: "plain small", onclick: () => pausing.abort() }, "Pause"));
      try {
        id ??= await createUpload(one);
        await sendFile(id, one, pausing.signal, (sent) => {
          bar.value = sent;
        });
        fill(buttons);
        const job = await startJob(model, id, format);
        fill(upload);
        file.value = "";
        start.disabled = false;
        add(job, true);
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        const isPaused = error.kind === "cancelled";
        words.textContent = `${size(bar.value)} of ${size(one.size)} of ${one.name} are on the server.`;
        fill(
          buttons,
          h("button", { type: "button", class: "primary small", onclick: run }, "Go on"),
          h("button", { type: "button", class: "plain small", onclick: giveUp }, "Discard"),
        );
        fill(wrong, !isPaused && failureNotice(error, null));
      }
    };
    const giveUp = () => {
      if (id !== null) void deleteUpload(id).catch(() => {});
      fill(upload);
      start.disabled = false;
    };
    await run();
  }

  /** @param {Job} job @param {boolean} newest */
  function add(job, newest) {
    if (cards.has(job.id)) return;
    const card = jobCard(job, (id) => {
      cards.delete(id);
      card.element.remove();
      empty.hidden = cards.size > 0;
    });
    cards.set(job.id, card);
    if (newest) list.prepend(card.element);
    else list.append(card.element);
    empty.hidden = true;
    if (isShown) card.follow();
  }

  async function find() {
    const id = address.value.trim().split("/").at(-1) ?? "";
    fill(listWrong);
    if (id === "") return;
    try {
      add(await readJob(id), true);
      address.value = "";
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      fill(listWrong, failureNotice(error, null));
    }
  }

  async function refresh() {
    try {
      const found = await listJobs();
      fill(listWrong);
      finder.hidden = found !== null;
      for (const job of found?.jobs ?? []) add(job, false);
      showUnfinished(found?.uploads ?? []);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      fill(listWrong, failureNotice(error, refresh));
    }
  }

  /** @param {readonly import("./jobs-api.js").UploadFacts[]} uploads of earlier visits */
  function showUnfinished(uploads) {
    fill(
      unfinished,
      ...uploads.map((one) => {
        const title = `${one.name ?? "A file"}: ${size(one.received)} of ${size(one.size)} are on the server.`;
        const again = h("input", { type: "file", id: freshId("job-again") });
        const wrong = h("p", { class: "wrong", role: "alert" });
        const row = h(
          "div",
          { class: "notice calm" },
          h("p", null, title),
          h("div", { class: "row" }, h("label", { for: again.id }, "Choose it again to go on"), again),
          h(
            "button",
            {
              type: "button",
              class: "plain small",
              async onclick() {
                await deleteUpload(one.id).catch(() => {});
                row.remove();
              },
            },
            "Discard",
          ),
          wrong,
        );
        again.addEventListener("change", () => {
          const [given] = again.files ?? [];
          if (given === undefined) return;
          if (given.size !== one.size || (one.name !== null && given.name !== one.name)) {
            fill(wrong, "That is another file.");
            return;
          }
          row.remove();
          void send(given, chosen()?.id ?? "", formats.value, one.id);
        });
        return row;
      }),
    );
  }

  describe();
  return {
    element: h(
      "div",
      { class: "stack" },
      h(
        "div",
        { class: "intro" },
        h("h2", null, "Whole files, in the background"),
        h(
          "p",
          { class: "quiet" },
          "The file is uploaded, the server works through it when nobody waits, and you may leave in the meantime.",
        ),
      ),
      form,
      unfinished,
      h(
        "section",
        { class: "card flow", "aria-label": "Jobs" },
        h("div", { class: "card-head" }, h("h3", null, "Jobs"), finder),
        listWrong,
        empty,
        list,
      ),
    ),
    shown() {
      isShown = true;
      void refresh();
      for (const card of cards.values()) card.follow();
    },
    hidden() {
      isShown = false;
      for (const card of cards.values()) card.stop();
    },
  };
}
