import { sparkline } from "./chart.js";
import { fill, h } from "./dom.js";
import { number } from "./format.js";
import { readNumberList } from "./numbers.js";

/**
 * A list of numbers: a text area that takes what spreadsheets copy, with the count and a sparkline under it.
 * @param {import("./schema-fields.js").Field} facts
 * @returns {import("./controls.js").Control}
 */
export function numberListControl(facts) {
  const area = h("textarea", { rows: 5, spellcheck: "false", class: "mono", inputmode: "decimal" });
  const preview = h("div", { class: "list-preview" });
  const look = () => {
    const list = readNumberList(area.value) ?? [];
    const numbers = list.filter((value) => typeof value === "number");
    const right = facts.length === undefined || list.length === facts.length;
    const gaps = facts.gaps === true ? list.filter((value) => value === null).length : 0;
    const odd = list.length - numbers.length - gaps;
    fill(
      preview,
      h(
        "span",
        { class: right && odd === 0 ? "quiet" : "warn" },
        `${list.length}${facts.length === undefined ? "" : ` of ${facts.length}`}`,
        odd > 0 && `, ${odd} not a number`,
      ),
      numbers.length > 1 && sparkline(numbers),
      numbers.length > 1 &&
        h("span", { class: "quiet" }, `${number(Math.min(...numbers))} – ${number(Math.max(...numbers))}`),
    );
  };
  area.addEventListener("input", look);
  look();
  return {
    control: area,
    focusable: area,
    extra: preview,
    read: () => readNumberList(area.value),
    write(value) {
      area.value = Array.isArray(value) ? value.map(String).join(", ") : "";
      look();
    },
  };
}
