import { h } from "./dom.js";

/**
 * Lets the browser save a file.
 * @param {string} name @param {string} type @param {readonly string[]} content
 */
export function download(name, type, content) {
  const url = URL.createObjectURL(new Blob([...content], { type }));
  const link = h("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
