import { coverageByLevel, errorBySteps, shownSeries, type ShownSeries } from "../content/forecast-figures.ts";
import type { PlotData } from "../content/plot-data.ts";
import { percent, significant } from "../text/format.ts";
import { cut, oneLine } from "../text/text.ts";
import { guide, renderChart, valueAxis } from "./chart.ts";
import { extent } from "./extent.ts";
import { palette } from "./palette.ts";
import { type Plot, plotGrid, plotHeight, plotWidth } from "./size.ts";

const roundedTo = 6;
const round = (value: number): number => Number(value.toPrecision(roundedTo));
const points = (x: readonly number[], y: readonly number[]): [number, number][] =>
  x.map((value, i) => [round(value), round(y[i] as number)]);
const grid = { ...plotGrid, left: 72 };
/** A round number without the zeros that fill up its digits. */
const tick = (n: number): string =>
  significant(n)
    .replace(/(\.\d*?)0+$/, "$1")
    .replace(/\.$/, "");
const labels = { axisLabel: { color: palette.faint, fontSize: 12, formatter: (n: number) => tick(n) } };

function line(color: string, data: readonly [number, number][], change: Record<string, unknown> = {}) {
  return {
    type: "line",
    silent: true,
    symbolSize: 5,
    showSymbol: data.length <= 36,
    itemStyle: { color },
    lineStyle: { color, width: 2 },
    data,
    ...change,
  };
}

/** Plots of forecasts: a few series with their bands, the error by step, and how often each quantile holds. */
export function forecastPlots(data: PlotData, id: string): Plot[] {
  if (data.candidate.forecasts === undefined || data.candidate.labels.length === 0) return [];
  const both: Plot["legend"] = [
    { color: "candidate", text: "candidate" },
    ...(data.baseline === null ? [] : [{ color: "baseline" as const, text: "baseline" }]),
  ];
  return [
    ...shownSeries(data.candidate, data.baseline).map((one, k) => seriesPlot(one, data, `${id}f${k}`, both)),
    stepPlot(data, `${id}e`, both),
    ...coveragePlot(data, `${id}q`, both),
  ];
}

function seriesPlot(one: ShownSeries, { unit }: PlotData, id: string, legend: Plot["legend"]): Plot {
  const name = cut(oneLine(one.series), 60);
  const { steps, band } = one;
  const values = [...one.actual, ...one.forecast, ...(one.baseline ?? []), ...(band?.low ?? []), ...(band?.high ?? [])];
  const shade =
    band === null
      ? []
      : [
          line("transparent", points(steps, band.low), { stack: "band", showSymbol: false, lineStyle: { opacity: 0 } }),
          line(
            "transparent",
            points(
              steps,
              band.high.map((high, i) => high - (band.low[i] as number)),
            ),
            {
              stack: "band",
              showSymbol: false,
              lineStyle: { opacity: 0 },
              areaStyle: { color: palette.candidate, opacity: 0.16 },
            },
          ),
        ];
  return {
    title: `Series ${name}, ${one.why}`,
    legend: [{ color: "positive", text: "actual" }, ...legend],
    caption:
      band === null
        ? "By mean absolute error over the series' size."
        : "By mean absolute error over the series' size. The band reaches from the candidate's lowest to its highest quantile.",
    svg: renderChart({
      id,
      title: `Forecast of the series ${name}`,
      description: `Actual and forecast values by step; the candidate's series that is ${one.why}.`,
      width: plotWidth,
      height: plotHeight,
      option: {
        grid,
        xAxis: valueAxis("step", { min: 1, max: Math.max(2, steps.at(-1) ?? 2), minInterval: 1 }),
        yAxis: valueAxis(unit === "" ? "value" : `value (${unit})`, { ...extent(values), ...labels, nameGap: 56 }),
        series: [
          ...shade,
          ...(one.baseline === null
            ? []
            : [
                line(palette.baseline, points(steps, one.baseline), {
                  lineStyle: { color: palette.baseline, width: 2, type: [5, 4] },
                }),
              ]),
          line(palette.candidate, points(steps, one.forecast)),
          line(palette.positive, points(steps, one.actual)),
        ],
      },
    }),
  };
}

function stepPlot(data: PlotData, id: string, legend: Plot["legend"]): Plot {
  const [mine, other] = [errorBySteps(data.candidate), data.baseline === null ? [] : errorBySteps(data.baseline)];
  const curve = (of: typeof mine): [number, number][] => of.map(({ step, error }) => [step, round(error)]);
  return {
    title: "Error by step",
    legend,
    caption: "Mean absolute error of each step over all series.",
    svg: renderChart({
      id,
      title: `Error by step of ${data.head}`,
      description: "Mean absolute error against the step of the forecast.",
      width: plotWidth,
      height: plotHeight,
      option: {
        grid,
        xAxis: valueAxis("step", { min: 1, max: Math.max(2, mine.at(-1)?.step ?? 2), minInterval: 1 }),
        yAxis: valueAxis(data.unit === "" ? "mean absolute error" : `mean absolute error (${data.unit})`, {
          min: 0,
          ...labels,
          nameGap: 56,
        }),
        series: [
          ...(other.length === 0 ? [] : [line(palette.baseline, curve(other))]),
          line(palette.candidate, curve(mine)),
        ],
      },
    }),
  };
}

function coveragePlot(data: PlotData, id: string, legend: Plot["legend"]): Plot[] {
  const mine = coverageByLevel(data.candidate);
  if (mine.length === 0) return [];
  const other = data.baseline === null ? [] : coverageByLevel(data.baseline);
  const curve = (of: typeof mine): [number, number][] => of.map(({ level, share }) => [level, round(share)]);
  const axis = {
    min: 0,
    max: 1,
    axisLabel: { color: palette.faint, fontSize: 12, formatter: (n: number) => percent(n) },
  };
  return [
    {
      title: "Coverage by level",
      legend,
      caption: `On the dashed diagonal as many labels lie below a quantile as it says. ${mine
        .map(({ level, share }) => `${percent(level)}: ${percent(Number(share.toFixed(3)))}`)
        .slice(0, 12)
        .join(", ")}.`,
      svg: renderChart({
        id,
        title: `Coverage by level of ${data.head}`,
        description: "Share of labels at or below each quantile against its level; on the diagonal is calibrated.",
        width: plotWidth,
        height: plotHeight,
        option: {
          grid,
          xAxis: valueAxis("level of the quantile", axis),
          yAxis: valueAxis("labels at or below it", { ...axis, nameGap: 48 }),
          series: [
            guide([0, 0], [1, 1]),
            ...(other.length === 0 ? [] : [line(palette.baseline, curve(other), { showSymbol: true })]),
            line(palette.candidate, curve(mine), { showSymbol: true }),
          ],
        },
      }),
    },
  ];
}
