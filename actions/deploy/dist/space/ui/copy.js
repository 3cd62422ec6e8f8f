import { h } from "./dom.js";

/**
 * A button that copies a text and shows that it did.
 * @param {() => string} text
 * @param {string} label
 * @returns {HTMLButtonElement}
 */
export function copyButton(text, label) {
  const button = h(
    "button",
    {
      type: "button",
      class: "plain small",
      "aria-label": label,
      async onclick() {
        button.textContent = (await copy(text())) ? "Copied" : "Not allowed";
        setTimeout(() => {
          button.textContent = "Copy";
        }, 1500);
      },
    },
    "Copy",
  );
  return button;
}

/** @param {string} text @returns {Promise<boolean>} */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Pages without TLS and frames without the permission have no clipboard API; the older way needs a selection.
    const area = h("textarea", { class: "sr" });
    area.value = text;
    document.body.append(area);
    area.select();
    const worked = document.execCommand("copy");
    area.remove();
    return worked;
  }
}
