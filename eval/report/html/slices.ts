import type { ModelMetrics } from "../../schema/metrics.ts";
import { intervalHeading } from "../content/levels.ts";
import { type RankedSlice, rowsToRank, type SliceRanking, sliceRankings } from "../content/slice-ranking.ts";
import { count, counted, significant } from "../text/format.ts";
import { cut } from "../text/text.ts";
import { type Budget, takeWithin } from "./budget.ts";
import { htmlText } from "../text/escape-html.ts";

/** Slices that are shown openly; the rest of a ranking folds out. */
const open = 8;

/** A table per head: its slices by one metric that does not depend on how common a class is, the worst first. */
export function sliceTables(candidate: ModelMetrics | null, baseline: ModelMetrics | null, budget: Budget): string {
  const rankings = sliceRankings(candidate, baseline);
  return rankings.length === 0 ? "" : `<h3>Slices</h3>${rankings.map((one) => sliceTable(one, budget)).join("")}`;
}

function sliceTable(ranking: SliceRanking, budget: Budget): string {
  const { taken, left } = takeWithin(ranking.slices.map(sliceRow), budget);
  const metric = `${htmlText(ranking.label)} ${ranking.direction === "higher" ? "↑" : "↓"}${ranking.unit === "" ? "" : ` ${htmlText(cut(ranking.unit, 30))}`}`;
  const head = `<thead><tr><th scope="col">slice</th><th scope="col" class="n">rows</th><th scope="col" class="n">${metric}, ${intervalHeading(ranking.slices.map((one) => one.interval))}</th><th scope="col" class="n">baseline</th></tr></thead>`;
  const table = (rows: readonly string[]) =>
    `<div class="scroll" tabindex="0" role="region" aria-label="Slices by ${htmlText(ranking.label)}"><table>${head}<tbody>${rows.join("")}</tbody></table></div>`;
  const more = taken.slice(open);
  const ranked = ranking.slices.filter((one) => one.unranked === null).length;
  const about = `${counted(ranked, "slice")} by <code>${htmlText(ranking.label)}</code>, the worst first${ranked < ranking.slices.length ? `; ${counted(ranking.slices.length - ranked, "other")} not ranked (fewer than ${rowsToRank} rows, or undefined) stand last` : ""}. All rows: ${ranking.all === null ? "undefined" : significant(ranking.all)}.`;
  return `<p class="faint">${about}</p>${table(taken.slice(0, open))}${more.length === 0 ? "" : `<details><summary>${counted(more.length, "more slice")}</summary>${table(more)}</details>`}${left === 0 ? "" : `<p>… ${counted(left, "more slice")} in metrics.json.</p>`}`;
}

function sliceRow({ slice, n, value, interval, baseline, unranked }: RankedSlice): string {
  const figure =
    value === null
      ? "—"
      : `${significant(value)}${interval === null ? "" : ` <span class="faint">[${significant(interval.low)}, ${significant(interval.high)}]</span>`}`;
  return `<tr><td class="name">${htmlText(cut(slice, 200))}${unranked === null ? "" : ` <small>${htmlText(cut(unranked, 120))}</small>`}</td><td class="n">${count(n)}</td><td class="n">${figure}</td><td class="n">${baseline === null ? "—" : significant(baseline)}</td></tr>`;
}
