import type { Check } from "../../schema/verdict.ts";
import { checkName, checkNumbers } from "../content/check-numbers.ts";
import { byAttention } from "../content/check-order.ts";
import { evidence } from "../content/evidence.ts";
import { count, counted, percent } from "../text/format.ts";
import { cut } from "../text/text.ts";
import { type Budget, takeWithin } from "./budget.ts";
import { htmlText } from "../text/escape-html.ts";

/** The check table. Each check is a table body of its own, and its reason opens to show the decision written out. */
export function checkTable(checks: readonly Check[], budget: Budget): string {
  if (checks.length === 0) return `<p>No check was made.</p>`;
  const { taken, left } = takeWithin(byAttention(checks).map(checkRows), budget);
  const more =
    left === 0
      ? ""
      : `<p>… ${counted(left, "more check")}, every one that is not PASS shown first; verdict.json has them all.</p>`;
  // Roles are repeated because the phone layout turns the table into cards, and browsers then no longer treat it as a
  // table.
  return `<table class="checks" role="table"><thead role="rowgroup"><tr role="row">${["verdict", "metric", "slice", "candidate", "baseline", "difference, interval", "rule", "rows"].map((head, i) => `<th role="columnheader" scope="col"${i > 2 && i !== 6 ? ' class="n"' : ""}>${head}</th>`).join("")}</tr></thead>
${taken.join("\n")}</table>${more}<p><small>↑ higher is better, ↓ lower is better. Intervals are of the difference; for a limit, of the candidate's value. “loss” is how much worse than the baseline, “gain” how much better. Open a reason to see the decision written out.</small></p>`;
}

function checkRows(check: Check): string {
  const numbers = checkNumbers(check);
  const unit =
    numbers.unit === "" || check.metric.endsWith(`_${numbers.unit}`) ? "" : ` <small>${htmlText(numbers.unit)}</small>`;
  const cell = (content: string, label: string, kind = "n") =>
    `<td role="cell" class="${kind}" data-label="${label}">${content}</td>`;
  const level =
    check.interval === null
      ? ""
      : ` title="${percent(check.interval.level)} interval, ${htmlText(cut(check.interval.method, 120))}"`;
  const candidate =
    check.kind === "limit" && numbers.interval !== ""
      ? `${numbers.candidate} <span${level}>${numbers.interval}</span>`
      : numbers.candidate;
  const difference =
    check.kind === "limit"
      ? numbers.difference
      : `${numbers.difference}${numbers.interval === "" ? "" : ` <span${level}>${numbers.interval}</span>`}`;
  const place =
    check.declaredAt === null
      ? ""
      : `<li>declared at <code>${htmlText(check.declaredAt.file)}:${check.declaredAt.line}</code></li>`;
  return (
    `<tbody role="rowgroup" class="v-${check.verdict}"><tr role="row" class="lead"><td role="cell"><span class="word">${check.verdict}</span>${check.advisory ? ` <small title="shown, does not decide">${check.waiver === undefined ? "advisory" : "waived"}</small>` : ""}</td>` +
    `<td role="cell"><code>${htmlText(checkName(check))}</code> ${check.direction === "higher" ? "↑" : "↓"}${unit}</td>` +
    `<td role="cell" class="full">${htmlText(cut(check.slice, 200))}</td>` +
    cell(candidate, "candidate") +
    cell(numbers.baseline, "baseline") +
    cell(difference, "difference", "n full") +
    cell(htmlText(numbers.rule), "rule", "") +
    cell(count(check.n), "rows") +
    `</tr><tr role="row" class="why"><td role="cell" colspan="8"><details><summary>${htmlText(cut(check.reason, 600))}</summary><ol class="evidence">${evidence(
      check,
    )
      .map((line) => `<li>${htmlText(line)}</li>`)
      .join("")}${place}</ol></details></td></tr></tbody>`
  );
}
