import { markdownCode, markdownText } from "../../eval/report/text/escape-markdown.ts";
import { count, significant } from "../../eval/report/text/format.ts";
import { verdictMark } from "../../eval/report/text/verdict-mark.ts";
import { nameOf } from "../checks/check.ts";
import type { WatchCheck, WatchedModel, WatchFile } from "../schema/verdict.ts";

/** Checks of one group that are listed; the rest is counted. */
const MAX_ROWS = 25;

export const groups = [
  { group: "performance", title: "By true labels" },
  { group: "answers", title: "Answers" },
  { group: "quality", title: "Data quality" },
  { group: "features", title: "Inputs, which inform" },
] as const;

/** report.md: the verdict, then per model what decided, what was counted, and what informs. */
export function renderWatchMarkdown(verdict: WatchFile): string {
  return `${[
    `## ${verdictMark[verdict.verdict]} Watch: ${verdict.verdict}`,
    markdownText(verdict.reason),
    ...verdict.models.map(modelSection),
    `<sub>Sluice ${markdownText(verdict.sluiceVersion)} · ${verdict.createdAt}</sub>`,
  ].join("\n\n")}\n`;
}

function modelSection(one: WatchedModel): string {
  const { model, window } = one;
  const seen =
    window === null
      ? ""
      : `${count(window.answered)} rows answered and ${count(window.refused)} refused from ${minutes(window.from)} to ${minutes(window.to)} UTC, by ${count(window.instances)} server${window.instances === 1 ? "" : "s"}, against ${one.profile === null ? "nothing" : `${count(one.profile.dataset.rows)} rows of ${markdownCode(one.profile.dataset.id)}`}.`;
  return [
    `### ${verdictMark[one.verdict]} ${markdownText(model.id)} ${markdownText(model.version)}: ${one.verdict}`,
    markdownText(one.reason),
    seen,
    ...groups.map(({ group, title }) =>
      table(
        title,
        one.checks.filter((check) => check.group === group),
      ),
    ),
    one.events.length === 0
      ? ""
      : `Business events: ${one.events.map(({ event, n, sum }) => `${markdownText(event)} ${count(n)}, sum ${significant(sum)}`).join("; ")}.`,
    one.notes.map((note) => `- ${markdownText(note)}`).join("\n"),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

const minutes = (iso: string) => `${iso.slice(0, 10)} ${iso.slice(11, 16)}`;

function table(title: string, checks: readonly WatchCheck[]): string {
  if (checks.length === 0) return "";
  const sorted = [...checks].toSorted((a, b) => rank(b) - rank(a) || (b.observed ?? 0) - (a.observed ?? 0));
  const rows = sorted
    .filter((check) => !check.advisory || check.verdict !== "PASS")
    .slice(0, MAX_ROWS)
    .map(
      (check) =>
        `| ${verdictMark[check.verdict]} ${check.verdict}${check.advisory ? " (informs)" : ""} | ${markdownText(nameOf(check))} | ${figure(check.observed)} | ${limitOf(check)} | ${count(check.n)} | ${markdownText(check.reason)} |`,
    );
  const left = checks.length - rows.length;
  if (rows.length === 0) return `**${title}**: ${count(checks.length)} checks, nothing to tell.`;
  return `**${title}**\n\n| verdict | what | observed | limit | n | why |\n| --- | --- | --- | --- | --- | --- |\n${rows.join("\n")}${left === 0 ? "" : `\n\n${count(left)} more that inform, in verdict.json.`}`;
}

const rank = (check: WatchCheck) => ["PASS", "INCONCLUSIVE", "INCOMPARABLE", "FAIL", "ERROR"].indexOf(check.verdict);

const figure = (value: number | null): string => (value === null ? "–" : significant(value));

export function limitOf({ limit, margin, baseline, direction }: WatchCheck): string {
  if (limit !== null)
    return [limit.min === null ? "" : `≥ ${figure(limit.min)}`, limit.max === null ? "" : `≤ ${figure(limit.max)}`]
      .filter((part) => part !== "")
      .join(", ");
  if (margin === null) return "–";
  return `${figure(baseline)} ${direction === "higher" ? "−" : "+"} ${figure(margin)}`;
}
