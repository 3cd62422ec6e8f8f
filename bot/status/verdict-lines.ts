import { decidingChecks, shownCheck } from "../card/deciding-checks.ts";
import { ago, safe, shortSha, withSign } from "../context/text.ts";
import type { RunVerdicts } from "../github/verdicts.ts";
import { escapeHtml, linkHtml } from "../telegram/format.ts";

/** "pull request 12" or the branch, with a link to the run. */
const runLink = ({ run, pullRequest }: RunVerdicts) =>
  `${linkHtml(pullRequest === null ? run.branch : `pull request ${pullRequest}`, run.url)} ${shortSha(run.sha)}`;

/** Where a verdict comes from: the gate's file, or only the conclusion of its run. */
const source = ({ run, models }: RunVerdicts) =>
  `${models.length === 0 ? "the run's conclusion" : "verdict.json"} of run ${run.id}`;

/** A fork's run can claim anything. The verdict of the trusted workflow is the comment on the pull request. */
const foreign = (one: RunVerdicts) => `${runLink(one)}: ⚪ from a fork, see the gate's comment there`;

/** One line for a run: each model with its verdict, or the run's conclusion if no verdict.json can be read. */
export function runLine(one: RunVerdicts, now: number): string {
  const { run, models } = one;
  if (run.fork) return `${foreign(one)}, ${safe(run.actor, 40)}, ${ago(run.updatedAt, now)}`;
  const verdicts = models
    .slice(0, 6)
    .map(({ model, verdict }) => `${safe(model.id, 40)} ${safe(model.version, 40)} ${withSign(verdict)}`);
  return `${runLink(one)}: ${verdicts.length === 0 ? withSign(run.conclusion ?? run.status) : verdicts.join(", ")}${models.length > 6 ? `, ${models.length - 6} more` : ""}, ${safe(run.actor, 40)}, ${ago(run.updatedAt, now)} (${source(one)})`;
}

/** What the runs say about one model. For a branch's run without a readable verdict, the run's conclusion is shown. */
export function modelLines(all: readonly RunVerdicts[], id: string, now: number): string[] {
  return all.flatMap((one) => {
    const found = one.models.find(({ model }) => model.id === id);
    if (found !== undefined)
      return [
        `${runLink(one)}: ${safe(found.model.version, 40)} ${withSign(found.verdict)}, ${ago(one.run.updatedAt, now)} (${source(one)})`,
      ];
    return one.models.length === 0 && one.pullRequest === null
      ? [`${runLink(one)}: ${withSign(one.run.conclusion ?? one.run.status)} (${source(one)})`]
      : [];
  });
}

/** The checks that decided, of the first run that judged the model. */
export function decidingLines(all: readonly RunVerdicts[], id: string): string[] {
  for (const one of all) {
    const found = one.models.find(({ model }) => model.id === id);
    if (found === undefined) continue;
    const checks = decidingChecks(found)
      .map(shownCheck)
      .map(
        ({ name, verdict, observed, baseline, difference }) =>
          `${verdict} ${name}\n  ${observed}, ${baseline === "no baseline" ? baseline : `baseline ${baseline}`}${difference === "" ? "" : `, ${difference}`}`,
      );
    return checks.length === 0
      ? []
      : [`<b>What decided</b> at ${shortSha(one.run.sha)}`, `<pre>${escapeHtml(checks.join("\n"))}</pre>`];
  }
  return [];
}
