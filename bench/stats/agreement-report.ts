import { valueAxis } from "../../eval/report/plots/chart.ts";
import { palette } from "../../eval/report/plots/palette.ts";
import { standaloneSvg } from "./standalone-svg.ts";

export type Line = {
  figure: string;
  ours: number;
  theirs: number;
  tool: string;
  source: "fresh" | "shared";
  tolerance: number;
  kind: "exact" | "Monte Carlo";
};

const gap = ({ ours, theirs }: Line): number => Math.abs(ours - theirs) / Math.max(1, Math.abs(theirs));

export function agreementTable(lines: readonly Line[], versions: string): string {
  const exact = lines.filter((line) => line.kind === "exact");
  const drawn = lines.filter((line) => line.kind === "Monte Carlo");
  return `# Agreement with other tools

Command: \`npm run bench:agreement\`. ${versions}. Fresh samples: 3,000 binary rows (ties, bin edges, weights), 1,500 regression rows, 900 rows of 3 classes; "kept" figures were computed earlier with the same tools.

${exact.length} exact figures: largest difference ${Math.max(...exact.map(gap)).toExponential(1)} (absolute below 1, relative above). ${drawn.length} ends of bootstrap intervals: at most ${Math.max(...drawn.map((line) => (4 * Math.abs(line.ours - line.theirs)) / line.tolerance)).toFixed(1)} Monte-Carlo standard errors apart.

AUROC's own paired interval takes a t quantile with Welch-Satterthwaite degrees of freedom in the place of pROC's normal one; with a normal quantile the two are the same number, as the table shows.

![differences](agreement.svg)

| figure | Sluice | reference | tool | difference | tolerance |
| --- | --- | --- | --- | --- | --- |
${lines.map((line) => `| ${line.figure} | ${short(line.ours)} | ${short(line.theirs)} | ${line.tool} | ${(line.ours - line.theirs).toExponential(1)} | ${line.tolerance.toExponential(0)}${line.kind === "exact" ? "" : " (4 Monte-Carlo standard errors)"} |`).join("\n")}
`;
}

const short = (value: number): string => String(Number(value.toPrecision(12)));

/** The differences of exact figures on a logarithmic scale; 0 is drawn at 1e-17. */
export function agreementPlot(lines: readonly Line[]): string {
  const exact = lines.filter((line) => line.kind === "exact").toSorted((a, b) => gap(a) - gap(b));
  return standaloneSvg({
    id: "agreement",
    title: "Differences from reference tools, exact figures",
    description:
      "Every exact figure's difference from its reference on a logarithmic scale, smallest first; the goal is 1e-9.",
    width: 900,
    height: 300,
    option: {
      grid: { left: 64, right: 16, top: 16, bottom: 48 },
      xAxis: valueAxis("figures, smallest difference first", { min: 0, max: exact.length }),
      yAxis: valueAxis("log10 of the difference", { min: -17, max: -5, nameGap: 36 }),
      series: [
        {
          type: "line",
          silent: true,
          showSymbol: false,
          data: [
            [0, -9],
            [exact.length, -9],
          ],
          lineStyle: { color: palette.faint, width: 1, type: [4, 4] },
        },
        {
          type: "scatter",
          silent: true,
          symbolSize: 5,
          itemStyle: { color: palette.candidate },
          data: exact.map((line, i) => [i + 0.5, Math.log10(Math.max(1e-17, gap(line)))]),
        },
      ],
    },
  });
}
