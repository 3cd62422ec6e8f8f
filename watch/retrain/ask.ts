import { sentOnce, type RepositoryApi } from "../../github/api.ts";
import { cut } from "../../eval/report/text/text.ts";
import { nameOf } from "../checks/check.ts";
import type { Asked, WatchState } from "../schema/state.ts";
import type { WatchedModel } from "../schema/verdict.ts";

/** The event that retrain.yml listens to. */
const retrainEvent = "sluice-retrain";

const DAY_MS = 86_400_000;
/** While drift stands, a training is asked for again after so long: new data may have come. */
const ASK_AGAIN_DAYS = 7;
const reasonCharacters = 500;
/** GitHub takes 65,535 characters of payload in all. */
const reportCharacters = 40_000;

/** What retrain.yml is told. */
export type RetrainRequest = { model: string; reason: string; report: string };

/** Why a model is to be trained again. */
export type DueTraining = { model: string; reason: string; asked: Asked };

/**
 * Whether a training helps, and is not asked for already. Drift of the answers and a broken figure are reasons; refused
 * or missing input is none, because what is wrong there is not the model.
 *
 * @returns null where there is nothing to ask
 */
export function dueTraining(watched: WatchedModel, state: WatchState, now: Date): DueTraining | null {
  const { model, verdict, checks } = watched;
  if (verdict !== "FAIL") return null;
  const broken = checks.filter(
    (one) => !one.advisory && one.verdict === "FAIL" && (one.group === "performance" || one.group === "answers"),
  );
  if (broken.length === 0) return null;
  const before = Object.hasOwn(state.models, model.id) ? state.models[model.id]?.asked : undefined;
  const ids = broken.map(({ id }) => id).toSorted();
  const isKnown = before !== undefined && ids.every((id) => before.checks.includes(id));
  if (isKnown && now.getTime() - Date.parse(before.at) < ASK_AGAIN_DAYS * DAY_MS) return null;
  const reason = broken.map((one) => `${nameOf(one)}: ${one.reason}`).join("; ");
  return {
    model: model.id,
    reason: cut(`watch of ${model.id} ${model.version}: ${reason}`, reasonCharacters),
    asked: { at: now.toISOString(), checks: ids },
  };
}

/** Keeps what was asked for; a model that holds again is asked for anew when it next drifts. */
export function withAsked(state: WatchState, model: string, asked: Asked | null): WatchState {
  const known = Object.hasOwn(state.models, model) ? state.models[model] : undefined;
  if (known === undefined) return state;
  const { asked: _, ...rest } = known;
  return { ...state, models: { ...state.models, [model]: asked === null ? rest : { ...rest, asked } } };
}

/**
 * Starts the workflow that trains. Of the events that a job's own token raises, this is one of the two that start
 * workflows. It needs `contents: write`.
 */
export async function askToRetrain(
  { octokit, owner, repo }: RepositoryApi,
  { model, reason, report }: RetrainRequest,
): Promise<void> {
  const client_payload = { model, reason, report: cut(report, reportCharacters) };
  await octokit.rest.repos.createDispatchEvent({ owner, repo, event_type: retrainEvent, client_payload, ...sentOnce });
}
