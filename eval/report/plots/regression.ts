import { count, significant } from "../text/format.ts";
import type { PlotData } from "../content/plot-data.ts";
import { residualPoints } from "../series/residuals.ts";
import { guide, renderChart, valueAxis } from "./chart.ts";
import { extent } from "./extent.ts";
import { palette } from "./palette.ts";
import { type Plot, plotGrid, plotHeight, plotWidth } from "./size.ts";

/** Two plots of a regression head's candidate: residual against prediction, and actual against predicted. */
export function regressionPlots(data: PlotData, id: string): Plot[] {
  if (data.candidate.task !== "regression" && data.candidate.task !== "forecasting") return [];
  const points = residualPoints(data.candidate.labels, data.candidate.scores);
  if (points.rows === 0) return [];
  const unit = data.unit === "" ? "" : ` (${data.unit})`;
  const shown =
    points.prediction.length < points.rows
      ? ` ${count(points.prediction.length)} of ${count(points.rows)} rows, the largest residuals among them.`
      : "";
  const predicted = extent(points.prediction);
  const both = extent([...points.prediction, ...points.label]);
  const residual = extent([...points.residual, 0]);
  const labels = { axisLabel: { color: palette.faint, fontSize: 12, formatter: (n: number) => significant(n) } };
  const dots = (y: readonly number[], x: readonly number[]) => ({
    type: "scatter",
    silent: true,
    large: true,
    largeThreshold: 1,
    symbolSize: 4,
    itemStyle: { color: palette.candidate, opacity: 0.5 },
    data: x.map((value, i) => [round(value), round(y[i] ?? 0)]),
  });
  const grid = { ...plotGrid, left: 72 };
  const chart = (suffix: string, title: string, description: string, option: Record<string, unknown>) =>
    renderChart({
      id: `${id}${suffix}`,
      title: `${title} of ${data.head}`,
      description,
      width: plotWidth,
      height: plotHeight,
      option: { grid, ...option },
    });
  return [
    {
      title: "Residuals",
      legend: [{ color: "candidate", text: "candidate" }],
      caption: `Actual minus predicted: above zero the model said too little. A slope or a funnel means that something is left to learn.${shown}`,
      svg: chart("r", "Residuals", "Residual against prediction; evenly around zero is good.", {
        xAxis: valueAxis(`predicted${unit}`, { ...predicted, ...labels }),
        yAxis: valueAxis(`residual${unit}`, { ...residual, ...labels, nameGap: 56 }),
        series: [dots(points.residual, points.prediction), guide([predicted.min, 0], [predicted.max, 0], { z: 3 })],
      }),
    },
    {
      title: "Predicted and actual",
      legend: [{ color: "candidate", text: "candidate" }],
      caption: `On the dashed diagonal the prediction is right.${shown}`,
      svg: chart("a", "Actual against predicted", "Actual against predicted value; on the diagonal is right.", {
        xAxis: valueAxis(`predicted${unit}`, { ...both, ...labels }),
        yAxis: valueAxis(`actual${unit}`, { ...both, ...labels, nameGap: 56 }),
        series: [dots(points.label, points.prediction), guide([both.min, both.min], [both.max, both.max], { z: 3 })],
      }),
    },
  ];
}

function round(value: number): number {
  return Number(value.toPrecision(6));
}
