import { severity } from "../../eval/judge/algebra.ts";
import type { ModelVerdict, VerdictFile } from "../../eval/schema/verdict.ts";
import type { CardState, Phase } from "../card/state.ts";
import type { Origin } from "./event.ts";
import type { DeploymentFile } from "./files.ts";

/** What a run knows about its candidates. */
export type RunFacts = {
  verdict: VerdictFile | null;
  deployment: DeploymentFile | null;
  models: readonly string[];
  phase: Phase | "auto";
  origin: Origin;
};

/**
 * The candidates that a run shows cards for, worst first. If there is a deployment, its model. Otherwise the verdict's
 * models (only the named ones, if any are named). Otherwise the named models.
 */
export function candidatesOf({ verdict, deployment, models, phase, origin }: RunFacts): CardState[] {
  const named = models.map((text) => ({ id: text.replace(/@.*$/s, ""), version: /@(.*)$/s.exec(text)?.[1] ?? "" }));
  const judged = verdict === null ? [] : judgedModels(verdict, named, origin);
  const auto = phaseOf(deployment) ?? (verdict === null ? "evaluating" : "verdict");
  // The files of a pull request's run may claim any commit; GitHub's event names the right one.
  const commit = origin.head?.commit ?? deployment?.deployed.source.commit ?? verdict?.commit ?? origin.commit;
  const card = (model: { id: string; version: string }, one: ModelVerdict | null): CardState => ({
    // A workflow says "failed" when a step left no receipt. A receipt, if there is one, knows more.
    model,
    phase: phase === "auto" || (phase === "failed" && phaseOf(deployment) !== null) ? auto : phase,
    verdict: one,
    environment: deployment?.environment ?? null,
    reason: deployment?.reason ?? null,
    restored: deployment?.rolledBackTo?.version ?? null,
    commit,
    actor: origin.actor,
    repository: origin.repository,
    pullRequest: origin.pullRequest,
    links: linksOf(origin, deployment, commit),
  });
  if (deployment !== null) {
    const { model } = deployment.deployed;
    return [
      card(
        { id: model.id, version: model.version },
        judged.find((one) => one.model.id === model.id && one.model.version === model.version) ?? null,
      ),
    ];
  }
  if (verdict === null) return named.map((model) => card(model, null));
  const worstFirst = judged.toSorted((a, b) => severity.indexOf(b.verdict) - severity.indexOf(a.verdict));
  // A candidate that was judged on several kinds of machines still has one card.
  return worstFirst
    .filter((one, i) => worstFirst.findIndex(({ model }) => model.id === one.model.id) === i)
    .map((one) => card(one.model, one));
}

/** The phase according to a receipt; null if nothing was deployed. */
function phaseOf(deployment: DeploymentFile | null): Phase | null {
  if (deployment === null || deployment.outcome === "planned" || deployment.outcome === "bundled") return null;
  return deployment.outcome === "live" || deployment.outcome === "rolled-back" ? deployment.outcome : "failed";
}

/**
 * The verdicts of the named models, or of all models if none is named. A model without a verdict could not be
 * evaluated. If no model is known at all, the card carries the repository's name.
 */
function judgedModels(
  file: VerdictFile,
  named: readonly { id: string; version: string }[],
  { repository }: Origin,
): ModelVerdict[] {
  if (named.length === 0 && file.models.length > 0) return file.models;
  const unjudged = (model: { id: string; version: string }): ModelVerdict => ({
    model: { ...model, task: "regression", sha256: "" },
    baseline: null,
    baselineSource: "nothing was evaluated",
    dataset: null,
    verdict: "ERROR",
    reason: file.reason,
    checks: [],
    notes: [],
    policySource: "",
    policyChanges: [],
  });
  if (named.length === 0)
    return [{ ...unjudged({ id: repository?.split("/")[1] ?? "gate", version: "" }), verdict: file.verdict }];
  return named.flatMap((model) => {
    const found = file.models.filter((one) => one.model.id === model.id);
    return found.length > 0 ? found : [unjudged(model)];
  });
}

/** Adds the pull request by which a deployment's commit was merged. */
export function withPullRequest(
  card: CardState,
  pullRequest: number | null,
  { serverUrl, repository }: Origin,
): CardState {
  if (card.pullRequest !== null || pullRequest === null) return card;
  return {
    ...card,
    pullRequest,
    links: {
      ...card.links,
      pullRequest: repository === null ? null : `${serverUrl}/${repository}/pull/${pullRequest}`,
    },
  };
}

function linksOf(
  { runUrl, serverUrl, repository, pullRequest }: Origin,
  deployment: DeploymentFile | null,
  commit: string | null,
): CardState["links"] {
  const page = repository === null ? null : `${serverUrl}/${repository}`;
  return {
    run: runUrl,
    // report.html is one of the run's artifacts.
    report: runUrl === null ? null : `${runUrl}#artifacts`,
    space: deployment?.url ?? null,
    pullRequest: page === null || pullRequest === null ? null : `${page}/pull/${pullRequest}`,
    commit: page === null || commit === null || !/^[0-9a-f]{7,64}$/.test(commit) ? null : `${page}/commit/${commit}`,
  };
}
