/**
 * Makes elements without markup strings: every text becomes a text node, so that nothing that a user, a server or a
 * model writes can become markup. Props like `onclick` are listeners; `true` sets an empty attribute; `false`, null and
 * undefined set none.
 * @typedef {Node | string | number | null | undefined | false} Child
 * @typedef {Record<string, string | number | boolean | null | undefined | ((event: any) => void)>} Props
 */

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Props | null} [props]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, props, ...children) {
  const element = document.createElement(tag);
  setUp(element, props, children);
  return element;
}

/**
 * @param {string} tag
 * @param {Props | null} [props]
 * @param {...Child} children
 * @returns {SVGElement}
 */
export function svg(tag, props, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  setUp(element, props, children);
  return element;
}

/**
 * @param {Element} element
 * @param {Props | null | undefined} props
 * @param {readonly Child[]} children
 */
function setUp(element, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  element.append(...kept(children));
}

/**
 * Replaces the content of an element.
 * @param {Element} element
 * @param {...Child} children
 */
export function fill(element, ...children) {
  element.replaceChildren(...kept(children));
}

/** @param {readonly Child[]} children @returns {(Node | string)[]} */
function kept(children) {
  return children
    .filter((child) => child !== null && child !== undefined && child !== false)
    .map((child) => (child instanceof Node ? child : String(child)));
}

let counter = 0;

/**
 * An id that is unique on the page.
 * @param {string} stem
 * @returns {string}
 */
export function freshId(stem) {
  counter += 1;
  return `${stem.replaceAll(/[^\w-]/g, "-")}-${counter}`;
}
