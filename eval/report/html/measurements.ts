import { betterArrow } from "../content/better-arrow.ts";
import type { Measurement, MetricResult, ModelMetrics } from "../../schema/metrics.ts";
import { count, counted, significant } from "../text/format.ts";
import { measurementLabel } from "../content/measurement-label.ts";
import { shownSignature } from "../content/signature.ts";
import { intervalHeading } from "../content/levels.ts";
import { cut } from "../text/text.ts";
import { type Budget, takeWithin } from "./budget.ts";
import { htmlText } from "../text/escape-html.ts";

/** Everything that was measured, by metric and slice, whether or not a check decides on it. */
export function measurementTable(
  candidate: ModelMetrics | null,
  baseline: ModelMetrics | null,
  budget: Budget,
): string {
  const key = (one: Measurement) => JSON.stringify([measurementLabel(one), one.slice]);
  const before = new Map((baseline?.measurements ?? []).map((one) => [key(one), one.result]));
  const rows = (candidate?.measurements ?? []).map(
    (one) =>
      `<tr><td><code>${htmlText(measurementLabel(one))}</code> ${betterArrow(one)}${signed(one)}</td><td class="name">${htmlText(cut(one.slice, 200))}</td><td class="n">${value(one.result)}</td><td class="n">${value(before.get(key(one)))}</td><td class="n">${count(one.result.n)}</td></tr>`,
  );
  if (rows.length === 0) return "";
  const { taken, left } = takeWithin(rows, budget);
  const heading = intervalHeading(
    [candidate, baseline].flatMap((side) =>
      (side?.measurements ?? []).map(({ result }) => (result.status === "ok" ? result.interval : null)),
    ),
  );
  return `<details><summary>All ${counted(rows.length, "measured figure")}</summary><div class="scroll" tabindex="0" role="region" aria-label="All measured figures"><table><thead><tr><th scope="col">metric</th><th scope="col">slice</th><th scope="col" class="n">candidate, ${heading}</th><th scope="col" class="n">baseline</th><th scope="col" class="n">rows</th></tr></thead><tbody>${taken.join("")}</tbody></table></div>${left === 0 ? "" : `<p>… ${counted(left, "more figure")} in metrics.json.</p>`}</details>`;
}

function value(result: MetricResult | undefined): string {
  if (result === undefined) return "—";
  if (result.status === "undefined") return `<span title="${htmlText(cut(result.reason, 200))}">undefined</span>`;
  const { interval } = result;
  return `${significant(result.value)}${interval === null ? "" : ` <span class="faint" title="${htmlText(cut(interval.method, 120))}">[${significant(interval.low)}, ${significant(interval.high)}]</span>`}`;
}

function signed(one: Measurement): string {
  const signature = shownSignature(one);
  return signature === null ? "" : `<br><small>${htmlText(signature)}</small>`;
}
