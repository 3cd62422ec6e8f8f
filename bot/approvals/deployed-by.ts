import type { BotContext } from "../context/context.ts";
import { modelOf } from "../github/environments.ts";
import type { Run } from "../github/github.ts";

/** What a workflow run deploys: a commit, or a version that was released before. */
export type Deployed = { model: string | null } & (
  | { kind: "commit"; sha: string }
  | { kind: "version"; model: string; version: string }
);

type Deps = Pick<BotContext, "bot" | "store" | "github">;

/** A whole run-name, as deploy.yml here writes it. No part may contain a blank, so that no input can pose as another. */
const byHand = /^Deploy (\S+) to (\S+) (?:at (\S+)|back to (\S+))(?: sl-[0-9a-f]{16})?$/;
const afterGate = /^Deploy after the gate of ([0-9a-f]{40})$/;
const commit = /^[0-9a-f]{40}$/;

/**
 * What a run deploys to an environment. A run's own head does not tell: it is the branch of the workflow file for a run
 * that was started by hand, and the newest commit of the default branch for one that followed a gate. GitHub tells
 * nobody a run's inputs. So the bot believes its own record of what it started, the run-name of the deploying workflow
 * as it stands on the branch that bot.yaml names, and the head of a push to the branch.
 *
 * @returns null if it cannot be known
 */
export async function deployedBy(deps: Deps, run: Run, environment: string): Promise<Deployed | null> {
  const { bot } = deps;
  const model = modelOf(bot, environment);
  const started = startedBy(deps, run);
  if (started !== null) {
    const { detail, sha } = started;
    if (model !== null && detail.model !== model) return null;
    return detail.kind === "rollback"
      ? { kind: "version", model: detail.model, version: detail.version }
      : { kind: "commit", model: detail.model, sha };
  }
  if (run.fork) return null;
  const workflow = [bot.github.deploy, bot.github.rollback].find((one) => one?.file === run.file);
  switch (run.event) {
    case "push":
      return run.branch === bot.branch ? { kind: "commit", model, sha: run.sha } : null;
    case "workflow_run": {
      const sha = workflow == null ? undefined : afterGate.exec(run.title)?.[1];
      return sha === undefined ? null : { kind: "commit", model, sha };
    }
    case "workflow_dispatch": {
      // Another branch may hold another workflow file, whose run-name may say anything.
      if (workflow == null || run.branch !== workflow.ref) return null;
      const [, named, , ref, version] = byHand.exec(run.title) ?? [];
      if (named === undefined || (model ?? named) !== named || !bot.models.some(({ id }) => id === named)) return null;
      if (version !== undefined) return { kind: "version", model: named, version };
      const sha = ref === undefined || commit.test(ref) ? ref : await ofTag(deps, ref);
      return sha == null ? null : { kind: "commit", model: named, sha };
    }
    default:
      return null;
  }

  /** A branch moves until the run checks it out, so only a tag tells its commit. */
  function ofTag({ github }: Deps, ref: string): Promise<string | null> {
    return github.tagCommit(ref.replace(/^refs\/tags\//, ""));
  }
}

/** The deployment or rollback of the bot's that started a run; null if the run is not the bot's. */
export function startedBy({ store }: Pick<BotContext, "store">, run: Pick<Run, "id">) {
  const id = store.seen.state("action-run", run.id);
  const action = id === null ? null : store.actions.find(id);
  if (action === null) return null;
  const { detail } = action;
  return detail.kind === "deploy" || detail.kind === "rollback" ? { ...action, detail } : null;
}
