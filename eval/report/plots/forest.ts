import type { Check } from "../../schema/verdict.ts";
import { checkName, checkNumbers } from "../content/check-numbers.ts";
import { byAttention } from "../content/check-order.ts";
import { commonLevel } from "../content/levels.ts";
import { type ForestScale, forestScale } from "../series/forest-scale.ts";
import { type ForestRow, forestRow } from "../series/forest.ts";
import { cut, oneLine } from "../text/text.ts";
import { renderChart, valueAxis } from "./chart.ts";
import { palette } from "./palette.ts";

const maxRows = 30;

export type ForestPlot = { wide: string; narrow: string; left: number; caption: string };

/**
 * Every relative check of a model as one row. Difference and interval are in units of the check's own margin, better to
 * the right, so that all rows share one axis (see `forestScale`). Drawn twice, for a wide screen and for a phone. Null when
 * no check is relative.
 */
export function forestPlot(checks: readonly Check[], id: string): ForestPlot | null {
  const drawable = byAttention(checks).flatMap((check) => {
    const row = forestRow(check);
    return row === null ? [] : [{ check, row }];
  });
  if (drawable.length === 0) return null;
  const rows = drawable.slice(0, maxRows);
  const scale = forestScale(drawable.map(({ row }) => row));
  return {
    wide: draw(rows, scale, `${id}w`, 860),
    narrow: draw(rows, scale, `${id}n`, 380),
    left: drawable.length - rows.length,
    caption: captionOf(
      drawable.map(({ check }) => check),
      scale,
    ),
  };
}

function captionOf(checks: readonly Check[], scale: ForestScale): string {
  const level = commonLevel(checks.map((check) => check.interval));
  return [
    `Dot: difference; line: its ${level === null ? "" : `${level} `}interval; upright mark: the margin. A check passes when its whole interval lies on the better side of its margin (for equivalence: between both).`,
    ...(scale.linear ? [] : ["The axis is logarithmic away from the baseline, so that the largest difference fits."]),
    ...(checks.some((check) => check.advisory) ? ["Hollow: advisory."] : []),
  ].join(" ");
}

function draw(
  rows: readonly { check: Check; row: ForestRow }[],
  scale: ForestScale,
  id: string,
  width: number,
): string {
  const wide = width > 600;
  const pitch = wide ? 30 : 46;
  const mark = wide ? 0.32 : 0.17;
  const height = rows.length * pitch + 66;
  const label = (i: number) => {
    const check = rows[i]?.check;
    return check === undefined
      ? ""
      : cut(`${oneLine(checkName(check))}${check.slice === "all" ? "" : `  ${oneLine(check.slice)}`}`, 34);
  };
  const figures = (i: number) => {
    const check = rows[i]?.check;
    if (check === undefined) return "";
    const numbers = checkNumbers(check);
    return `${numbers.difference} ${numbers.interval}`.trim();
  };
  const longest = (text: (i: number) => string) => Math.max(...rows.map((_, i) => text(i).length)) * 7 + 24;
  const plot = wide ? { left: longest(label), right: longest(figures) } : { left: 14, right: 14 };
  const items = rows.map(({ check, row }, i) => {
    const color = palette[check.verdict];
    const y = rows.length - 1 - i;
    const line = {
      type: "line",
      silent: true,
      showSymbol: false,
      data: [
        [scale.place(row.low), y],
        [scale.place(row.high), y],
      ],
      lineStyle: { color, width: 3, opacity: check.advisory ? 0.5 : 1 },
    };
    const arrows = [
      ...(row.low < -scale.end ? [{ at: -1, turn: 90 }] : []),
      ...(row.high > scale.end ? [{ at: 1, turn: -90 }] : []),
    ].map(({ at, turn }) => ({
      type: "scatter",
      silent: true,
      symbol: "triangle",
      symbolRotate: turn,
      symbolSize: 9,
      itemStyle: { color, opacity: 1 },
      data: [[at, y]],
    }));
    const bounds = row.bounds.map((x) => ({
      type: "line",
      silent: true,
      showSymbol: false,
      data: [
        [scale.place(x), y - mark],
        [scale.place(x), y + mark],
      ],
      lineStyle: { color: palette.text, width: 2 },
    }));
    const point = {
      type: "scatter",
      silent: true,
      symbol: "circle",
      symbolSize: 9,
      itemStyle: { color: check.advisory ? palette.surface : color, borderColor: color, borderWidth: 2, opacity: 1 },
      data: [[scale.place(row.point), y]],
    };
    return [line, ...bounds, ...arrows, ...(Math.abs(row.point) > scale.end ? [] : [point])];
  });
  const texts = rows.flatMap((_, i) => {
    const y = rows.length - 1 - i;
    const text = (content: string, x: number, position: string, color: string) => ({
      type: "scatter",
      silent: true,
      symbolSize: 0.01,
      itemStyle: { color: palette.none, opacity: 1 },
      data: [[x, y]],
      label: { show: true, position, distance: 8, formatter: () => content, color, fontSize: 12 },
    });
    return wide ? [text(label(i), -1, "left", palette.text), text(figures(i), 1, "right", palette.faint)] : [];
  });
  const above = wide
    ? []
    : rows.map((_, i) => ({
        type: "scatter",
        silent: true,
        z: 10,
        symbolSize: 0.01,
        itemStyle: { color: palette.none, opacity: 1 },
        data: [[-1, rows.length - 1 - i + 0.42]],
        label: {
          show: true,
          position: "right",
          distance: 0,
          formatter: () => cut(`${label(i)}  ${figures(i)}`, 60),
          color: palette.text,
          backgroundColor: palette.surface,
          padding: [1, 3, 1, 0],
          fontSize: 12,
        },
      }));
  return renderChart({
    id,
    title: "Differences from the baseline",
    width,
    height,
    description: rows
      .map(({ check }, i) => `${label(i)}: ${figures(i)}, ${checkNumbers(check).rule}, ${check.verdict}`)
      .join("; "),
    option: {
      grid: { ...plot, top: 12, bottom: 54 },
      xAxis: valueAxis("← worse · difference in units of the margin · better →", {
        min: -1,
        max: 1,
        axisLabel: {
          color: palette.faint,
          fontSize: 12,
          customValues: scale.ticks.map(scale.place),
          formatter: (at: number) => tick(nearest(scale, at), wide),
        },
        axisTick: { show: false, customValues: scale.ticks.map(scale.place) },
      }),
      yAxis: { type: "value", min: -0.6, max: rows.length - 0.4, show: false, splitLine: { show: false } },
      series: [
        {
          type: "line",
          silent: true,
          showSymbol: false,
          data: [
            [0, -0.6],
            [0, rows.length - 0.4],
          ],
          lineStyle: { color: palette.faint, width: 1.5 },
        },
        ...items.flat(),
        ...texts,
        ...above,
      ],
    },
  });
}

/** The mark of the scale that stands at a place of the axis. */
function nearest(scale: ForestScale, at: number): number {
  const off = (mark: number) => Math.abs(scale.place(mark) - at);
  return scale.ticks.reduce((best, mark) => (off(mark) < off(best) ? mark : best), 0);
}

function tick(margins: number, wide: boolean): string {
  if (margins === 0) return wide ? "baseline" : "0";
  return `${margins < 0 ? "\u2212" : "+"}${Math.abs(margins)}`;
}
