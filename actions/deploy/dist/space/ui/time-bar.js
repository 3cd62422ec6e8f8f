import { h } from "./dom.js";
import { duration } from "./format.js";

/**
 * Where the time of one answer went. `totalMs` is measured by this page; the others come from the server, null where it
 * gives none. `firstMs` is the part of `inferenceMs` until the first piece of a streamed text.
 * @typedef {{
 *   totalMs: number, queueMs: number | null, inferenceMs: number | null, firstMs?: number | null,
 *   serverMs: number | null,
 * }} Timing
 */

/**
 * @param {Timing} timing
 * @returns {{ name: string, ms: number, part: string }[]} parts that add up to the total
 */
export function parts(timing) {
  const queue = timing.queueMs ?? 0;
  const inference = timing.inferenceMs ?? 0;
  const first = timing.firstMs === undefined || timing.firstMs === null ? null : Math.min(timing.firstMs, inference);
  const server = Math.max(timing.serverMs ?? 0, queue + inference);
  const known = [
    { name: "queue", part: "queue", ms: queue },
    ...(first === null
      ? [{ name: "inference", part: "inference", ms: inference }]
      : [
          { name: "until the first words", part: "first", ms: first },
          { name: "writing", part: "inference", ms: inference - first },
        ]),
    { name: "rest of the server", part: "server", ms: server - queue - inference },
    { name: "network and browser", part: "network", ms: Math.max(0, timing.totalMs - server) },
  ];
  return known.filter(({ part, ms }) => ms > 0 && (part !== "server" || ms >= 0.05));
}

/** @param {Timing} timing @returns {HTMLElement} */
export function timeBar(timing) {
  const shown =
    timing.serverMs === null && timing.inferenceMs === null
      ? [{ name: "whole request", part: "network", ms: timing.totalMs }]
      : parts(timing);
  const total = shown.reduce((sum, { ms }) => sum + ms, 0) || 1;
  return h(
    "div",
    { class: "time" },
    h("div", { class: "time-head" }, h("span", null, "Time"), h("b", null, duration(timing.totalMs))),
    h(
      "div",
      { class: "time-bar", "aria-hidden": "true" },
      ...shown.map(({ part, ms }) => {
        const piece = h("i", { class: `part-${part}` });
        piece.style.flexGrow = String(Math.max(ms / total, 0.008));
        return piece;
      }),
    ),
    h(
      "ul",
      { class: "time-key" },
      ...shown.map(({ name, part, ms }) =>
        h("li", null, h("i", { class: `part-${part}`, "aria-hidden": "true" }), `${name} `, h("b", null, duration(ms))),
      ),
    ),
  );
}
