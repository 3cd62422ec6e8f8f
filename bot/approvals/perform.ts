import type { BotContext } from "../context/command.ts";
import type { Workflow } from "../config/config.ts";
import { allEnvironments } from "../github/environments.ts";
import type { GitHub } from "../github/github.ts";
import { inWords } from "../context/log.ts";
import type { Action, ActionDetail } from "../store/actions.ts";

/** What came of an action. */
export type Done = { words: string; run: { id: number; url: string } | null };

const login = ({ store }: BotContext, user: number) => store.links.find(user)?.login ?? String(user);

/** The person's own GitHub token where it is kept, so that GitHub, too, knows who acted; the bot's otherwise. */
function asPerson({ github, store }: BotContext, user: number): GitHub {
  const token = store.links.token(user);
  return token === null ? github : github.as(token);
}

/** "ana, approved by ben, through Telegram, sl-…": goes where GitHub keeps it. */
function reason(context: BotContext, { id, initiator, approvers }: Action): string {
  return `${login(context, initiator)}${approvers.length === 0 ? "" : `, approved by ${approvers.map((one) => login(context, one)).join(", ")}`}, through Telegram, ${id}`;
}

function workflowOf({ bot }: BotContext, kind: "deploy" | "rollback"): Workflow {
  return kind === "rollback" ? (bot.github.rollback ?? bot.github.deploy) : bot.github.deploy;
}

/** Acts, once. Inputs come from lists and from GitHub, never from a message; their names from bot.yaml. */
export async function perform(context: BotContext, action: Action): Promise<Done> {
  const { bot, now } = context;
  const { detail, initiator } = action;
  const github = asPerson(context, initiator);
  switch (detail.kind) {
    case "deploy":
    case "rollback": {
      const { file, ref, inputs } = workflowOf(context, detail.kind);
      // A deployment names its commit; going back names a version, whose proved revision the workflow finds by itself.
      const what: [string | null, string] =
        detail.kind === "deploy" ? [inputs.commit, action.sha] : [inputs.version, detail.version];
      const wanted: [string | null, string | null][] = [
        [inputs.model, detail.model],
        [inputs.environment, detail.environment],
        what,
        [inputs.reason, reason(context, action)],
        [inputs.request, action.id],
      ];
      const given = Object.fromEntries(
        wanted.filter((one): one is [string, string] => one[0] !== null && one[1] !== null),
      );
      const run = await github.dispatch(file, ref, given);
      return { words: run === null ? "started" : `started run ${run.id}`, run };
    }
    case "approve":
    case "reject": {
      const state = detail.kind === "approve" ? "approved" : "rejected";
      await github.review(detail.run, detail.environmentId, state, reason(context, action));
      await describe(context, action, detail, state);
      return { words: state, run: null };
    }
    case "lock": {
      const [sha, held] = await Promise.all([github.head(bot.branch), github.locks(bot.github.lock)]);
      const note = await github.lockNote(
        {
          holder: login(context, initiator),
          reason: detail.reason,
          request: action.id,
          at: new Date(now()).toISOString(),
        },
        sha,
      );
      const others: string[] = [];
      for (const environment of allEnvironments(bot)) {
        // After a kill, some may be ours already.
        const own = held.find((one) => one.environment === environment)?.record.request === action.id;
        if (!own && !(await github.takeLock(bot.github.lock, environment, note))) others.push(environment);
      }
      return {
        words:
          others.length === 0
            ? `locked ${allEnvironments(bot).join(", ")}`
            : `locked, but ${others.join(", ")} was locked by somebody else`,
        run: null,
      };
    }
    case "unlock": {
      const held = await github.locks(bot.github.lock);
      const same = detail.locks.filter(({ environment, tagSha }) =>
        held.some((one) => one.environment === environment && one.tagSha === tagSha),
      );
      for (const { environment } of same) await github.releaseLock(bot.github.lock, environment);
      return {
        words: `unlocked ${same.map(({ environment }) => environment).join(", ") || "nothing: the locks are others' now"}`,
        run: null,
      };
    }
  }
}

/** Who approved stands in the Deployment, too, for whoever reads GitHub only. A failure here undoes nothing. */
async function describe(
  context: BotContext,
  action: Action,
  detail: ActionDetail & { environment: string },
  state: string,
): Promise<void> {
  try {
    const [deployment] = await context.github.deployments({
      environment: detail.environment,
      sha: action.sha,
      count: 1,
    });
    if (deployment !== undefined)
      await context.github.note(
        deployment.id,
        `${state} by ${reason(context, action)}, report ${action.digest.slice(0, 12)}`,
      );
  } catch (error) {
    context.log.warn("deployment-not-described", { action: action.id, error: inWords(error) });
  }
}

/** GitHub's clock and ours may differ by so much. */
const skewMs = 120_000;

/**
 * Whether a started action has happened: what came of it, "no" where it certainly has not, "taken" where somebody
 * else did it, "unknown" where GitHub cannot tell.
 */
export async function findDone(context: BotContext, action: Action): Promise<Done | "no" | "taken" | "unknown"> {
  const { github, bot } = context;
  const { detail, id, startedAt } = action;
  switch (detail.kind) {
    case "deploy":
    case "rollback": {
      const { file, inputs } = workflowOf(context, detail.kind);
      if (inputs.request === null) return "unknown";
      const run = (await github.runs({ file, event: "workflow_dispatch", count: 50 })).find(
        ({ title, createdAt }) => title.includes(id) && createdAt >= (startedAt ?? 0) - skewMs,
      );
      return run === undefined ? "no" : { words: `started run ${run.id}`, run: { id: run.id, url: run.url } };
    }
    case "approve":
    case "reject": {
      if ((await github.reviews(detail.run)).some(({ comment }) => comment.includes(id)))
        return { words: detail.kind === "approve" ? "approved" : "rejected", run: null };
      return (await github.pending(detail.run)).some(({ environmentId }) => environmentId === detail.environmentId)
        ? "no"
        : "taken";
    }
    case "lock": {
      const held = await github.locks(bot.github.lock);
      const all = allEnvironments(bot);
      // Every one is taken, by this action or by others; a free one means that the work was not finished.
      return all.every((environment) => held.some((one) => one.environment === environment))
        ? {
            words: `locked ${held
              .filter(({ record }) => record.request === id)
              .map(({ environment }) => environment)
              .join(", ")}`,
            run: null,
          }
        : "no";
    }
    case "unlock": {
      const held = await github.locks(bot.github.lock);
      return detail.locks.some(({ tagSha }) => held.some((one) => one.tagSha === tagSha))
        ? "no"
        : { words: `unlocked ${detail.locks.map(({ environment }) => environment).join(", ")}`, run: null };
    }
  }
}
