import { readBatch } from "./batch-rows.js";
import { previewTable } from "./batch-tables.js";
import { runView } from "./batch-view.js";
import { writeCsv } from "./csv.js";
import { fill, freshId, h } from "./dom.js";
import { plural, size } from "./format.js";

/**
 * The batch tab: a file or pasted rows → a preview → answers with progress → a CSV.
 * @typedef {import("./model.js").Model} Model
 */

const MAX_BYTES = 50_000_000;

/**
 * @param {readonly Model[]} models those that can answer
 * @returns {HTMLElement} the panel
 */
export function batchPanel(models) {
  let [model] = models;
  if (model === undefined) return h("div", null, h("p", { class: "quiet" }, "No model of this server is ready."));
  let running = new AbortController();
  let text = "";
  let where = "the pasted text";

  const select = h(
    "select",
    {
      id: freshId("batch-model"),
      onchange() {
        model = models[select.selectedIndex];
        describe();
        look();
      },
    },
    ...models.map((one) => h("option", { value: one.id }, one.id)),
  );
  const needs = h("p", { class: "hint" });
  const file = h("input", {
    type: "file",
    id: freshId("batch-file"),
    accept: ".csv,.tsv,.txt,.json,.jsonl,.ndjson,text/csv,application/json",
  });
  const area = h("textarea", {
    rows: 7,
    class: "mono",
    spellcheck: "false",
    id: freshId("batch-text"),
    "aria-describedby": "batch-wrong",
  });
  const wrong = h("div", { class: "wrong", id: "batch-wrong", role: "alert" });
  const drop = h(
    "div",
    { class: "drop" },
    h("div", { class: "row" }, h("label", { for: file.id }, "File"), file),
    h("label", { for: area.id }, "or paste rows"),
    area,
    wrong,
  );
  const preview = h("section", { class: "card flow", hidden: true, "aria-label": "Preview" });
  const outcome = h("section", { class: "card flow", hidden: true, "aria-label": "Answers" });
  const sample = h("button", { type: "button", class: "plain small", onclick: fillSample }, "Use sample rows");

  function describe() {
    fill(
      needs,
      "Columns: ",
      h(
        "b",
        null,
        model?.fields.map((field) => `${field.name}${field.required ? "" : " (optional)"}`).join(", ") ?? "",
      ),
      ". CSV with a header line, JSON Lines, or a JSON list; up to 50 MB.",
    );
    sample.hidden = (model?.examples.length ?? 0) === 0;
  }

  function fillSample() {
    if (model === undefined) return;
    const columns = model.fields.map((field) => field.name);
    area.value = writeCsv([columns, ...model.examples.map((row) => columns.map((column) => row[column]))]).replaceAll(
      "\r\n",
      "\n",
    );
    area.dispatchEvent(new Event("input"));
  }

  /** @param {File | null | undefined} chosen */
  async function take(chosen) {
    if (chosen === null || chosen === undefined) return;
    area.value = "";
    text = "";
    if (chosen.size > MAX_BYTES) {
      look();
      fill(
        wrong,
        h(
          "p",
          null,
          `${chosen.name} has ${size(chosen.size)}; this page takes ${size(MAX_BYTES)}. Larger files go through the API or the command line.`,
        ),
      );
      return;
    }
    text = await chosen.text();
    where = chosen.name;
    look();
  }

  function look() {
    running.abort();
    fill(wrong);
    outcome.hidden = true;
    preview.hidden = true;
    if (model === undefined || text.trim() === "") return;
    try {
      const input = readBatch(text, model.fields);
      const usable = input.rows.filter((row) => row.problem === "").length;
      const chosen = model;
      fill(
        preview,
        h("div", { class: "card-head" }, h("h3", null, "Preview")),
        previewTable(input, where),
        h(
          "div",
          { class: "actions" },
          h(
            "button",
            { type: "button", class: "primary", disabled: usable === 0, onclick: () => start(chosen, input) },
            usable === 0 ? "No usable row" : `Predict ${plural(usable, "row")}`,
          ),
        ),
      );
      preview.hidden = false;
    } catch (error) {
      fill(wrong, h("p", null, `This cannot be read: ${error instanceof Error ? error.message : "unknown"}`));
    }
  }

  /** @param {Model} chosen @param {import("./batch-rows.js").BatchInput} input */
  function start(chosen, input) {
    outcome.hidden = false;
    void runView(outcome, chosen, input, new Array(input.rows.length), () => {
      running.abort();
      running = new AbortController();
      return running;
    });
    outcome.scrollIntoView({ block: "nearest", behavior: "smooth" });
  }

  file.addEventListener("change", () => take(file.files?.[0]));
  area.addEventListener("input", () => {
    text = area.value;
    where = "the pasted text";
    file.value = "";
    look();
  });
  drop.addEventListener("dragover", (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    void take(event.dataTransfer?.files[0]);
  });
  describe();
  return h(
    "div",
    { class: "stack" },
    h(
      "div",
      { class: "intro" },
      h("h2", null, "Many rows at once"),
      h("p", { class: "quiet" }, "Give a file, look at it, get every answer back as a CSV in the same order."),
    ),
    h(
      "section",
      { class: "card", "aria-label": "Rows" },
      h(
        "div",
        { class: "card-head" },
        h("div", { class: "row" }, h("label", { for: select.id }, "Model"), select),
        sample,
      ),
      needs,
      drop,
    ),
    preview,
    outcome,
  );
}
