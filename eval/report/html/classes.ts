import { classFigures, type ClassRecall, type Confusion } from "../content/class-figures.ts";
import type { PlotData } from "../content/plot-data.ts";
import { htmlText } from "../text/escape-html.ts";
import { count, counted, percent } from "../text/format.ts";
import { cut } from "../text/text.ts";
import type { Budget } from "./budget.ts";
import { folded } from "./folded.ts";

const share = (value: number): string => percent(Number(value.toFixed(3)));

/**
 * Of a head with more than two classes: recall per class, the lowest first, and what is taken for what.
 * @param named whether the heading names the head
 */
export function classTables({ candidate, baseline, head }: PlotData, named: boolean, budget: Budget): string {
  if (candidate.task !== "multiclass-classification" || candidate.labels.length === 0) return "";
  const { recalls, confusions } = classFigures(candidate, baseline);
  const of = !named ? "" : ` of ${htmlText(cut(head, 60))}`;
  const before = baseline === null ? "" : '<th scope="col" class="n">baseline</th>';
  return `<h3>Classes${of}</h3>${folded(
    {
      name: "Recall per class",
      about: `Recall of ${counted(recalls.length, "class", "classes")}, the lowest first; 95 % Wilson interval, rows taken as independent.`,
      head: `<tr><th scope="col">class</th><th scope="col" class="n">rows</th><th scope="col" class="n">recall</th>${before}</tr>`,
    },
    recalls.map(recallRow),
    budget,
  )}${
    confusions.length === 0
      ? '<p class="faint">No row is taken for another class.</p>'
      : folded(
          {
            name: "Confusions",
            about: "What is taken for what, the most rows first.",
            head: `<tr><th scope="col">class</th><th scope="col">taken for</th><th scope="col" class="n">rows</th><th scope="col" class="n">of the class</th>${before}</tr>`,
          },
          confusions.map(confusionRow),
          budget,
        )
  }`;
}

function recallRow({ name, rows, recall, low, high, baseline }: ClassRecall): string {
  return `<tr><td class="name">${htmlText(cut(name, 120))}</td><td class="n">${count(rows)}</td><td class="n">${share(recall)} <span class="faint">[${share(low)}, ${share(high)}]</span></td>${baseline === null ? "" : `<td class="n">${share(baseline)}</td>`}</tr>`;
}

function confusionRow({ truth, answer, candidate, baseline, ofTruth }: Confusion): string {
  return `<tr><td class="name">${htmlText(cut(truth, 120))}</td><td class="name">${htmlText(cut(answer, 120))}</td><td class="n">${count(candidate)}</td><td class="n">${share(candidate / ofTruth)}</td>${baseline === null ? "" : `<td class="n">${count(baseline)}</td>`}</tr>`;
}
