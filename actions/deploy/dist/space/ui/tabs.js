import { fill, h } from "./dom.js";

/** The tab that the address names. Model ids need no decoding. */
const named = () => location.hash.slice(1);

/**
 * Tabs as in the ARIA pattern: arrow keys, Home and End move and open. The address's fragment names the tab.
 * @typedef {{
 *   id: string, title: string, hint?: string, panel: HTMLElement, shown?: () => void, hidden?: () => void,
 *   apart?: boolean,
 * }} Tab
 * @param {readonly Tab[]} tabs
 * @param {HTMLElement} main where the panels go
 * @returns {{ list: HTMLElement, open: (id: string) => void }}
 */
export function tabs(tabs, main) {
  const buttons = tabs.map((tab) =>
    h(
      "button",
      {
        type: "button",
        role: "tab",
        id: `tab-${tab.id}`,
        "aria-controls": `panel-${tab.id}`,
        class: tab.apart ? "apart" : null,
        title: tab.hint ?? null,
        onclick: () => choose(tab.id),
      },
      tab.title,
    ),
  );
  const list = h("div", { role: "tablist", "aria-label": "Models and tools", class: "tabs" }, ...buttons);
  for (const tab of tabs) {
    tab.panel.id = `panel-${tab.id}`;
    tab.panel.setAttribute("role", "tabpanel");
    tab.panel.setAttribute("aria-labelledby", `tab-${tab.id}`);
    tab.panel.hidden = true;
  }
  fill(main, ...tabs.map((tab) => tab.panel));
  let current = "";

  /** @param {string} id */
  const select = (id) => {
    if (id === current || !tabs.some((tab) => tab.id === id)) return;
    tabs.forEach((tab, i) => {
      const on = tab.id === id;
      buttons[i]?.setAttribute("aria-selected", String(on));
      buttons[i]?.setAttribute("tabindex", on ? "0" : "-1");
      tab.panel.hidden = !on;
      if (!on && tab.id === current) tab.hidden?.();
    });
    current = id;
    const shown = tabs.find((tab) => tab.id === id);
    document.title = `${shown?.title ?? ""} · Sluice`;
    buttons[tabs.findIndex((tab) => tab.id === id)]?.scrollIntoView({ block: "nearest", inline: "nearest" });
    shown?.shown?.();
  };

  /** @param {string} id */
  const choose = (id) => {
    history.replaceState(null, "", `#${id}`);
    select(id);
  };

  list.addEventListener("keydown", (event) => {
    const at = tabs.findIndex((tab) => tab.id === current);
    const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    const i = (next + tabs.length) % tabs.length;
    const tab = tabs[i];
    if (tab !== undefined) choose(tab.id);
    buttons[i]?.focus();
  });
  addEventListener("hashchange", () => select(named()));
  select(tabs[0]?.id ?? "");
  select(named());
  return { list, open: choose };
}
