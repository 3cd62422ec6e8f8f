import type { InlineKeyboardButton } from "@grammyjs/types";
import { escapeHtml, isLink, maxTextLength, truncate, truncateHtml } from "../telegram/format.ts";
import type { Content } from "../telegram/send-or-edit.ts";
import type { ShownCheck } from "./deciding-checks.ts";
import { partsOf, type CardParts } from "./parts.ts";
import { richCard } from "./rich.ts";
import type { CardState } from "./state.ts";

/**
 * One candidate's card in every form: blocks with a table, HTML with <pre>, plain text. No form exceeds Telegram's
 * limits, and no text from outside becomes markup, a mention or a command.
 *
 * @param extraButtons rows that a bot puts under the card's links
 */
export function renderCard(state: CardState, extraButtons: InlineKeyboardButton[][] = []): Content {
  const parts = partsOf(state);
  const links = linkRow(state);
  const buttons = [...(links.length === 0 ? [] : [links]), ...extraButtons];
  return {
    rich: richCard(parts),
    html: truncateHtml(htmlCard(parts, state)),
    plain: truncate(plainCard(parts), maxTextLength),
    ...(buttons.length === 0 ? {} : { buttons }),
  };
}

const rows = (check: ShownCheck) => [
  `${check.verdict} ${check.name}`,
  `  ${check.observed}, ${check.baseline === "no baseline" ? "" : "baseline "}${check.baseline}`,
  ...(check.difference === ""
    ? []
    : [`  ${check.difference.startsWith("value") ? "" : "difference "}${check.difference}`]),
  `  asks: ${check.rule}`,
];

function htmlCard(parts: CardParts, { links }: CardState): string {
  const { sign, name, headline, progress, explanation, baseline, verdict, checks, summary, latency, origin } = parts;
  const e = escapeHtml;
  const commit = links.commit !== null && isLink(links.commit) ? links.commit : null;
  return [
    `${sign} <b>${e(name)}</b>: ${e(headline)}`,
    ...(progress === "" ? [] : [e(progress)]),
    ...explanation.map((line) => `<i>${e(line)}</i>`),
    ...(verdict === null ? [] : [`Verdict: <b>${e(verdict)}</b>`]),
    ...(checks.length === 0 ? [] : [`<pre>${e(checks.flatMap(rows).join("\n"))}</pre>`]),
    ...(summary === null ? [] : [e(summary)]),
    ...(latency === null ? [] : [`Latency: <code>${e(latency)}</code> of the baseline`]),
    ...(baseline === null ? [] : [`Baseline: ${e(baseline)}`]),
    ...(origin.length === 0
      ? []
      : [commit === null ? e(origin.join(" · ")) : `<a href="${e(commit)}">${e(origin.join(" · "))}</a>`]),
  ].join("\n");
}

function plainCard({
  sign,
  name,
  headline,
  progress,
  explanation,
  baseline,
  verdict,
  checks,
  summary,
  latency,
  origin,
}: CardParts): string {
  return [
    `${sign} ${name}: ${headline}`,
    ...(progress === "" ? [] : [progress]),
    ...explanation,
    ...(verdict === null ? [] : [`Verdict: ${verdict}`]),
    ...checks.flatMap(rows),
    ...(summary === null ? [] : [summary]),
    ...(latency === null ? [] : [`Latency: ${latency} of the baseline`]),
    ...(baseline === null ? [] : [`Baseline: ${baseline}`]),
    ...(origin.length === 0 ? [] : [origin.join(" · ")]),
  ].join("\n");
}

/** The row of links, without addresses that Telegram refuses: a single one would make it refuse the whole message. */
export function linkRow({ links }: CardState): { text: string; url: string }[] {
  const wanted: [string, string | null][] = [
    ["Run", links.run],
    ["Report", links.report],
    ["Pull request", links.pullRequest],
    ["Space", links.space],
  ];
  return wanted.flatMap(([text, url]) => (url !== null && isLink(url) ? [{ text, url }] : []));
}
