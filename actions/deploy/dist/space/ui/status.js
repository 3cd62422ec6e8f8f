import { request } from "./api.js";
import { chart } from "./chart.js";
import { fill, h } from "./dom.js";
import { duration, number } from "./format.js";
import { light } from "./health.js";
import { liveFigures } from "./live-figures.js";
import { modelCard } from "./model-card.js";

/**
 * The status tab: what runs here, why it runs that way, and how it performs now.
 * @typedef {import("./model.js").Model} Model
 */

const EVERY_MS = 2000;

/**
 * @param {readonly Model[]} models as they were when the page was loaded
 * @param {() => Promise<Model[]>} load reads them again, because they may be replaced while the page is open
 * @param {() => Promise<void>} check asks for the health at once
 * @returns {{
 *   element: HTMLElement, shown: () => void, hidden: () => void,
 *   health: (health: import("./health.js").Health) => void,
 * }}
 */
export function statusPanel(models, load, check) {
  const lights = h("div", { class: "lights" });
  const latency = chart({
    title: "Latency of requests, the last 10 s each",
    format: duration,
    from: "5 min ago",
    to: "now",
    empty: "No requests since this tab was opened.",
  });
  const rate = chart({
    title: "Requests per second",
    format: number,
    from: "5 min ago",
    to: "now",
    empty: "Waiting for two readings of /metrics.",
  });
  const cards = h("div", { class: "stack" }, ...models.map(modelCard));
  const facts = h("dl", { class: "facts live" });
  const figures = liveFigures();
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let timer;

  const poll = async () => {
    if (document.hidden) return;
    try {
      const { data } = await request("metrics", { accept: "text/plain", text: true, timeoutMs: EVERY_MS * 2 });
      figures.read(data, performance.now());
    } catch {
      figures.gap();
    }
    const now = figures.now();
    latency.update([
      { name: "p50", values: now.p50Ms },
      { name: "p95", values: now.p95Ms },
    ]);
    rate.update([{ name: "requests/s", values: now.perSecond }]);
    fill(facts, ...now.facts.flatMap(({ name, value }) => [h("div", null, h("dt", null, name), h("dd", null, value))]));
  };

  return {
    element: h(
      "div",
      { class: "stack" },
      h("div", { class: "intro" }, h("h2", null, "Status"), lights),
      h(
        "section",
        { class: "card", "aria-label": "Right now" },
        h(
          "div",
          { class: "card-head" },
          h("h3", null, "Right now"),
          h("span", { class: "quiet" }, "from /metrics, every 2 s"),
        ),
        facts,
        h("div", { class: "pair" }, latency.element, rate.element),
      ),
      cards,
    ),
    shown() {
      void check();
      void poll();
      timer = setInterval(poll, EVERY_MS);
      load().then(
        (now) => fill(cards, ...now.map(modelCard)),
        () => {
          // The lights above show that the server is away; the old cards stay.
        },
      );
    },
    hidden() {
      clearInterval(timer);
    },
    health(health) {
      fill(
        lights,
        light(
          health.live === null ? "unknown" : health.live ? "ready" : "offline",
          health.live === null ? "Live: checking" : health.live ? "Live" : "Does not answer",
        ),
        light(
          health.state,
          {
            ready: "Ready for requests",
            starting: "Not ready for requests",
            offline: "Not reachable",
            unknown: "Ready: checking",
          }[health.state],
        ),
        ...Object.entries(health.models).map(([id, state]) =>
          light(
            state === "ready" ? "ready" : state === "broken" ? "offline" : "starting",
            `${id}: ${state.replaceAll("-", " ")}`,
          ),
        ),
      );
    },
  };
}
