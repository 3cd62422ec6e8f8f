import type { PlotData } from "../content/plot-data.ts";
import { rocCurve } from "../series/roc.ts";
import { guide, renderChart, valueAxis } from "./chart.ts";
import { palette } from "./palette.ts";
import { type Plot, plotGrid, plotHeight, plotWidth } from "./size.ts";

/** ROC of the candidate drawn over the baseline's. Null for anything but a binary head with both classes. */
export function rocPlot(data: PlotData, id: string): Plot | null {
  if (data.candidate.task !== "binary-classification") return null;
  const candidate = rocCurve(data.candidate.labels, data.candidate.scores);
  const baseline = data.baseline === null ? null : rocCurve(data.baseline.labels, data.baseline.scores);
  if (candidate === null) return null;
  const curve = (one: typeof candidate, color: string, width: number) => ({
    type: "line",
    silent: true,
    showSymbol: false,
    lineStyle: { color, width },
    data: one.falsePositiveRate.map((x, i) => [x, one.truePositiveRate[i] ?? 0]),
  });
  const svg = renderChart({
    id,
    title: `ROC of ${data.head}`,
    width: plotWidth,
    height: plotHeight,
    description: "True-positive rate against false-positive rate over all thresholds; further up and left is better.",
    option: {
      grid: plotGrid,
      xAxis: valueAxis("false-positive rate", { min: 0, max: 1 }),
      yAxis: valueAxis("true-positive rate", { min: 0, max: 1, nameGap: 40 }),
      series: [
        guide([0, 0], [1, 1]),
        ...(baseline === null ? [] : [curve(baseline, palette.baseline, 2)]),
        curve(candidate, palette.candidate, 2),
      ],
    },
  });
  return {
    title: "ROC",
    svg,
    caption: `Positive class: ${data.candidate.classes[1] ?? "1"}. Up and left is better; the dashed line is chance.`,
    legend: [
      { color: "candidate", text: "candidate" },
      ...(baseline === null ? [] : [{ color: "baseline" as const, text: "baseline" }]),
    ],
  };
}
