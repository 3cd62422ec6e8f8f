import type { PerformanceFigures } from "../../schema/metrics.ts";
import { milliseconds } from "../text/format.ts";
import { renderChart, valueAxis } from "./chart.ts";
import { palette } from "./palette.ts";
import { type Plot, plotGrid, plotHeight, plotWidth } from "./size.ts";

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
      yAxis: valueAxis("ms per run (log)", {
        type: "log",
        logBase: 2,
        nameGap: 40,
        min: 2 ** Math.floor(Math.log2(Math.min(...all))),
        max: 2 ** Math.ceil(Math.log2(Math.max(...all))),
        axisLabel: { color: palette.faint, fontSize: 12, formatter: (ms: number) => String(Number(ms.toPrecision(3))) },
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
              [x(batch), p50Ms],
              [x(batch), p99Ms],
            ],
          })),
          {
            type: "scatter",
            silent: true,
            symbol: "circle",
            symbolSize: 9,
            itemStyle: { color: palette[who] },
            data: points.map(({ batch, p50Ms }) => [x(batch), p50Ms]),
          },
          {
            type: "scatter",
            silent: true,
            symbol: "rect",
            symbolSize: [12, 2],
            itemStyle: { color: palette[who] },
            data: points.flatMap(({ batch, p95Ms, p99Ms }) => [
              [x(batch), p95Ms],
              [x(batch), p99Ms],
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
