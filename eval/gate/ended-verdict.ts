import type { ModelIdentity, ModelVerdict } from "../schema/verdict.ts";
import { digestNamed } from "./digest-named.ts";
import type { Ended } from "./continuity.ts";
import type { EvaluationContext } from "./context.ts";

/** The verdict on a model that the base gates and no candidate continues: nothing was shown about it, so never green. */
export function endedVerdict({ model, why, instead }: Ended, { policyBase }: EvaluationContext): ModelVerdict {
  const artifact = model.plain["artifact"];
  const identity: ModelIdentity = {
    id: model.id,
    version: model.version,
    task: model.task,
    sha256: digestNamed(artifact) ?? "",
  };
  const label = policyBase?.label ?? "the base";
  return {
    model: identity,
    baseline: identity,
    baselineSource: `${model.folder} at ${label}`,
    dataset: null,
    verdict: "INCOMPARABLE",
    reason: `${why}; ${instead}`,
    checks: [],
    notes: [],
    policySource: `sluice.yaml at ${label}`,
    policyChanges: [],
  };
}

/** What a reader must know about models that are given up: now, or by a change that may follow this one. */
export function retirementNotes({ policyBase, configuration, continuity }: EvaluationContext): string[] {
  if (policyBase === null) return [];
  const removed = continuity.retired.map(
    (id) => `This change takes out ${id}, which the base branch has retired (sluice.yaml \`retired\`).`,
  );
  const announced = configuration.retired
    .filter((id) => !policyBase.retired.includes(id) && policyBase.models.some((one) => one.id === id))
    .map((id) => `This change retires ${id}: once it is merged, another change may take the model out ungated.`);
  return [...removed, ...announced];
}
