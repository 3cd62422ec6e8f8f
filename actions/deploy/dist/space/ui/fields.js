import { fill, freshId, h } from "./dom.js";
import { imageControl } from "./image-field.js";
import { numberListControl } from "./number-list-field.js";
import { asNumber } from "./numbers.js";

/**
 * One field of a form. Reading never judges: what cannot be a number is sent as it was typed, and the server says what
 * is wrong with it, so that the page and every other client hear the same words.
 * @typedef {import("./model.js").Field} FieldFacts
 * @typedef {{ control: HTMLElement, focusable: HTMLElement, read: () => unknown, write: (value: unknown) => void,
 * extra?: HTMLElement }} Control
 *   read answers undefined for "not given"
 * @typedef {{ name: string, element: HTMLElement, read: () => unknown, write: (value: unknown) => void, complain:
 * (messages: readonly string[]) => void, focus: () => void }} FormField
 */

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
  const complain = (/** @type {readonly string[]} */ messages) => {
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
    complain([]);
    changed();
  });
  return {
    name: facts.name,
    element,
    complain,
    read: control.read,
    write: (value) => {
      control.write(value);
      complain([]);
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
      return facts.maxCharacters === undefined ? "" : `At most ${facts.maxCharacters.toLocaleString()} characters.`;
    case "number":
      return range === "" ? "" : `A number ${range}.`;
    case "date":
      return "";
    case "number-list":
      return `${facts.length === undefined ? "Numbers" : `${facts.length} numbers`}, oldest first. Paste a column, a row or a JSON list.`;
    case "json":
      return facts.shape === undefined ? "A JSON value." : `Numbers as JSON, shape ${facts.shape.join(" × ")}.`;
    default:
      return "";
  }
}

/** @type {Record<FieldFacts["kind"], (facts: FieldFacts, id: string) => Control>} */
const controls = {
  text(facts) {
    const area = h("textarea", { rows: 5, spellcheck: "false" });
    const left = h("p", { class: "counter quiet", "aria-hidden": "true" });
    const tell = () =>
      fill(
        left,
        facts.maxCharacters !== undefined &&
          area.value.length > facts.maxCharacters * 0.8 &&
          `${area.value.length.toLocaleString()} of ${facts.maxCharacters.toLocaleString()}`,
      );
    area.addEventListener("input", tell);
    return {
      control: area,
      focusable: area,
      extra: left,
      read: () => area.value,
      write: (value) => {
        area.value = plain(value);
        tell();
      },
    };
  },
  number() {
    const input = h("input", { type: "text", inputmode: "decimal", autocomplete: "off" });
    return {
      control: input,
      focusable: input,
      read: () => asNumber(input.value),
      write: (value) => {
        input.value = plain(value);
      },
    };
  },
  string(facts, id) {
    const list =
      facts.choices === undefined
        ? null
        : h("datalist", { id: `${id}-choices` }, ...facts.choices.map((choice) => h("option", { value: choice })));
    const input = h("input", { type: "text", autocomplete: "off", list: list?.id });
    return {
      control: h("div", null, input, list),
      focusable: input,
      read: () => (input.value === "" ? undefined : input.value),
      write: (value) => {
        input.value = plain(value);
      },
    };
  },
  boolean() {
    const select = h(
      "select",
      null,
      h("option", { value: "" }, "choose"),
      h("option", { value: "true" }, "yes"),
      h("option", { value: "false" }, "no"),
    );
    return {
      control: select,
      focusable: select,
      read: () => (select.value === "" ? undefined : select.value === "true"),
      write: (value) => {
        select.value = typeof value === "boolean" ? String(value) : "";
      },
    };
  },
  date() {
    const input = h("input", { type: "date", min: "0001-01-01", max: "9999-12-31" });
    return {
      control: input,
      focusable: input,
      read: () => (input.value === "" ? undefined : input.value),
      write: (value) => {
        input.value = plain(value);
      },
    };
  },
  "number-list": numberListControl,
  image: imageControl,
  json() {
    const area = h("textarea", { rows: 6, spellcheck: "false", class: "mono" });
    return {
      control: area,
      focusable: area,
      read() {
        if (area.value.trim() === "") return undefined;
        try {
          return JSON.parse(area.value);
        } catch {
          return area.value;
        }
      },
      write: (value) => {
        area.value = value === undefined || value === null ? "" : JSON.stringify(value);
      },
    };
  },
};

/** @param {unknown} value */
function plain(value) {
  return value === undefined || value === null ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
}
