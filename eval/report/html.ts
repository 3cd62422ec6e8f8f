import type { MetricsFile } from "../schema/metrics.ts";
import type { ModelVerdict, VerdictFile } from "../schema/verdict.ts";
import { tally } from "./content/check-order.ts";
import { shortDigest } from "./text/format.ts";
import { type Budget, spend } from "./html/budget.ts";
import { embeddedJson, htmlText } from "./text/escape-html.ts";
import { type Budgets, modelSection, type ModelPlots } from "./html/model.ts";
import { style } from "./html/style.ts";
import { metricsOf } from "./content/performance-rows.ts";
import type { AugmentationExample } from "./content/augmentation-example.ts";
import type { PlotData } from "./content/plot-data.ts";
import { calibrationPlot } from "./plots/calibration.ts";
import { forestPlot } from "./plots/forest.ts";
import { forecastPlots } from "./plots/forecast.ts";
import { latencyPlot } from "./plots/latency.ts";
import { regressionPlots } from "./plots/regression.ts";
import { rocPlot } from "./plots/roc.ts";
import { scoreHistogramPlot } from "./plots/score-histogram.ts";
import { reproduceCommands } from "./reproduce.ts";
import { cut } from "./text/text.ts";
import { verdictMeaning } from "./text/verdict-mark.ts";

/** Most characters that each kind of content may use, over all models; together well below 1.5 MB. */
const maxCharacters = {
  checks: 450_000,
  measurements: 150_000,
  texts: 60_000,
  examples: 150_000,
  plots: 400_000,
  answers: 100_000,
  json: 200_000,
};

/**
 * The report as one self-contained HTML file: inline style, inline SVG, no script that runs. Text from outside is
 * escaped. The file stays below 1.5 MB whatever the input, and says what it leaves out. verdict.json is embedded as
 * data when it is small enough.
 *
 * Imports the chart library, so load this module only when the report is wanted.
 */
