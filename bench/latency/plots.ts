import { guide, valueAxis } from "../../eval/report/plots/chart.ts";
import { palette } from "../../eval/report/plots/palette.ts";
import { roundContrast } from "../../eval/latency/contrast.ts";
import { standaloneSvg } from "../stats/standalone-svg.ts";
import type { LiveGate, Replay } from "./results.ts";
import { nameOf, slowdowns, tally } from "./tally.ts";
import { replayed, type Trace } from "./trace.ts";

const categories = (names: readonly string[], change: Record<string, unknown> = {}) => ({
  type: "category",
  data: [...names],
  axisLabel: { color: palette.text, fontSize: 12 },
  axisTick: { show: false },
  axisLine: { lineStyle: { color: palette.grid } },
  ...change,
});
type Dot = { x: number; y: number; low: number; high: number };
/** Dots with their 95 % intervals. */
const dots = (points: readonly Dot[], color: string, hollow = false) =>
  points.flatMap(({ x, y, low, high }) => [
    {
      type: "line",
      silent: true,
      showSymbol: false,
      data: [
        [x, low],
        [x, high],
      ],
      lineStyle: { color, width: 1.5 },
    },
    {
      type: "scatter",
      silent: true,
      symbolSize: 7,
      data: [[x, y]],
      itemStyle: { color: hollow ? palette.surface : color, borderColor: color, borderWidth: 1.5 },
    },
  ]);
/** Coloured names under a plot. */
const legend = (names: readonly [string, string][], y: number, width: number) =>
  names.map(([name, color], i) => ({
    type: "scatter",
    silent: true,
    symbolSize: 8,
    data: [[((i + 0.15) * width) / names.length, y]],
    itemStyle: { color },
    clip: false,
    label: { show: true, formatter: name, position: "right", color: palette.text, fontSize: 12 },
  }));

/** The slow-downs' names under the middle of their columns. `floor` is the lower end of the other axis. */
const columnNames = (floor: number) =>
  slowdowns.map((slowdown, i) => ({
    type: "scatter",
    silent: true,
    symbolSize: 0,
    data: [[i + 0.5, floor]],
    label: {
      show: true,
      formatter: nameOf(slowdown),
      position: "bottom",
      distance: 8,
      color: palette.text,
      fontSize: 12,
    },
  }));

/**
 * Share of gates by decision and slow-down, replayed filled and live hollow, with the alerts of other tools' rules as
 * lines.
 */
export function decisionPlot(condition: string, { results }: Replay, live: readonly LiveGate[]): string {
  const kinds = [
    ["fail", palette.negative],
    ["pass", palette.positive],
    ["inconclusive", palette.faint],
  ] as const;
  const rules = results[0]?.others ?? [];
  const series = kinds.flatMap(([kind, color], k) => {
    const at = (i: number, rate: { rate: number; low: number; high: number }, shift: number): Dot => ({
      x: i + 0.5 + (k - 1) * 0.2 + shift,
      y: 100 * rate.rate,
      low: 100 * rate.low,
      high: 100 * rate.high,
    });
    const drawn = results.map(({ ours }, i) => at(i, ours[kind], -0.03));
    const held = slowdowns.flatMap((slowdown, i) => {
      const gates = live.filter((gate) => gate.slowdown === slowdown);
      return gates.length === 0 ? [] : [at(i, tally(gates, slowdown)[kind], 0.03)];
    });
    return [...dots(drawn, color), ...dots(held, color, true)];
  });
  return standaloneSvg({
    id: `decisions-${condition}`,
    title: `Decisions by slow-down, ${condition} machine`,
    width: 900,
    height: 380,
    description:
      "Share of latency gates that are FAIL, PASS and INCONCLUSIVE with no change and with 3, 5 and 10 % added to the candidate; filled: replayed, hollow: live; dashed lines: how often the rules of other tools alert on the same recording.",
    option: {
      grid: { left: 56, right: 24, top: 16, bottom: 76 },
      xAxis: valueAxis("", { min: 0, max: slowdowns.length, interval: 1, axisLabel: { show: false } }),
      yAxis: valueAxis("gates, %", { min: 0, max: 100, nameGap: 36 }),
      series: [
        guide([0, 95], [slowdowns.length, 95]),
        ...series,
        ...columnNames(0),
        ...rules.map((_, r) => ({
          type: "line",
          silent: true,
          symbol: "none",
          lineStyle: {
            color: r < 3 ? palette.baseline : palette.candidate,
            width: 1,
            type: [
              [2, 2],
              [4, 3],
              [8, 3],
            ][r % 3],
          },
          data: results.map(({ others }, i) => [i + 0.5, 100 * (others[r]?.rate ?? 0)]),
        })),
        ...legend(
          [
            ["FAIL", palette.negative],
            ["PASS", palette.positive],
            ["INCONCLUSIVE", palette.faint],
            ...(rules.length === 0
              ? []
              : ([
                  ["ratio rules", palette.baseline],
                  ["t-test, Mann-Whitney", palette.candidate],
                ] as [string, string][])),
          ],
          -18,
          slowdowns.length,
        ),
      ],
    },
  });
}

/**
 * Seconds to the verdict: the median as a bar, p90 and the longest as dots. Replayed, and live where there are gates.
 */
