import type { ModelMetrics } from "../../schema/metrics.ts";
import type { ModelVerdict } from "../../schema/verdict.ts";
import type { AugmentationExample } from "../content/augmentation-example.ts";
import { type AugmentationTable, augmentationTables } from "../content/augmentations.ts";
import { intervalHeading } from "../content/levels.ts";
import { htmlText } from "../text/escape-html.ts";
import { count, counted, significant } from "../text/format.ts";
import { cut } from "../text/text.ts";
import { type Budget, takeWithin } from "./budget.ts";

/** The figures on altered copies of the rows, and a row of each beside its copy. */
export function augmentationSection(
  model: ModelVerdict,
  candidate: ModelMetrics | null,
  baseline: ModelMetrics | null,
  examples: readonly AugmentationExample[],
  budget: Budget,
): string {
  const tables = augmentationTables(model, candidate, baseline);
  if (tables.length === 0) return "";
  const shown = takeWithin(examples.map(exampleFigure), budget);
  const pairs = shown.taken.length === 0 ? "" : `<div class="pairs">${shown.taken.join("")}</div>`;
  const left =
    shown.left === 0 ? "" : `<p>… ${counted(shown.left, "more example")} left out to keep this file small.</p>`;
  return `<h3>Augmentations</h3><p class="faint">Altered copies of the rows. They count in these slices and in no other figure.</p>${tables.map((one) => tableOf(one, budget)).join("")}${pairs}${left}`;
}

function tableOf({ label, unit, direction, all, rows }: AugmentationTable, budget: Budget): string {
  const number = (value: number | null) => (value === null ? "—" : significant(value));
  const { taken, left } = takeWithin(
    rows.map(
      (one) =>
        `<tr><td class="name">${htmlText(one.name)} <small>${htmlText(cut(one.what, 200))}</small></td><td class="n">${count(one.n)}</td><td class="n">${number(one.value)}${one.interval === null ? "" : ` <span class="faint">[${significant(one.interval.low)}, ${significant(one.interval.high)}]</span>`}</td><td class="n">${number(all)}</td><td class="n">${number(one.baseline)}</td></tr>`,
    ),
    budget,
  );
  const metric = `${htmlText(label)} ${direction === "higher" ? "↑" : "↓"}${unit === "" ? "" : ` ${htmlText(cut(unit, 30))}`}`;
  return `<div class="scroll" tabindex="0" role="region" aria-label="Augmentations by ${htmlText(label)}"><table><thead><tr><th scope="col">augmentation</th><th scope="col" class="n">rows</th><th scope="col" class="n">${metric}, ${intervalHeading(rows.map(({ interval }) => interval))}</th><th scope="col" class="n">all rows as they came</th><th scope="col" class="n">baseline</th></tr></thead><tbody>${taken.join("")}</tbody></table></div>${left === 0 ? "" : `<p>… ${counted(left, "more augmentation")} in metrics.json.</p>`}`;
}

function exampleFigure(one: AugmentationExample): string {
  const caption = `<figcaption><b>${htmlText(one.name)}</b> row ${htmlText(cut(one.row, 80))}, before and after</figcaption>`;
  if (one.kind === "text")
    return `<figure>${caption}<blockquote>${htmlText(cut(one.before, 300))}</blockquote><blockquote>${htmlText(cut(one.after, 300))}</blockquote></figure>`;
  const picture = (url: string, when: string) =>
    `<img src="${htmlText(url)}" width="${one.width}" height="${one.height}" alt="The picture ${when} the augmentation ${htmlText(one.name)}">`;
  return `<figure>${caption}<div class="pair">${picture(one.before, "before")}${picture(one.after, "after")}</div></figure>`;
}
