import type { Check } from "../../schema/verdict.ts";
import { checkName, checkNumbers } from "../content/check-numbers.ts";
import { byAttention } from "../content/check-order.ts";
import { checkWord } from "../content/check-word.ts";
import { intervalHeading } from "../content/levels.ts";
import { evidence } from "../content/evidence.ts";
import { shownSignature } from "../content/signature.ts";
import { count, counted, percent } from "../text/format.ts";
import { cut } from "../text/text.ts";
import { type Budget, takeWithin } from "./budget.ts";
import { betterArrow } from "../content/better-arrow.ts";
import { htmlText } from "../text/escape-html.ts";

/** The check table. Each check is a table body of its own, and its reason opens to show the decision written out. */
export function checkTable(checks: readonly Check[], budget: Budget): string {
  if (checks.length === 0) return `<p>No check was made.</p>`;
  const ordered = byAttention(checks);
  const { taken, left } = takeWithin(ordered.map(checkRows), budget);
  // What is not PASS is always open; of many that pass, a few stand for the rest.
  const notPassed = ordered.filter((check) => check.verdict !== "PASS").length;
  const open = notPassed + shownPassed + 1 >= taken.length ? taken.length : Math.max(notPassed, shownPassed);
  const heading = intervalHeading(checks.map((check) => check.interval));
  const table = (rows: readonly string[]) => checksTable(rows, heading);
  const folded = taken.slice(open);
  const more =
    left === 0
      ? ""
      : `<p>… ${counted(left, "more check")}, every one that is not PASS shown first; verdict.json has them all.</p>`;
  return `${table(taken.slice(0, open))}${folded.length === 0 ? "" : `<details><summary>${counted(folded.length, "more check")}, PASS</summary>${table(folded)}</details>`}${more}<p><small>↑ higher is better, ↓ lower is better. Intervals are of the difference; for a limit, of the candidate's value. “loss” is how much worse than the baseline, “gain” how much better. Open a reason to see the decision written out.</small></p>`;
}

const shownPassed = 20;

// Roles are repeated because the phone layout turns the table into cards, and browsers then no longer treat it as a
// table.
function checksTable(rows: readonly string[], heading: string): string {
  return `<table class="checks" role="table"><thead role="rowgroup"><tr role="row">${["verdict", "metric", "slice", "candidate", "baseline", `difference, ${heading}`, "rule", "rows"].map((head, i) => `<th role="columnheader" scope="col"${i > 2 && i !== 6 ? ' class="n"' : ""}>${head}</th>`).join("")}</tr></thead>
${rows.join("\n")}</table>`;
}

function checkRows(check: Check): string {
  const numbers = checkNumbers(check);
  const { verdict, text, aside } = checkWord(check);
  const unit =
    numbers.unit === "" || check.metric.endsWith(`_${numbers.unit}`) ? "" : ` <small>${htmlText(numbers.unit)}</small>`;
  const signature = shownSignature(check);
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
    `<tbody role="rowgroup" class="v-${verdict ?? "none"}"><tr role="row" class="lead"><td role="cell"><span class="word">${text}</span>${aside === "" ? "" : ` <small title="shown, does not decide">${aside}</small>`}</td>` +
    `<td role="cell"><code>${htmlText(checkName(check))}</code> ${betterArrow(check)}${unit}${signature === null ? "" : `<br><small>${htmlText(signature)}</small>`}</td>` +
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