export function timePlot(condition: string, { results, capSeconds }: Replay, live: readonly LiveGate[]): string {
  const rows = slowdowns.flatMap((slowdown) => {
    const gates = live.filter((gate) => gate.slowdown === slowdown);
    const drawn = results.find((one) => one.slowdown === slowdown);
    return [
      ...(drawn === undefined ? [] : [{ name: `${nameOf(slowdown)}, replayed`, seconds: drawn.ours.seconds }]),
      ...(gates.length === 0 ? [] : [{ name: `${nameOf(slowdown)}, live`, seconds: tally(gates, slowdown).seconds }]),
    ];
  });
  return standaloneSvg({
    id: `time-${condition}`,
    title: `Time to the verdict, ${condition} machine`,
    width: 760,
    height: 76 + 30 * rows.length,
    description:
      "Bars: median seconds to the verdict; dots: the 90th percentile and the longest; dashed: the goals of 60 s for the median and the cap.",
    option: {
      grid: { left: 190, right: 24, top: 28, bottom: 44 },
      xAxis: valueAxis("seconds", {
        min: 0,
        max: Math.ceil(Math.max(capSeconds, ...rows.map(({ seconds }) => seconds.max)) / 20) * 20,
      }),
      yAxis: categories(
        rows.map(({ name }) => name),
        { inverse: true },
      ),
      series: [
        {
          type: "bar",
          silent: true,
          barWidth: 14,
          itemStyle: { color: palette.candidate },
          data: rows.map(({ seconds }) => seconds.median),
        },
        ...(
          [
            ["median", palette.none, "median"],
            ["p90", palette.baseline, "p90"],
            ["max", palette.negative, "longest"],
          ] as const
        ).map(([which, color, word]) => ({
          type: "scatter",
          silent: true,
          symbolSize: 7,
          itemStyle: { color },
          // Labelled once, above the first row.
          data: rows.map(({ name, seconds }, i) => ({
            value: [seconds[which], name],
            label: { show: i === 0, formatter: word, position: "top", distance: 8, color: palette.text, fontSize: 12 },
          })),
        })),
        ...[60, capSeconds].map((x) => ({
          type: "line",
          silent: true,
          showSymbol: false,
          lineStyle: { color: palette.faint, width: 1, type: [4, 4] },
          data: rows.map(({ name }) => [x, name]),
        })),
      ],
    },
  });
}

/** How often the intervals of p95 and p99 contain the true ratio, against the level that they promise. */
export function tailPlot(condition: string, { results, alpha }: Replay): string {
  const level = 100 * (1 - 2 * alpha);
  const series = [palette.candidate, palette.baseline].flatMap((color, k) =>
    dots(
      results.flatMap(({ ours }, i): Dot[] => {
        const covered = ours.tails[k]?.covered;
        return covered == null
          ? []
          : [{ x: i + 0.4 + 0.2 * k, y: 100 * covered.rate, low: 100 * covered.low, high: 100 * covered.high }];
      }),
      color,
    ),
  );
  return standaloneSvg({
    id: `tails-${condition}`,
    title: `Intervals of p95 and p99, ${condition} machine`,
    width: 760,
    height: 260,
    description: `How often the interval of the p95 ratio and of the p99 ratio holds the true slow-down in replayed gates; dashed: the ${level} % that it promises.`,
    option: {
      grid: { left: 56, right: 24, top: 16, bottom: 76 },
      xAxis: valueAxis("", { min: 0, max: slowdowns.length, interval: 1, axisLabel: { show: false } }),
      yAxis: valueAxis("intervals, %", { min: 60, max: 100, nameGap: 36 }),
      series: [
        guide([0, level], [slowdowns.length, level]),
        ...series,
        ...columnNames(60),
        ...legend(
          [
            ["p95", palette.candidate],
            ["p99", palette.baseline],
          ],
          47,
          slowdowns.length,
        ),
      ],
    },
  });
}

/** Every recorded round by time: the ratio of two processes of a model to two others of the same model. */
export function tracePlot(condition: string, trace: Trace): string {
  let minutes = 0;
  const points = trace.flatMap(({ rounds }) =>
    rounds.map((one): [number, number] => {
      minutes += one.elapsedMs / 60_000;
      return [minutes, 100 * (Math.exp(roundContrast(replayed(one, [0, 1, 2, 3], 0), 0.5).effect) - 1)];
    }),
  );
  const reach = 2 * Math.ceil(Math.max(3, ...points.map(([, y]) => Math.min(15, Math.abs(y)))) / 2);
  return standaloneSvg({
    id: `trace-${condition}`,
    title: `A model against itself, round by round, ${condition} machine`,
    width: 900,
    height: 240,
    description:
      "Difference between two fresh processes of a model and two others of the same model, per round, over the minutes of the recording; dashed: plus and minus 3 %.",
    option: {
      grid: { left: 56, right: 16, top: 16, bottom: 48 },
      xAxis: valueAxis("minutes recorded", {
        min: 0,
        max: Math.max(1, minutes),
        axisLabel: { color: palette.faint, fontSize: 12, showMaxLabel: false },
      }),
      yAxis: valueAxis("difference, %", { min: -reach, max: reach, interval: reach / 2, nameGap: 36 }),
      series: [
        guide([0, 3], [minutes, 3]),
        guide([0, -3], [minutes, -3]),
        {
          type: "line",
          silent: true,
          showSymbol: false,
          lineStyle: { color: palette.candidate, width: 1 },
          data: points,
        },
      ],
    },
  });
}
