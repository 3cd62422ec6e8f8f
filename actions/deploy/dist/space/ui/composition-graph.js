import { h, svg } from "./dom.js";

/**
 * The graph of a composition as a drawing: boxes for models, frames for the nodes that choose or combine.
 * @typedef {{
 *   name: string, kind: string, model?: string, version?: string, of?: string, steps?: Shown[], on?: string, key?: string,
 *   combine?: string | { expression: string }, condition?: string, label?: string, weight?: number,
 * }} Shown
 * @typedef {{ width: number, height: number, parts: (x: number, y: number) => SVGElement[] }} Block
 */

const BOX = { width: 148, height: 46 };
const GAP = 26;
const TITLE = 20;
const PADDING = 12;

/**
 * @param {Shown} root
 * @returns {HTMLElement}
 */
export function compositionGraph(root) {
  const block = blockOf(root);
  const [width, height] = [block.width + 2, block.height + 2];
  return h(
    "figure",
    { class: "graph" },
    h("figcaption", null, "How its models work together"),
    h(
      "div",
      { class: "scroll" },
      svg(
        "svg",
        { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": words(root) },
        ...block.parts(1, 1),
      ),
    ),
  );
}

/** @param {Shown} one @returns {string} the graph in words, for whoever cannot see it */
function words(one) {
  if (one.steps === undefined) return one.of === undefined ? `${one.name} (${modelOf(one)})` : modelOf(one);
  const steps = one.steps.map((step) => [words(step), reason(step)].filter(Boolean).join(", "));
  return one.kind === "sequence"
    ? steps.join(", then ")
    : `${[one.kind, about(one)].filter(Boolean).join(" ")}: ${steps.join("; ")}`;
}

/** @param {Shown} one a step */
const modelOf = (one) => (one.of === undefined ? `${one.model} ${one.version}` : `the answer of ${one.of}`);

/** @param {Shown} one what a node decides by */
function about(one) {
  if (one.on !== undefined) return `on ${one.on}`;
  if (one.key !== undefined) return `by ${one.key}`;
  if (one.combine === undefined) return "";
  return typeof one.combine === "string" ? one.combine : one.combine.expression;
}

/** @param {Shown} step why a row comes to it */
function reason(step) {
  if (step.condition !== undefined) return `if ${step.condition}`;
  if (step.label !== undefined) return `for ${step.label}`;
  return step.weight === undefined ? "" : `weight ${step.weight}`;
}

/** @param {Shown} one @returns {Block} */
function blockOf(one) {
  if (one.steps === undefined) return modelBox(one);
  return one.kind === "sequence" ? row(one.steps.map(blockOf)) : frame(one, one.steps);
}

/** @param {Shown} one @returns {Block} */
function modelBox(one) {
  return {
    ...BOX,
    parts: (x, y) => [
      svg("rect", { class: "box", x, y, width: BOX.width, height: BOX.height, rx: 7 }),
      label(x + BOX.width / 2, y + 19, one.name, "name", 20),
      label(x + BOX.width / 2, y + 36, modelOf(one), "hint", 24),
    ],
  };
}

/** @param {readonly Block[]} blocks one after the other, with arrows @returns {Block} */
function row(blocks) {
  const height = Math.max(...blocks.map((block) => block.height));
  const width = blocks.reduce((sum, block) => sum + block.width, GAP * (blocks.length - 1));
  return {
    width,
    height,
    parts(x, y) {
      let at = x;
      return blocks.flatMap((block, i) => {
        const middle = y + height / 2;
        const arrow = i === 0 ? [] : [line(at - GAP, middle, at - 2, middle), head(at, middle)];
        const own = block.parts(at, y + (height - block.height) / 2);
        at += block.width + GAP;
        return [...arrow, ...own];
      });
    },
  };
}

/** @param {Shown} one @param {readonly Shown[]} steps one above the other, in a frame @returns {Block} */
function frame(one, steps) {
  const blocks = steps.map((step) => ({ block: blockOf(step), text: reason(step) }));
  const inner = Math.max(...blocks.map(({ block }) => block.width), BOX.width + 60);
  const width = inner + 2 * PADDING;
  const height = blocks.reduce(
    (sum, { block, text }) => sum + block.height + PADDING + (text === "" ? 0 : TITLE),
    TITLE + PADDING,
  );
  return {
    width,
    height,
    parts(x, y) {
      let at = y + TITLE + 6;
      return [
        svg("rect", { class: "frame", x, y, width, height, rx: 9 }),
        label(x + width / 2, y + 17, [one.kind, about(one)].filter(Boolean).join(" "), "name", 34),
        ...blocks.flatMap(({ block, text }) => {
          const above = text === "" ? [] : [label(x + width / 2, at + 14, text, "hint", 38)];
          if (text !== "") at += TITLE;
          const own = block.parts(x + (width - block.width) / 2, at);
          at += block.height + PADDING;
          return [...above, ...own];
        }),
      ];
    },
  };
}

/** @param {number} x @param {number} y @param {string} text @param {string} kind @param {number} most characters */
function label(x, y, text, kind, most) {
  const shown = text.length > most ? `${text.slice(0, most - 1)}…` : text;
  return svg("text", { class: kind, x, y, "text-anchor": "middle" }, svg("title", null, text), shown);
}

/** @param {number} x1 @param {number} y1 @param {number} x2 @param {number} y2 */
const line = (x1, y1, x2, y2) => svg("line", { class: "edge", x1, y1, x2, y2 });

/** @param {number} x @param {number} y the tip of an arrow */
const head = (x, y) => svg("path", { class: "tip", d: `M${x - 7} ${y - 4}L${x} ${y}L${x - 7} ${y + 4}Z` });
