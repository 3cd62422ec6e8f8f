import { count } from "../text/format.ts";
import type { PlotData } from "../content/plot-data.ts";
import { topConfidence } from "../series/confidence.ts";
import { histogram } from "../series/histogram.ts";
import { renderChart, valueAxis } from "./chart.ts";
import { palette } from "./palette.ts";
import { type Plot, plotGrid, plotHeight, plotWidth } from "./size.ts";

const bins = 25;

/**
 * Histogram of the candidate's scores, by true class (multiclass: by right and wrong). The baseline is a dashed
 * outline.
 */
export function scoreHistogramPlot(data: PlotData, id: string): Plot | null {
  const { candidate, baseline } = data;
  if (candidate.task !== "binary-classification" && candidate.task !== "multiclass-classification") return null;
  const split = (one: typeof candidate) => {
    const { values, truth } =
      candidate.task === "binary-classification"
        ? { values: one.scores, truth: one.labels }
        : (({ confidence, correct }) => ({ values: confidence, truth: correct }))(topConfidence(one));
    const of = (label: number) => histogram(values, 0, 1, bins, (row) => (truth[row] === 1 ? 1 : 0) === label);
    return { negative: of(0), positive: of(1) };
  };
  const shown = split(candidate);
  const before = baseline === null ? null : split(baseline);
  const steps = (counts: readonly number[]) => [
    ...counts.map((n, i): [number, number] => [i / bins, n]),
    [1, counts.at(-1) ?? 0],
  ];
  const area = (counts: readonly number[], color: string) => ({
    type: "line",
    silent: true,
    step: "end",
    showSymbol: false,
    data: steps(counts),
    lineStyle: { color, width: 1.5 },
    areaStyle: { color, opacity: 0.28 },
  });
  const outline = (counts: readonly number[], color: string) => ({
    type: "line",
    silent: true,
    step: "end",
    showSymbol: false,
    data: steps(counts),
    lineStyle: { color, width: 1.5, type: [3, 3] },
  });
  const names = candidate.task === "binary-classification" ? candidate.classes : ["wrong", "right"];
  const svg = renderChart({
    id,
    title: `Scores of ${data.head}`,
    width: plotWidth,
    height: plotHeight,
    description: `Rows per score, for true ${names[0] ?? "0"} and true ${names[1] ?? "1"}; the further apart, the better.`,
    option: {
      grid: plotGrid,
      xAxis: valueAxis(
        candidate.task === "binary-classification"
          ? `predicted probability of ${names[1] ?? "1"}`
          : "confidence in the chosen class",
        { min: 0, max: 1 },
      ),
      yAxis: valueAxis("rows", {
        nameGap: 44,
        axisLabel: { color: palette.faint, fontSize: 12, formatter: (n: number) => count(n) },
      }),
      series: [
        area(shown.negative, palette.negative),
        area(shown.positive, palette.positive),
        ...(before === null
          ? []
          : [outline(before.negative, palette.negative), outline(before.positive, palette.positive)]),
      ],
    },
  });
  return {
    title: "Scores",
    svg,
    caption: `The less the two overlap, the better.${before === null ? "" : " Filled: candidate; dashed: baseline."}`,
    legend: [
      { color: "negative", text: candidate.task === "binary-classification" ? `truly ${names[0] ?? "0"}` : "wrong" },
      { color: "positive", text: candidate.task === "binary-classification" ? `truly ${names[1] ?? "1"}` : "right" },
    ],
  };
}
