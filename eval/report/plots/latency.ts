import type { PerformanceFigures } from "../../schema/metrics.ts";
import { milliseconds } from "../text/format.ts";
import { renderChart, valueAxis } from "./chart.ts";
import { palette } from "./palette.ts";
import { type Plot, plotGrid, plotHeight, plotWidth } from "./size.ts";

/** Milliseconds that people read easily: 1, 2 and 5 times a power of ten, all that are needed to enclose `values`. */
function roundMarks(values: readonly number[]): number[] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const powers = Array.from({ length: 32 }, (_, i) => i - 12);
  const all = powers.flatMap((power) => [1, 2, 5].map((digit) => Number(`${digit}e${power}`)));
  const from = all.findLastIndex((mark) => mark <= low);
  const to = all.findIndex((mark) => mark >= high);
  const marks = all.slice(Math.max(0, from), (to === -1 ? all.length : to) + 1);
  // Over many decades the powers of ten are enough.
  return marks.length > 9
    ? marks.filter((mark, i) => i === 0 || i === marks.length - 1 || /^1(e|0*$)|^0\.0*1$/.test(String(mark)))
    : marks;
}

/** p50 (dot), p95 (tick) and p99 (end of the line) per batch size, candidate beside baseline, on a log axis. */
export function latencyPlot(
  candidate: PerformanceFigures | null,
  baseline: PerformanceFigures | null,
  id: string,
): Plot | null {
  const sides = (
    [
      ["candidate", candidate],
      ["baseline", baseline],
    ] as const
  ).flatMap(([who, figures]) =>
    figures === null || figures.batches.length === 0 ? [] : [{ who, batches: figures.batches }],
  );
  const sizes = [...new Set(sides.flatMap(({ batches }) => batches.map(({ batch }) => batch)))].sort((a, b) => a - b);
  const all = sides
    .flatMap(({ batches }) => batches.flatMap(({ p50Ms, p99Ms }) => [p50Ms, p99Ms]))
    .filter((ms) => ms > 0);
  if (all.length === 0) return null;
  const marks = roundMarks(all);
  const log = (ms: number) => Math.log10(ms);
  const shift = sides.length === 1 ? 0 : 0.14;
  const svg = renderChart({
    id,
    title: "Latency",
    width: plotWidth,
    height: plotHeight,
    description: `Milliseconds per run by batch size, from p50 to p99: ${sides.map(({ who, batches }) => `${who} ${batches.map(({ batch, p50Ms, p99Ms }) => `batch ${batch}: ${milliseconds(p50Ms)} to ${milliseconds(p99Ms)}`).join(", ")}`).join("; ")}.`,
    option: {
      grid: plotGrid,
      xAxis: valueAxis("batch size (rows per run)", {
        min: -0.5,
        max: sizes.length - 0.5,
        interval: 0.5,
        splitLine: { show: false },
        axisLabel: {
          color: palette.faint,
          fontSize: 12,
          formatter: (x: number) => (Number.isInteger(x) ? String(sizes[x] ?? "") : ""),
        },
      }),
      // A value axis of logarithms, because a log axis of the library has marks at powers of its base only.
      yAxis: valueAxis("ms per run (log)", {
        nameGap: 40,
        min: log(marks[0] ?? 1),
        max: log(marks.at(-1) ?? 10),
        axisTick: { show: false, customValues: marks.map(log) },
        axisLabel: {
          color: palette.faint,
          fontSize: 12,
          customValues: marks.map(log),
          formatter: (at: number) => String(Number((10 ** at).toPrecision(3))),
        },
      }),
      series: sides.flatMap(({ who, batches }) => {
        const x = (batch: number) => sizes.indexOf(batch) + (who === "candidate" ? -shift : shift);
        const points = batches.filter(({ p50Ms }) => p50Ms > 0);
        return [
          ...points.map(({ batch, p50Ms, p99Ms }) => ({
            type: "line",
            silent: true,
            showSymbol: false,
            lineStyle: { color: palette[who], width: 2 },
            data: [
              [x(batch), log(p50Ms)],
              [x(batch), log(p99Ms)],
            ],
          })),
          {
            type: "scatter",
            silent: true,
            symbol: "circle",
            symbolSize: 9,
            itemStyle: { color: palette[who] },
            data: points.map(({ batch, p50Ms }) => [x(batch), log(p50Ms)]),
          },
          {
            type: "scatter",
            silent: true,
            symbol: "rect",
            symbolSize: [12, 2],
            itemStyle: { color: palette[who] },
            data: points.flatMap(({ batch, p95Ms, p99Ms }) => [
              [x(batch), log(p95Ms)],
              [x(batch), log(p99Ms)],
            ]),
          },
        ];
      }),
    },
  });
  return {
    title: "Latency",
    svg,
    caption: "Dot: p50; ticks: p95 and p99. Lower is better.",
    legend: sides.map(({ who }) => ({ color: who, text: who })),
  };
}
