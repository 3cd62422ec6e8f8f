import type { MetricsFile } from "../schema/metrics.ts";
import type { VerdictFile } from "../schema/verdict.ts";
import { severity } from "../judge/algebra.ts";
import { markdownCut } from "./text/escape-markdown.ts";
import type { PlotData } from "./content/plot-data.ts";
import { fitSections, type Section } from "./markdown/fit.ts";
import { modelSections, overviewSection } from "./markdown/sections.ts";
import { reproduceCommands } from "./reproduce.ts";
import { verdictMark, verdictMeaning } from "./text/verdict-mark.ts";

export type MarkdownOptions = {
  /**
   * Longest text, in UTF-16 units. GitHub takes 65,535 characters in a comment, and 1 MiB of UTF-8 in a step summary,
   * which is at most three bytes per unit.
   */
  maxCharacters?: number;
  /** Page of the workflow run, which has report.html among its artifacts. */
  runUrl?: string | null;
  /** A whole HTML comment (`<!-- … -->`) for the first line, by which a sticky comment is recognised later. */
  marker?: string | null;
  /** What the heads predicted, row by row, for the tables of their answers; without it there are none. */
  heads?: readonly PlotData[];
};

/**
 * The verdict for a pull-request comment and a step summary. All text from outside is escaped (no markup, HTML, mention
 * or link). Content that does not fit is left out by whole rows and counted. Never longer than `maxCharacters`.
 *
 * @throws TypeError when the marker is not one plain HTML comment
 */
export function renderMarkdown(
  verdict: VerdictFile,
  metrics: MetricsFile | null,
  options: MarkdownOptions = {},
): string {
  const { maxCharacters = 60_000, runUrl = null, marker = null, heads = [] } = options;
  if (marker !== null && !/^<!-- (?:(?!--)[\w.,:=/ -])+ -->$/.test(marker))
    throw new TypeError(`not one plain HTML comment: ${marker}`);
  const report =
    runUrl !== null && /^https?:\/\/[^\s<>"'()|\\]{1,400}$/.test(runUrl) ? `[report.html](${runUrl})` : "report.html";
  const [only] = verdict.models;
  const alone = verdict.models.length === 1 && only !== undefined;
  const subject = alone
    ? `${markdownCut(only.model.id, 100)} ${markdownCut(only.model.version, 60)}`
    : `${verdict.models.length} models`;
  const head = [
    ...(marker === null ? [] : [marker]),
    `## ${verdictMark[verdict.verdict]} ${verdict.verdict}: ${verdict.models.length === 0 ? "nothing was evaluated" : subject}`,
    "",
    markdownCut(verdict.reason, 500),
    ...(verdict.verdict === "PASS" || verdict.verdict === "FAIL"
      ? []
      : ["", `${verdict.verdict} means: ${verdictMeaning[verdict.verdict]}.`]),
    "",
    "",
  ].join("\n");
  const foot = `\n<sub>Sluice ${markdownCut(verdict.sluiceVersion, 40)}${verdict.commit === null ? "" : ` · commit <code>${markdownCut(verdict.commit.slice(0, 12), 40)}</code>`} · every figure with its plots: ${report}</sub>\n`;
  const models = [...verdict.models].sort((a, b) => severity.indexOf(b.verdict) - severity.indexOf(a.verdict));
  const sections = [
    ...(models.length > 1 ? [overviewSection(models)] : []),
    ...models.flatMap((model, i) =>
      modelSections(
        model,
        metrics,
        `model ${i}`,
        alone,
        heads.filter(({ modelId }) => modelId === model.model.id),
      ),
    ),
    ...reproduceSection(verdict),
  ];
  const notice = (names: readonly string[]) =>
    names.length === 0 ? "" : `\n… did not fit here: ${names.join(", ")}. All of it is in report.html.\n`;
  const reserve = notice([...new Set(sections.map(({ name }) => name))]).length;
  const { text, omitted } = fitSections(sections, maxCharacters - head.length - foot.length - reserve);
  const whole = head + text + notice(omitted) + foot;
  if (whole.length <= maxCharacters) return whole;
  return head.length <= maxCharacters ? head : verdict.verdict.slice(0, Math.max(0, maxCharacters));
}

function reproduceSection(verdict: VerdictFile): Section[] {
  const commands = reproduceCommands(verdict);
  if (commands.length === 0) return [];
  return [
    {
      name: "how to reproduce",
      priority: 30,
      group: "",
      open: "\n<details><summary>Reproduce on your machine (latency aside)</summary>\n\n```sh\n",
      items: commands.map((line) => `${line}\n`),
      close: "```\n\n</details>\n",
      more: (left) => `# … ${left} more models\n`,
    },
  ];
}
