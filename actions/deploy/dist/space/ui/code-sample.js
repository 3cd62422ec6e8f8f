import { copyButton } from "./copy.js";
import { fill, h } from "./dom.js";

/**
 * The request that the form sends, as a shell command.
 * @param {import("./model.js").Model} model
 * @returns {{ element: HTMLElement, update: (row: Record<string, unknown>) => void }}
 */
export function codeSample(model) {
  const shown = h("pre", { tabindex: "0", "aria-label": "Command" });
  let text = "";
  const update = (/** @type {Record<string, unknown>} */ row) => {
    text = command(new URL(model.predictPath, document.baseURI).href, row);
    fill(shown, text);
  };
  update(model.examples[0] ?? {});
  return {
    update,
    element: h(
      "details",
      { class: "card code" },
      h("summary", null, "Call it from your own code"),
      h(
        "div",
        { class: "code-body" },
        shown,
        copyButton(() => text, "Copy the command"),
      ),
    ),
  };
}

/**
 * @param {string} url
 * @param {Record<string, unknown>} row
 * @returns {string} for a POSIX shell
 */
export function command(url, row) {
  const json = JSON.stringify(row, (_, value) =>
    typeof value === "string" && value.length > 2000 ? `${value.slice(0, 60)}…` : value,
  );
  return `curl -s ${quoted(url)} \\\n  -H 'content-type: application/json' \\\n  -d ${quoted(json)}`;
}

/** @param {string} text */
function quoted(text) {
  return /^[\w.:/-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
