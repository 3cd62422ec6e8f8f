// One file in place of the several hundred modules that "echarts/core" and its parts are: a tenth of the time to load.
import * as echarts from "echarts/dist/echarts.esm.min.mjs";
import { htmlText } from "../text/escape-html.ts";
import { palette, withVariables } from "./palette.ts";

type ChartOption = Parameters<ReturnType<typeof echarts.init>["setOption"]>[0];

export type Chart = {
  /** Unique in the document; the ids inside the chart start with it. */
  id: string;
  title: string;
  /** Text alternative: what the plot shows, for readers who cannot see it. */
  description: string;
  width: number;
  height: number;
  option: ChartOption;
};

/**
 * One chart as inline SVG. It scales with its column, takes its colours from CSS variables, has a title and a
 * description, and is the same text on every run.
 */
export function renderChart({ id, title, description, width, height, option }: Chart): string {
  const chart = echarts.init(null, null, { renderer: "svg", ssr: true, width, height });
  try {
    chart.setOption({
      animation: false,
      backgroundColor: "transparent",
      textStyle: { color: palette.text, fontSize: 12 },
      ...option,
    });
    const names = `<title id="${id}-t">${htmlText(title)}</title><desc id="${id}-d">${htmlText(description)}</desc>`;
    const svg = chart
      .renderToSVGString()
      .replace(/<style ?>[\s\S]*?<\/style>\s*/g, "")
      .replace(
        / class="zr\d+-cls-\d+"| pointer-events="visible"|font-family:[^;"]*;|<rect [^>]*fill="none"><\/rect>\n/g,
        "",
      )
      .replace(/\bzr\d+-/g, `${id}-`)
      .replace(/style="font-size:12px;"/g, "")
      // A function, because names may contain "$&", which a replacement text would expand.
      .replace(
        /^<svg [^>]*>/,
        () => `<svg viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${id}-t ${id}-d">${names}`,
      );
    return withVariables(svg);
  } finally {
    chart.dispose();
  }
}

type Axis = Record<string, unknown>;

/** A numeric axis in the style of all plots: name beside it, unobtrusive lines. */
export function valueAxis(name: string, change: Axis = {}): Axis {
  return {
    type: "value",
    name,
    nameLocation: "middle",
    nameTextStyle: { color: palette.faint, fontSize: 12 },
    nameGap: 28,
    axisLine: { show: true, onZero: false, lineStyle: { color: palette.grid } },
    axisTick: { show: false },
    axisLabel: { color: palette.faint, fontSize: 12 },
    splitLine: { lineStyle: { color: palette.grid } },
    ...change,
  };
}

/** A straight dashed reference line between two points. */
export function guide(
  from: [number, number],
  to: [number, number],
  change: Record<string, unknown> = {},
): Record<string, unknown> {
  return {
    type: "line",
    silent: true,
    showSymbol: false,
    data: [from, to],
    lineStyle: { color: palette.faint, width: 1, type: [4, 4] },
    z: 1,
    ...change,
  };
}
