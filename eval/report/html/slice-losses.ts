import { pText, restsOnT } from "../../judge/slice-regressions.ts";
import type { Check } from "../../schema/verdict.ts";
import { checkName, checkNumbers } from "../content/check-numbers.ts";
import { commonLevel, intervalHeading } from "../content/levels.ts";
import { type SliceLoss, sliceLosses } from "../content/slice-losses.ts";
import { htmlText } from "../text/escape-html.ts";
import { count, counted, percent } from "../text/format.ts";
import { cut } from "../text/text.ts";
import { type Budget, takeWithin } from "./budget.ts";

/** Comparisons that are shown openly, besides those that regressed; the rest folds out. */
const open = 8;

/** Every slice that was compared with the baseline, the likeliest loss first, and which of them regressed. */
export function sliceLossTable(checks: readonly Check[], budget: Budget): string {
  const found = sliceLosses(checks);
  if (found === null || found.losses.length < 2) return "";
  const { losses, alpha } = found;
  const ownLevel = commonLevel(losses.map(({ interval }) => interval)) === null;
  const { taken, left } = takeWithin(
    losses.map((one) => lossRow(one, ownLevel)),
    budget,
  );
  const regressed = losses.filter((one) => one.regressed).length;
  const shown = Math.max(open, Math.min(regressed, 50));
  const head = `<thead><tr><th scope="col">slice</th><th scope="col">metric</th><th scope="col" class="n">rows</th><th scope="col" class="n">difference, ${intervalHeading(losses.map(({ interval }) => interval))}</th><th scope="col" class="n">p</th><th scope="col" class="n">p, Holm</th></tr></thead>`;
  const table = (rows: readonly string[]) =>
    `<div class="scroll" tabindex="0" role="region" aria-label="Slices compared with the baseline"><table>${head}<tbody>${rows.join("")}</tbody></table></div>`;
  const more = taken.slice(shown);
  return `<h3>Which slices regressed</h3><p class="faint">${regressed === 0 ? "No slice is" : `${counted(regressed, "comparison")} ${regressed === 1 ? "is" : "are"}`} shown to have regressed, of ${count(losses.length)}. The probability of naming any wrongly is at most ${percent(alpha)} (Holm; ${restsOnT(losses) ? "one-sided t test of no loss, an approximation where rows are few and errors skewed; exact sign test for shares" : "one-sided exact sign test of no loss"}).</p>${table(taken.slice(0, shown))}${more.length === 0 ? "" : `<details><summary>${counted(more.length, "more comparison")}</summary>${table(more)}</details>`}${left === 0 ? "" : `<p>… ${counted(left, "more comparison")} in verdict.json.</p>`}`;
}

function lossRow({ check, interval, p, adjusted, regressed }: SliceLoss, ownLevel: boolean): string {
  const numbers = checkNumbers(check);
  const word = regressed ? ' <span class="word v-FAIL">regressed</span>' : "";
  return `<tr><td class="name">${htmlText(cut(check.slice, 200))}${word}</td><td><code>${htmlText(cut(checkName(check), 120))}</code></td><td class="n">${count(check.n)}</td><td class="n">${numbers.difference} <span class="faint">${numbers.interval}${ownLevel ? ` (${percent(interval.level)})` : ""}</span></td><td class="n">${htmlText(pText(p))}</td><td class="n">${htmlText(pText(adjusted))}</td></tr>`;
}
