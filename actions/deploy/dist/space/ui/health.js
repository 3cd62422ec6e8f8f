import { Failure, HEALTH_PATH, reach, request } from "./api.js";
import { fill, h } from "./dom.js";

/**
 * Whether the server is alive and ready, checked every few seconds while the page is visible.
 * @typedef {"ready" | "starting" | "offline" | "unknown"} State
 * @typedef {{ state: State, live: boolean | null, models: Record<string, string> }} Health `models`: id → state
 */

const EVERY_MS = 5000;
/** @type {Record<State, string>} */
const WORDS = { ready: "Ready", starting: "Not ready", offline: "Offline", unknown: "Checking…" };

/**
 * @param {HTMLElement} place where the light is shown
 * @param {(health: Health) => void} changed
 * @returns {{ check: () => Promise<void> }}
 */
export function watchHealth(place, changed) {
  /** @type {Health} */
  let health = { state: "unknown", live: null, models: {} };
  let shown = "";
  const report = () => {
    changed(health);
    if (shown === health.state) return;
    shown = health.state;
    fill(place, light(health.state));
  };
  const check = async () => {
    try {
      const { data } = await request(HEALTH_PATH, { timeoutMs: 4000, also: [503] });
      health = { state: data.status === "ready" ? "ready" : "starting", live: true, models: data.models ?? {} };
    } catch (error) {
      const answered = error instanceof Failure && error.kind === "problem" && error.status !== 502;
      health = { state: answered ? "starting" : "offline", live: answered, models: {} };
    }
    report();
  };
  report();
  const again = async () => {
    if (!document.hidden) await check();
    setTimeout(again, EVERY_MS);
  };
  void again();
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) void check();
  });
  reach.addEventListener("lost", () => {
    if (health.state !== "offline") void check();
  });
  reach.addEventListener("answered", () => {
    if (health.state === "offline") void check();
  });
  addEventListener("online", check);
  addEventListener("offline", check);
  return { check };
}

/**
 * @param {State} state
 * @param {string} [words]
 * @returns {HTMLElement} a light that differs by shape and text, not only by colour
 */
export function light(state, words = WORDS[state]) {
  return h("span", { class: `light light-${state}` }, h("i", { "aria-hidden": "true" }), words);
}
