import type { Predictions } from "../../predictions/predictions.ts";
import { count } from "../text/format.ts";
import type { PlotData } from "../content/plot-data.ts";
import { topConfidence } from "../series/confidence.ts";
import { type ReliabilityBin, reliabilityBins } from "../series/reliability.ts";
import { guide, renderChart, valueAxis } from "./chart.ts";
import { palette } from "./palette.ts";
import { type Plot, plotGrid, plotHeight, plotWidth } from "./size.ts";

/** Reliability diagram, with the rows per bin below it. Binary: P(positive). Multiclass: top-1 confidence. */
export function calibrationPlot(data: PlotData, id: string): Plot | null {
  const candidate = binsOf(data.candidate);
  const baseline = data.baseline === null ? null : binsOf(data.baseline);
  if (candidate === null || candidate.length === 0) return null;
  const binary = data.candidate.task === "binary-classification";
  const line = (bins: readonly ReliabilityBin[], color: string) => ({
    type: "line",
    silent: true,
    symbol: "circle",
    symbolSize: 7,
    itemStyle: { color },
    lineStyle: { color, width: 2 },
    data: bins.map((bin) => [bin.meanPredicted, bin.observedRate]),
  });
  const bars = (bins: readonly ReliabilityBin[], color: string) => ({
    type: "bar",
    silent: true,
    xAxisIndex: 1,
    yAxisIndex: 1,
    barWidth: 11,
    barGap: "10%",
    itemStyle: { color },
    data: bins.map((bin) => [(bin.low + bin.high) / 2, bin.n]),
  });
  const said = binary
    ? `predicted probability of ${data.candidate.classes[1] ?? "1"}`
    : "confidence in the chosen class";
  const most = Math.max(...[...candidate, ...(baseline ?? [])].map((bin) => bin.n));
  const svg = renderChart({
    id,
    title: `Calibration of ${data.head}`,
    width: plotWidth,
    height: plotHeight,
    description: `How often it came true against the ${said}, in ten bins; on the diagonal is calibrated. Below: rows per bin, at most ${most}.`,
    option: {
      grid: [
        { ...plotGrid, bottom: 118 },
        { ...plotGrid, top: 226 },
      ],
      xAxis: [
        valueAxis("", { min: 0, max: 1, axisLabel: { show: false } }),
        valueAxis(said, { gridIndex: 1, min: 0, max: 1, containShape: false, splitLine: { show: false } }),
      ],
      yAxis: [
        valueAxis(binary ? "observed rate" : "share correct", { min: 0, max: 1, nameGap: 40 }),
        valueAxis("rows", {
          gridIndex: 1,
          min: 0,
          max: most,
          interval: most,
          nameGap: 40,
          splitLine: { show: false },
          axisLabel: { color: palette.faint, fontSize: 12, formatter: (n: number) => count(n) },
        }),
      ],
      series: [
        guide([0, 0], [1, 1]),
        ...(baseline === null ? [] : [line(baseline, palette.baseline)]),
        line(candidate, palette.candidate),
        bars(candidate, palette.candidate),
        ...(baseline === null ? [] : [bars(baseline, palette.baseline)]),
      ],
    },
  });
  return {
    title: "Calibration",
    svg,
    caption: "On the dashed diagonal, what is said comes true as often as it is said. Below: rows per bin.",
    legend: [
      { color: "candidate", text: "candidate" },
      ...(baseline === null ? [] : [{ color: "baseline" as const, text: "baseline" }]),
    ],
  };
}

function binsOf(predictions: Predictions): ReliabilityBin[] | null {
  if (predictions.task === "binary-classification") return reliabilityBins(predictions.scores, predictions.labels);
  if (predictions.task !== "multiclass-classification") return null;
  const { confidence, correct } = topConfidence(predictions);
  return reliabilityBins(confidence, correct);
}
