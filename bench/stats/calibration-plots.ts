import { guide, valueAxis } from "../../eval/report/plots/chart.ts";
import { palette } from "../../eval/report/plots/palette.ts";
import type { MetricResult } from "./calibration-results.ts";
import { standaloneSvg } from "./standalone-svg.ts";

const sizes = [
  { n: 200, color: palette.negative, dash: [2, 3] as number[] | "solid" },
  { n: 1_000, color: palette.baseline, dash: [6, 4] as number[] | "solid" },
  { n: 10_000, color: palette.candidate, dash: "solid" as number[] | "solid" },
];

/**
 * Wrong-pass rates of non-inferiority at the exact boundary: a dot per kind of data with its 95 % interval, metrics
 * side by side.
 */
export function wrongPassPlot(results: readonly MetricResult[]): string {
  const metrics = [...new Set(results.map(({ metric }) => metric))];
  const series = sizes.flatMap(({ n, color }, s) =>
    results
      .filter((one) => one.n === n)
      .flatMap((one) => {
        const kinds = results.filter((other) => other.n === n && other.metric === one.metric);
        const x =
          metrics.indexOf(one.metric) + 0.5 + (s - 1) * 0.27 + (kinds.indexOf(one) - (kinds.length - 1) / 2) * 0.055;
        const { rate, low, high } = one.wrongPass.nonInferiority;
        const hollow = one.share !== null && one.n * Math.min(one.share, 1 - one.share) < 100;
        return [
          {
            type: "line",
            silent: true,
            showSymbol: false,
            data: [
              [x, 100 * low],
              [x, 100 * high],
            ],
            lineStyle: { color, width: 1.5 },
          },
          {
            type: "scatter",
            silent: true,
            symbolSize: 6,
            data: [[x, 100 * rate]],
            itemStyle: { color: hollow ? palette.surface : color, borderColor: color, borderWidth: 1.5 },
          },
        ];
      }),
  );
  return standaloneSvg({
    id: "wrong-pass",
    title: "Wrong passes at the exact boundary",
    width: 900,
    height: 380,
    description:
      "Share of simulated gates that pass a candidate whose true loss is exactly the margin, per metric, for 200, 1,000 and 10,000 rows, with 95 % intervals; the dashed line is alpha, 5 %.",
    option: {
      grid: { left: 56, right: 16, top: 16, bottom: 64 },
      xAxis: valueAxis("n = 200 (left), 1,000 and 10,000 (right) rows; hollow: fewer than 100 rows of a class", {
        min: 0,
        max: metrics.length,
        interval: 1,
        nameGap: 40,
        splitLine: { show: true, lineStyle: { color: palette.grid } },
        axisLabel: { show: false },
      }),
      yAxis: valueAxis("wrong passes, %", { min: 0, nameGap: 36 }),
      series: [
        guide([0, 5], [metrics.length, 5]),
        ...series,
        ...metrics.map((metric, i) => ({
          type: "scatter",
          silent: true,
          symbolSize: 0,
          data: [[i + 0.5, 0]],
          label: { show: true, formatter: metric, position: "bottom", distance: 8, color: palette.faint, fontSize: 11 },
        })),
      ],
    },
  });
}

/** Power curves: share of unchanged candidates that pass, by margin, for six metrics and three sizes. */
export function powerPlot(results: readonly MetricResult[]): string {
  const panels = [
    { metric: "auroc", kind: (one: MetricResult) => one.share === 0.1 },
    { metric: "average_precision", kind: (one: MetricResult) => one.share === 0.1 },
    { metric: "accuracy", kind: (one: MetricResult) => one.share === 0.5 },
    { metric: "log_loss", kind: (one: MetricResult) => one.share === 0.1 },
    { metric: "f1", kind: (one: MetricResult) => one.share === 0.5 },
    { metric: "mae", kind: (one: MetricResult) => one.spread === 0 },
  ];
  const place = (i: number) => ({
    left: 60 + (i % 3) * 295,
    top: 16 + Math.floor(i / 3) * 250,
    width: 225,
    height: 170,
  });
  const share = (one: MetricResult | undefined) => (one?.share == null ? "" : ` (${100 * one.share} % positives)`);
  const found = panels.map(({ metric, kind }) => results.filter((one) => one.metric === metric && kind(one)));
  return standaloneSvg({
    id: "power",
    title: "Power: how often an unchanged candidate passes, by margin",
    width: 930,
    height: 520,
    description:
      "For six metrics and 200 (dotted), 1,000 (dashed) and 10,000 (solid) rows, the share of simulated gates under no true change that pass non-inferiority with the margin on the horizontal axis.",
    option: {
      grid: panels.map((_, i) => place(i)),
      xAxis: panels.map(({ metric }, i) => ({
        ...valueAxis(`${metric} margin${share(found[i]?.[0])}`, {
          min: 0,
          max: Number(((found[i]?.[0]?.margin ?? 0) * 4).toPrecision(1)),
        }),
        gridIndex: i,
      })),
      yAxis: panels.map((_, i) => ({
        ...valueAxis(i % 3 === 0 ? "passes, %" : "", { min: 0, max: 100, nameGap: 36 }),
        gridIndex: i,
      })),
      series: found.flatMap((all, i) =>
        sizes.flatMap(({ n, color, dash }) =>
          all
            .filter((one) => one.n === n)
            .map((one) => ({
              type: "line",
              silent: true,
              showSymbol: false,
              xAxisIndex: i,
              yAxisIndex: i,
              lineStyle: { color, width: 2, type: dash },
              data: one.power
                .map((passes, k) => [((k + 1) / 10) * one.margin, 100 * passes])
                .filter(([x]) => (x as number) <= Number((one.margin * 4).toPrecision(1)) * 1.0001),
            })),
        ),
      ),
    },
  });
}
