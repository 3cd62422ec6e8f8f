import { apiKey } from "./api.js";
import { fill, freshId, h } from "./dom.js";

/**
 * Asks for the API key in a dialog. Other requests that need a key meanwhile wait for the same dialog.
 * @param {HTMLElement} place
 * @returns {(wrong: boolean) => Promise<boolean>} true when a key was given
 */
export function keyDialog(place) {
  const input = h("input", {
    type: "password",
    autocomplete: "off",
    spellcheck: "false",
    id: freshId("key"),
    required: true,
  });
  const wrongKey = h("p", { class: "wrong", role: "alert" });
  const title = h("h2", { id: freshId("key-title") }, "API key");
  const form = h(
    "form",
    { method: "dialog", class: "form" },
    title,
    h("p", { class: "quiet" }, "This server answers only with a key. It stays in this page’s memory until you leave."),
    h("div", null, h("div", { class: "label-row" }, h("label", { for: input.id }, "Key")), input, wrongKey),
    h(
      "div",
      { class: "actions" },
      h("button", { type: "submit", class: "primary" }, "Continue"),
      h("button", { type: "button", class: "plain", onclick: () => dialog.close() }, "Cancel"),
    ),
  );
  const dialog = h("dialog", { class: "card narrow", "aria-labelledby": title.id }, form);
  place.append(dialog);
  /** @type {Promise<boolean> | null} */
  let open = null;
  return (wrong) => {
    open ??= new Promise((resolve) => {
      fill(wrongKey, wrong && "The server does not know this key.");
      let given = false;
      form.addEventListener(
        "submit",
        () => {
          given = true;
          apiKey.value = input.value.trim();
        },
        { once: true },
      );
      dialog.addEventListener(
        "close",
        () => {
          open = null;
          input.value = "";
          resolve(given);
        },
        { once: true },
      );
      dialog.showModal();
    });
    return open;
  };
}
