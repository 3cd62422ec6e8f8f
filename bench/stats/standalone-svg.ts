import { renderChart, type Chart } from "../../eval/report/plots/chart.ts";

const colours = (list: Record<string, string>) =>
  Object.entries(list)
    .map(([name, colour]) => `--plot-${name}:${colour}`)
    .join(";");
const light = {
  text: "#1f2328",
  faint: "#59636e",
  grid: "#dfe4ea",
  surface: "#fff",
  candidate: "#0969da",
  baseline: "#b35900",
  positive: "#1a7f37",
  negative: "#8250df",
  none: "none",
};
const dark = {
  text: "#e6edf3",
  faint: "#9aa4af",
  grid: "#2a313a",
  surface: "#0d1117",
  candidate: "#58a6ff",
  baseline: "#f0a35e",
  positive: "#3fb950",
  negative: "#bc8cff",
  none: "none",
};

/** A report's chart as a separate file, readable in light and dark. */
export function standaloneSvg(chart: Chart): string {
  const style = `<style>:root{${colours(light)};font:12px system-ui,sans-serif;background:var(--plot-surface)}@media(prefers-color-scheme:dark){:root{${colours(dark)}}}</style>`;
  return `${renderChart(chart)
    .replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ')
    .replace(/^(<svg [^>]*>)/, (open) => `${open}${style}`)}\n`;
}
