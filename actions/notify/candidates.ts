import { severity } from "../../eval/judge/algebra.ts";
import type { ModelVerdict, VerdictFile } from "../../eval/schema/verdict.ts";
import type { CardState, Phase } from "../../bot/card/state.ts";
import type { Origin } from "./event.ts";
import type { DeploymentFile } from "./files.ts";

export type Told = { verdict: VerdictFile | null; deployment: DeploymentFile | null; models: readonly string[]; phase: Phase | "auto"; origin: Origin };

/**
 * The candidates that a run tells about, worst first: the deployed model where there is a deployment, else every
 * model of the verdict (or those of it that were named), else the models that were named.
 */
export function candidatesOf({ verdict, deployment, models, phase, origin }: Told): CardState[] {
  const named = models.map((text) => ({ id: text.replace(/@.*$/s, ""), version: /@(.*)$/s.exec(text)?.[1] ?? "" }));
  const judged = verdict === null ? [] : judgedModels(verdict, origin);
  const auto = phaseOf(deployment) ?? (verdict === null ? "evaluating" : "verdict");
  const commit = deployment?.deployed.source.commit ?? verdict?.commit ?? origin.commit;
  const card = (model: { id: string; version: string }, one: ModelVerdict | null): CardState => ({
    // "failed" is what a workflow says of a step that left no receipt; a receipt knows more.
    model, phase: phase === "auto" || (phase === "failed" && phaseOf(deployment) !== null) ? auto : phase, verdict: one,
    environment: deployment?.environment ?? null, reason: deployment?.reason ?? null, restored: deployment?.rolledBackTo?.version ?? null,
    commit, actor: origin.actor, repository: origin.repository, pullRequest: origin.pullRequest,
    links: linksOf(origin, deployment, commit),
  });
  if (deployment !== null) {
    const { model } = deployment.deployed;
    return [card({ id: model.id, version: model.version }, judged.find((one) => one.model.id === model.id && one.model.version === model.version) ?? null)];
  }
  if (verdict === null) return named.map((model) => card(model, null));
  const chosen = named.length === 0 ? judged : judged.filter((one) => named.some(({ id }) => id === one.model.id));
  return chosen.toSorted((a, b) => severity.indexOf(b.verdict) - severity.indexOf(a.verdict)).map((one) => card(one.model, one));
}

/** What a receipt says of the candidate's place; nothing where nothing was deployed. */
function phaseOf(deployment: DeploymentFile | null): Phase | null {
  if (deployment === null || deployment.outcome === "planned" || deployment.outcome === "bundled") return null;
  return deployment.outcome;
}

/** A gate that could evaluate nothing has a verdict and no models; its card goes under the repository's name. */
function judgedModels(file: VerdictFile, { repository }: Origin): ModelVerdict[] {
  if (file.models.length > 0) return file.models;
  return [{
    model: { id: repository?.split("/")[1] ?? "gate", version: "", task: "regression", sha256: "" }, baseline: null, baselineSource: "nothing was evaluated", dataset: null,
    verdict: file.verdict, reason: file.reason, checks: [], notes: [], policySource: "", policyChanges: [],
  }];
}

/** A deployment's commit leads back to the pull request that it was merged by. */
export function withPullRequest(card: CardState, pullRequest: number | null, { serverUrl, repository }: Origin): CardState {
  if (card.pullRequest !== null || pullRequest === null) return card;
  return { ...card, pullRequest, links: { ...card.links, pullRequest: repository === null ? null : `${serverUrl}/${repository}/pull/${pullRequest}` } };
}

function linksOf({ runUrl, serverUrl, repository, pullRequest }: Origin, deployment: DeploymentFile | null, commit: string | null): CardState["links"] {
  const page = repository === null ? null : `${serverUrl}/${repository}`;
  return {
    run: runUrl,
    // report.html lies among the run's artifacts.
    report: runUrl === null ? null : `${runUrl}#artifacts`,
    space: deployment?.url ?? null,
    pullRequest: page === null || pullRequest === null ? null : `${page}/pull/${pullRequest}`,
    commit: page === null || commit === null || !/^[0-9a-f]{7,64}$/.test(commit) ? null : `${page}/commit/${commit}`,
  };
}
