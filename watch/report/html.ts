import { style } from "../../eval/report/html/style.ts";
import { htmlText } from "../../eval/report/text/escape-html.ts";
import { count, significant } from "../../eval/report/text/format.ts";
import type { WatchCheck, WatchedModel, WatchFile } from "../schema/verdict.ts";
import { nameOf } from "../checks/check.ts";
import { groups, limitOf } from "./markdown.ts";

/** report.html: one self-contained file with the shares of each answer and drifted feature as bars, and every check. */
export function renderWatchHtml(verdict: WatchFile): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="generator" content="Sluice ${htmlText(verdict.sluiceVersion)}"><title>Watch: ${verdict.verdict}</title><style>${style}${bars}</style></head>
<body><header><div class="banner v-${verdict.verdict}"><h1><span class="word">${verdict.verdict}</span> watch</h1><p>${htmlText(verdict.reason)}</p></div></header>
<main>
${verdict.models.map(section).join("\n")}
</main>
<footer><p>Sluice ${htmlText(verdict.sluiceVersion)} · ${htmlText(verdict.createdAt)}</p></footer></body></html>
`;
}

const bars = `.shares{display:grid;grid-template-columns:repeat(auto-fill,minmax(19rem,1fr));gap:1rem}.shares figure{margin:0}.shares svg{width:100%;height:auto}.reference{fill:#8a94a6}.live{fill:#c2410c}`;

function section(one: WatchedModel): string {
  const { window } = one;
  return `<section><h2><span class="v-${one.verdict}"><span class="word">${one.verdict}</span></span> ${htmlText(one.model.id)} ${htmlText(one.model.version)}</h2>
<p>${htmlText(one.reason)}</p>
${window === null ? "" : `<p class="faint">${count(window.answered)} rows answered, ${count(window.refused)} refused, ${htmlText(window.from)} to ${htmlText(window.to)}, ${count(window.instances)} servers.</p>`}
${one.notes.length === 0 ? "" : `<ul>${one.notes.map((note) => `<li>${htmlText(note)}</li>`).join("")}</ul>`}
${one.distributions.length === 0 ? "" : `<h3>Shares: the gate's rows (grey) and live (orange)</h3><div class="shares">${one.distributions.map(picture).join("")}</div>`}
${groups
  .map(({ group, title }) =>
    checksTable(
      title,
      one.checks.filter((check) => check.group === group),
    ),
  )
  .join("\n")}</section>`;
}

/** Two bars per cell, by share. */
function picture({ variable, cells, reference, live }: WatchedModel["distributions"][number]): string {
  const [n, m] = [sum(reference), sum(live)];
  const top = Math.max(
    ...reference.map((one) => one / Math.max(1, n)),
    ...live.map((one) => one / Math.max(1, m)),
    1e-9,
  );
  const [width, height] = [300, 120];
  const step = width / cells.length;
  const bar = (share: number, x: number, kind: string, title: string) => {
    const tall = (share / top) * height;
    return `<rect class="${kind}" x="${x.toFixed(1)}" y="${(height - tall).toFixed(1)}" width="${(step * 0.4).toFixed(1)}" height="${tall.toFixed(1)}"><title>${htmlText(title)}</title></rect>`;
  };
  const drawn = cells.map((cell, i) => {
    const [before, now] = [reference[i]! / Math.max(1, n), live[i]! / Math.max(1, m)];
    return (
      bar(before, i * step + step * 0.08, "reference", `${cell}: ${(100 * before).toFixed(1)} % of the gate's rows`) +
      bar(now, i * step + step * 0.52, "live", `${cell}: ${(100 * now).toFixed(1)} % live`)
    );
  });
  return `<figure><svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${htmlText(`Shares of ${variable}`)}">${drawn.join("")}</svg><figcaption>${htmlText(variable)} <span class="faint">${count(n)} and ${count(m)} rows</span></figcaption></figure>`;
}

const sum = (counts: readonly number[]) => counts.reduce((all, one) => all + one, 0);

function checksTable(title: string, checks: readonly WatchCheck[]): string {
  if (checks.length === 0) return "";
  const rows = checks.map(
    (check) =>
      `<tr><td class="v-${check.verdict}"><span class="word">${check.verdict}</span>${check.advisory ? " informs" : ""}</td><td>${htmlText(nameOf(check))}</td><td>${check.observed === null ? "–" : significant(check.observed)}</td><td>${check.interval === null ? "–" : `${significant(check.interval.low)} to ${significant(check.interval.high)}`}</td><td>${htmlText(limitOf(check))}</td><td>${count(check.n)}</td><td>${htmlText(check.reason)}</td></tr>`,
  );
  return `<h3>${htmlText(title)}</h3><table><thead><tr><th>verdict</th><th>what</th><th>observed</th><th>interval</th><th>limit</th><th>n</th><th>why</th></tr></thead><tbody>${rows.join("")}</tbody></table>`;
}