export function renderHtml(
  verdict: VerdictFile,
  metrics: MetricsFile | null,
  plots: readonly PlotData[],
  examples: readonly AugmentationExample[] = [],
): string {
  const budgets: Budgets = {
    checks: { left: maxCharacters.checks },
    measurements: { left: maxCharacters.measurements },
    answers: { left: maxCharacters.answers },
    texts: { left: maxCharacters.texts },
    examples: { left: maxCharacters.examples },
  };
  const drawn = drawAll(verdict.models, metrics, plots);
  const sections = verdict.models.map((model, i) =>
    modelSection(
      model,
      metrics,
      drawn[i] ?? { forest: "", figures: [], left: 0 },
      budgets,
      {
        heads: plots.filter(({ modelId }) => modelId === model.model.id),
        examples: examples.filter(({ modelId }) => modelId === model.model.id),
      },
      verdict.models.length === 1,
    ),
  );
  const commands = reproduceCommands(verdict);
  const sectionHeading = verdict.models.length === 1 ? "h3" : "h2";
  const json = spend(embeddedJson(verdict), { left: maxCharacters.json });
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="generator" content="Sluice ${htmlText(verdict.sluiceVersion)}"><title>${verdict.verdict}: ${htmlText(
    verdict.models
      .map(({ model }) => model.id)
      .join(", ")
      .slice(0, 200),
  )}</title><style>${style}</style></head>
<body><header>${banner(verdict)}</header>
<main>
${sections.join("\n")}
${commands.length === 0 ? "" : `<${sectionHeading}>Reproduce on your machine (latency aside)</${sectionHeading}><pre><code>${commands.slice(0, 100).map(htmlText).join("\n")}</code></pre>`}
</main>
<footer><p>Sluice ${htmlText(verdict.sluiceVersion)} · ${htmlText(verdict.createdAt)}${verdict.commit === null ? "" : ` · commit <span class="hash" title="${htmlText(verdict.commit)}">${htmlText(shortDigest(verdict.commit))}</span>`}</p>${json === null ? "<p>verdict.json is too large to be embedded here; it lies beside this file.</p>" : ""}</footer>
${json === null ? "" : `<script type="application/json" id="verdict">${json}</script>\n`}</body></html>
`;
}

/** The verdict, said once, and why. */
function banner(verdict: VerdictFile): string {
  const [only] = verdict.models;
  const subject =
    verdict.models.length === 1 && only !== undefined
      ? `${htmlText(only.model.id)} ${htmlText(only.model.version)}`
      : verdict.models.length === 0
        ? "nothing was evaluated"
        : `${verdict.models.length} models`;
  const overview =
    verdict.models.length < 2
      ? ""
      : `<ul>${verdict.models
          .slice(0, 100)
          .map(
            (one) =>
              `<li class="v-${one.verdict}"><span class="word">${one.verdict}</span> ${htmlText(one.model.id)} ${htmlText(one.model.version)} <span class="faint">${tally(one.checks)}</span></li>`,
          )
          .join("")}</ul>`;
  const meaning =
    verdict.verdict === "PASS" || verdict.verdict === "FAIL"
      ? ""
      : `<p class="faint">${verdict.verdict} means: ${verdictMeaning[verdict.verdict]}.</p>`;
  const reason = overview === "" ? `<p>${htmlText(cut(verdict.reason, 1000))}</p>` : "";
  return `<div class="banner v-${verdict.verdict}"><h1><span class="word">${verdict.verdict}</span> ${subject}</h1>${reason}${meaning}${overview}</div>`;
}

/** Draws the forests of all models first, then the other plots in turn, as long as there is space. */
function drawAll(
  models: readonly ModelVerdict[],
  metrics: MetricsFile | null,
  plots: readonly PlotData[],
): ModelPlots[] {
  const budget: Budget = { left: maxCharacters.plots };
  const drawn = models.map((model, i): ModelPlots => ({
    forest: forestHtml(model, `p${i}f`, budget),
    figures: [],
    left: 0,
  }));
  for (const [i, model] of models.entries()) {
    const one = drawn[i];
    if (one === undefined) continue;
    for (const { heading, plot } of plotsOf(model, metrics, plots, `p${i}`)) {
      if (spend(plot.svg, budget) === null) one.left += 1;
      else one.figures.push({ heading, plot });
    }
  }
  return drawn;
}

function forestHtml(model: ModelVerdict, id: string, budget: Budget): string {
  const forest = forestPlot(model.checks, id);
  if (forest === null) return "";
  const left = forest.left === 0 ? "" : `<p>… ${forest.left} more in the table below.</p>`;
  const html = `<figure><div class="wide">${forest.wide}</div><div class="narrow">${forest.narrow}</div><figcaption>${forest.caption}</figcaption></figure>${left}`;
  return spend(html, budget) ?? "<p>Left out to keep this file small.</p>";
}

function plotsOf(
  model: ModelVerdict,
  metrics: MetricsFile | null,
  plots: readonly PlotData[],
  id: string,
): ModelPlots["figures"] {
  const mine = plots.filter(({ modelId }) => modelId === model.model.id);
  const heads = mine.flatMap((data, k) => {
    const made = [
      rocPlot(data, `${id}h${k}o`),
      calibrationPlot(data, `${id}h${k}c`),
      scoreHistogramPlot(data, `${id}h${k}s`),
      ...forecastPlots(data, `${id}h${k}t`),
      ...regressionPlots(data, `${id}h${k}g`),
    ];
    return made
      .filter((plot) => plot !== null)
      .map((plot) => ({ plot, heading: mine.length > 1 ? `${plot.title}, ${data.head}` : plot.title }));
  });
  const { candidate, baseline } = metricsOf(metrics, model);
  const latency = latencyPlot(candidate?.performance ?? null, baseline?.performance ?? null, `${id}l`);
  return latency === null ? heads : [...heads, { plot: latency, heading: latency.title }];
}
