import { fill, h } from "./dom.js";
import { asNumber } from "./numbers.js";

/**
 * Form controls by kind of field. `read` returns undefined for a value that was not given.
 * @typedef {import("./schema-fields.js").Field} Field
 * @typedef {{
 *   control: HTMLElement, focusable: HTMLElement, read: () => unknown, write: (value: unknown) => void,
 *   extra?: HTMLElement,
 * }} Control
 */

/** @satisfies {Record<string, (facts: Field, id: string) => Control>} */
export const plainControls = {
  text(facts) {
    const area = h("textarea", { rows: 5, spellcheck: "false" });
    const left = h("p", { class: "counter quiet", "aria-hidden": "true" });
    const count = () =>
      fill(
        left,
        facts.maxCharacters !== undefined &&
          area.value.length > facts.maxCharacters * 0.8 &&
          `${area.value.length.toLocaleString()} of ${facts.maxCharacters.toLocaleString()}`,
      );
    area.addEventListener("input", count);
    return {
      control: area,
      focusable: area,
      extra: left,
      read: () => area.value,
      write: (value) => {
        area.value = plain(value);
        count();
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
  json(facts) {
    const area = h("textarea", { rows: 6, spellcheck: "false", class: "mono" });
    return {
      control: area,
      focusable: area,
      read() {
        const text = area.value.trim();
        if (facts.list === true && !text.startsWith("[")) return namesIn(text);
        if (text === "") return undefined;
        try {
          return JSON.parse(text);
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

/** @param {string} text @returns {string[]} */
function namesIn(text) {
  return text
    .split(/[,\n]/)
    .map((name) => name.trim())
    .filter((name) => name !== "");
}

/** @param {unknown} value */
function plain(value) {
  return value === undefined || value === null ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
}
