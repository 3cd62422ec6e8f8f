import { audioControl } from "./audio-field.js";
import { plainControls } from "./controls.js";
import { fill, freshId, h } from "./dom.js";
import { imageControl } from "./image-field.js";
import { numberListControl } from "./number-list-field.js";

/**
 * One field of a form. Reading does not validate: what is not a number is sent as typed, and the server says what is
 * wrong with it. So the page and every other client get the same message.
 * @typedef {import("./schema-fields.js").Field} FieldFacts
 * @typedef {import("./controls.js").Control} Control
 * @typedef {{
 *   name: string, element: HTMLElement, read: () => unknown, write: (value: unknown) => void,
 *   showErrors: (messages: readonly string[]) => void, focus: () => void,
 * }} FormField
 */

/** @type {Record<FieldFacts["kind"], (facts: FieldFacts, id: string) => Control>} */
const controls = { ...plainControls, "number-list": numberListControl, image: imageControl, audio: audioControl };

/**
 * @param {FieldFacts} facts
 * @param {() => void} changed
 * @returns {FormField}
 */
export function formField(facts, changed) {
  const id = freshId(facts.name);
  const control = controls[facts.kind](facts, id);
  const hint = h("p", { class: "hint", id: `${id}-hint` }, hintOf(facts));
  const wrong = h("div", { class: "wrong", id: `${id}-wrong`, role: "alert" });
  control.focusable.id = id;
  control.focusable.setAttribute("aria-describedby", `${id}-hint ${id}-wrong`);
  const showErrors = (/** @type {readonly string[]} */ messages) => {
    fill(
      wrong,
      ...messages.slice(0, 5).map((message) => h("p", null, message)),
      messages.length > 5 && h("p", null, `and ${messages.length - 5} more`),
    );
    if (messages.length > 0) control.focusable.setAttribute("aria-invalid", "true");
    else control.focusable.removeAttribute("aria-invalid");
  };
  const element = h(
    "div",
    { class: `field field-${facts.kind}` },
    h(
      "div",
      { class: "label-row" },
      h("label", { for: id }, facts.name),
      !facts.required && h("span", { class: "quiet" }, "optional"),
    ),
    control.control,
    control.extra ?? null,
    hint,
    wrong,
  );
  element.addEventListener("input", () => {
    showErrors([]);
    changed();
  });
  return {
    name: facts.name,
    element,
    showErrors,
    read: control.read,
    write: (value) => {
      control.write(value);
      showErrors([]);
    },
    focus: () => control.focusable.focus(),
  };
}

/** @param {FieldFacts} facts */
function hintOf(facts) {
  const range =
    facts.min !== undefined && facts.max !== undefined
      ? `from ${facts.min} to ${facts.max}`
      : facts.min !== undefined
        ? `at least ${facts.min}`
        : facts.max !== undefined
          ? `at most ${facts.max}`
          : "";
  switch (facts.kind) {
    case "text":
      return [
        ...(facts.maxCharacters === undefined ? [] : [`At most ${facts.maxCharacters.toLocaleString()} characters.`]),
        ...(facts.maxTokens === undefined
          ? []
          : [`The model reads the first ${facts.maxTokens.toLocaleString()} tokens (words or parts of words).`]),
      ].join(" ");
    case "number":
      return range === "" ? "" : `A number ${range}.`;
    case "date":
      return "";
    case "number-list":
      if (facts.gaps === true) return "Numbers, the earliest first; null for one that is not known.";
      return `${facts.length === undefined ? "Numbers" : `${facts.length} numbers`}, oldest first. Paste a column, a row or a JSON list.`;
    case "json":
      if (facts.list === true) return "Ids, one a line or with commas between, or a JSON list. Nothing means none.";
      return facts.shape === undefined ? "A JSON value." : `Numbers as JSON, shape ${facts.shape.join(" × ")}.`;
    default:
      return "";
  }
}
