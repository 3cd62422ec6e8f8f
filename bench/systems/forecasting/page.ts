/** What one run of the bench found. */
export type Measured = {
  machine: string;
  /** Load averages of a minute, at the start and at the end. */
  load: [number, number];
  date: string;
  origins: number;
  many: { series: number; seconds: number; peakRssBytes: number };
  http: { coldSeconds: number; p50Ms: number; p95Ms: number; rowsPerSecond: number };
  m3: { series: number; smape: number; covered: number } | null;
  /** Figures of the gate, by metric. */
  gate: ReadonlyMap<string, number>;
  /** What R said, by name. */
  r: ReadonlyMap<string, readonly string[]>;
  peers: readonly { name: "theta" | "winters"; asked: number; seconds: number; failed: number; smape: number }[];
  peerVersions: string;
};

/** Of the machine, for the cost of answers. */
const USD_PER_HOUR = 0.1;

const agreed = (ours: number | undefined, theirs: number): string =>
  ours === undefined
    ? "–"
    : `${ours.toPrecision(9)} | ${theirs.toPrecision(9)} | ${Math.abs(ours - theirs).toExponential(1)}`;

/** The Markdown of bench/results/forecasting.md. */
export function resultsPage({ r, gate, many, http, m3, ...run }: Measured): string {
  const numbers = (name: string) => (r.get(name) ?? []).map(Number);
  const own = numbers("own");
  const [covered95, covered99] = numbers("coverage");
  const compared: [string, string][] = [
    ["smape", agreed(gate.get("smape"), own[0]!)],
    ["mase", agreed(gate.get("mase"), own[1]!)],
    ["owa", agreed(gate.get("owa"), own[2]!)],
    ["quantile_loss, scaled", agreed(gate.get("quantile_loss(scaled=true)"), numbers("scaled quantile loss")[0]!)],
    ["interval_coverage at 0.95", agreed(gate.get("interval_coverage(at=0.95)"), covered95!)],
    ["interval_coverage at 0.99", agreed(gate.get("interval_coverage(at=0.99)"), covered99!)],
  ];
  const perSeries = (seconds: number, count: number) => ((1000 * seconds) / count).toFixed(2);
  const line = (label: string, name: string, ms?: string) => {
    const [error, scaled, ratio, seconds] = numbers(name);
    return `| ${label} | ${(100 * error!).toFixed(2)} | ${scaled!.toFixed(3)} | ${ratio!.toFixed(3)} | ${ms ?? (1000 * seconds!).toFixed(2)} |`;
  };
  const peerLine = (name: "theta" | "winters", label: string) => {
    const { seconds, asked, failed, smape } = run.peers.find((one) => one.name === name)!;
    const left = failed === 0 ? "" : ` (${failed} origins without an answer left out)`;
    return `| ${label}${left} | ${smape.toFixed(2)} | – | – | ${perSeries(seconds, asked)} |`;
  };
  const ours = perSeries(many.seconds, many.series);
  const head = "| | sMAPE | MASE | OWA | ms a series |\n| --- | --- | --- | --- | --- |";
  const dollars = (perSecond: number) => ((1000 / perSecond / 3600) * USD_PER_HOUR).toExponential(1);
  const inProcess = many.series / many.seconds;
  return `# Forecasting

Command: \`npm run bench:forecasting\`. ${run.date}, ${run.machine}; load average at the start ${run.load[0].toFixed(1)}, at the end ${run.load[1].toFixed(1)}. With a load above the number of cores the times are too long; compare lines of this run with each other.

## The gate's figures, computed again in R

Candidate 1.1.0 on the ${run.origins} origins of its dataset. ${r.get("versions")![0]!}: \`accuracy()\` for MASE, \`decompose()\`, \`acf()\` and \`naive()\` for Naive2, plain R for the others.

| figure | Sluice | R | difference |
| --- | --- | --- | --- |
${compared.map(([name, cells]) => `| ${name} | ${cells} |`).join("\n")}

The committed forecasts of Naive2 differ from R's by ${numbers("naive2 difference")[0]!.toExponential(1)} of their size at most, the committed scales by ${numbers("naive scale difference")[0]!.toExponential(1)}: they are rounded to seven digits.

## Beside what people run today

The same ${run.origins} origins of 18 months; sMAPE from 0 to 200. ${run.peerVersions}. Times are of one run each.

${head}
${line("models/forecasting 1.1.0", "own", ours)}
${line("R `snaive`: the last year again", "snaive")}
${line("R `thetaf`", "thetaf")}
${peerLine("theta", "statsmodels `ThetaModel`")}

What takes longer, on every twelfth origin (${numbers("some")[0]!}):

${head}
${line("models/forecasting 1.1.0", "own on some", ours)}
${line("R `stlf`: STL and ETS", "stlf")}
${line("R `ets`", "ets")}
${peerLine("winters", "statsmodels `ExponentialSmoothing`, damped, multiplicative")}

Its sMAPE is ${(100 * (1 - own[0]! / numbers("snaive")[0]!)).toFixed(1)} % below that of repeating the last year. ${
    m3 === null
      ? "M3 is not there, so the outside check was left out."
      : `On the ${m3.series.toLocaleString("en")} monthly series of M3, of which it has learned nothing: sMAPE ${m3.smape.toFixed(2)}, and its 95 % intervals cover ${(100 * m3.covered).toFixed(1)} % (published: Theta 13.89).`
  }

## Speed

| | |
| --- | --- |
| ${many.series.toLocaleString("en")} series of 18 steps with 7 quantiles, rows to answers, two sessions of one thread | ${many.seconds.toFixed(1)} s, ${Math.round(inProcess).toLocaleString("en")} series a second |
| memory of that process at its largest, with the ${many.series.toLocaleString("en")} histories | ${Math.round(many.peakRssBytes / 1e6).toLocaleString("en")} MB |
| one row over HTTP, one after the other, 1,000 times | p50 ${http.p50Ms.toFixed(1)} ms, p95 ${http.p95Ms.toFixed(1)} ms |
| batches of 256 over HTTP, two at a time | ${Math.round(http.rowsPerSecond).toLocaleString("en")} series a second |
| from the start of the server's process until it is ready, median of 3 | ${http.coldSeconds.toFixed(2)} s |
| 1,000 answers on a machine of ${USD_PER_HOUR.toFixed(2)} USD an hour | ${dollars(inProcess)} USD in process, ${dollars(http.rowsPerSecond)} over HTTP |

An update of a series is one more number at the end of its history, so it costs one row; \`ets\` of R fits again, ${(1000 * numbers("ets")[3]!).toFixed(0)} ms here.
`;
}
