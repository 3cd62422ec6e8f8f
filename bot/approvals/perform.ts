import type { Workflow } from "../config/config.ts";
import type { BotContext } from "../context/context.ts";
import { errorLine } from "../context/log.ts";
import { candidateOf } from "../github/candidate.ts";
import { allEnvironments, githubEnvironment } from "../github/environments.ts";
import type { GitHub, Held } from "../github/github.ts";
import type { Action, ActionDetail } from "../store/actions.ts";
import { reviewRule, whyNotAllowed } from "./persons.ts";
import { askRollout } from "../spaces/ask.ts";
import { whyNotRollout } from "../rollout/rules.ts";
import { subjectOf } from "./waiting-runs.ts";

// What each kind of action means on GitHub: what must hold right before it, how to do it, and how to find out whether
// it was done.

/**
 * Checks again, right before acting, everything that held when the button was shown: each person's permission, the
 * number of persons, the lock, the commit, the report.
 *
 * @returns null, or why the action must not be carried out
 */
export async function recheck(context: BotContext, action: Action): Promise<string | null> {
  const { bot, github, store } = context;
  const { detail, initiator, approvers, needed } = action;
  for (const user of [initiator, ...approvers]) {
    const why = await whyNotAllowed(context, user);
    if (why !== null) return why;
  }
  const people = new Set([initiator, ...approvers].map((user) => store.links.login(user)?.toLowerCase()));
  if (people.size < needed) return `it takes ${needed} persons`;
  // To end a roll-out is safe: one person may, and no lock keeps them from it.
  const isEnd = detail.kind === "rollout" && detail.does === "abort";
  if (!isEnd && (detail.kind === "deploy" || detail.kind === "rollback" || detail.kind === "rollout")) {
    if (!(detail.environment in bot.environments) || !bot.models.some(({ id }) => id === detail.model))
      return "the model or environment is not in bot.yaml any more";
    if (needed < (bot.environments[detail.environment]?.persons ?? 1))
      return `${detail.environment} takes more persons now`;
    const environment = githubEnvironment(bot, detail.model, detail.environment);
    const lock = (await github.locks(bot.github.lock)).find((one) => one.environment === environment);
    if (lock !== undefined) return `${environment} is locked by ${lock.record.holder}: ${lock.record.reason}`;
  }
  if (detail.kind === "approve") {
    const rule = await reviewRule(context, await github.run(detail.run), detail.environment);
    if (rule === null) return `${detail.environment} is not in bot.yaml any more`;
    if (people.size < rule.needed) return `it takes ${rule.needed} persons besides whoever started the run`;
    if (rule.persons > 1 && people.has(rule.starter?.toLowerCase())) return "whoever started the run cannot approve it";
  }
  return recheckEvidence(context, action);
}

/**
 * Looks at the evidence again: whether what will be deployed is still the commit and the report that were shown, and
 * still passes. A run that is rejected only has to wait still.
 *
 * @returns null, or why not
 */
export async function recheckEvidence(context: BotContext, action: Action): Promise<string | null> {
  const { bot, github } = context;
  const { detail, sha, digest } = action;
  switch (detail.kind) {
    case "deploy":
    case "rollback": {
      const current = await candidateOf(context, detail.model, detail.version);
      if (current === null) return "the version's tag is gone";
      if (current.sha !== sha)
        return `${detail.version ?? bot.branch} is at ${current.sha.slice(0, 7)} now, not at ${sha.slice(0, 7)} as agreed`;
      if (current.digest !== digest) return "the report has changed since it was shown";
      return current.passed ? null : `the verdict is ${current.verdict} now`;
    }
    case "approve":
    case "reject": {
      const pending = (await github.pending(detail.run)).find(
        ({ environmentId, environment }) =>
          environmentId === detail.environmentId && environment === detail.environment,
      );
      if (pending === undefined) return "the run does not wait for this approval any more";
      if (detail.kind === "reject") return null;
      const subject = await subjectOf(context, await github.run(detail.run), pending);
      if (subject.sha === "") return `commit unknown: ${subject.source}`;
      if (subject.sha !== sha) return `the run is for ${subject.sha.slice(0, 7)}, not for ${sha.slice(0, 7)}`;
      if (subject.digest !== digest) return "the report has changed since it was shown";
      return subject.passed ? null : `the gate says ${subject.verdict}`;
    }
    case "rollout": {
      const live = bot.models.find(({ id }) => id === detail.model)?.live;
      if (live === undefined) return "the model has no live Space in bot.yaml any more";
      const asked = await askRollout(context.spaces, live, detail.model);
      if (!asked.ok) return `the Space says: ${asked.why}`;
      return whyNotRollout(asked.value, detail);
    }
    // A training only makes a pull request, which the gate judges.
    case "retrain":
      return bot.models.some(({ id }) => id === detail.model) ? null : "the model is not in bot.yaml any more";
    case "cancel":
      return (await github.run(detail.run)).status === "completed" ? "the run has ended" : null;
    case "lock":
    case "unlock":
      return null;
  }
}

/** The result of an action: a short text, and the workflow run that it started. */
export type Done = { words: string; run: { id: number; url: string } | null };

const login = ({ store }: BotContext, user: number) => store.links.login(user) ?? String(user);

/**
 * A GitHub client with the person's own token if the bot has it, so that GitHub also records who acted; otherwise with
 * the bot's token.
 */
function asPerson({ github, store }: BotContext, user: number): GitHub {
  const token = store.links.token(user);
  return token === null ? github : github.as(token);
}

/** "ana, approved by ben, through Telegram, sl-…": the comment that GitHub keeps. */
function reason(context: BotContext, { id, initiator, approvers, detail }: Action): string {
  const why = detail.kind === "reject" && detail.reason !== "" ? `${detail.reason} – ` : "";
  return `${why}${login(context, initiator)}${approvers.length === 0 ? "" : `, approved by ${approvers.map((one) => login(context, one)).join(", ")}`}, through Telegram, ${id}`;
}

/** Starts a workflow with the inputs that bot.yaml names. */
async function start(
  github: GitHub,
  { file, ref }: Workflow,
  inputs: readonly (readonly [name: string | null, value: string | null])[],
): Promise<Done> {
  const given = Object.fromEntries(inputs.filter((one): one is [string, string] => one[0] !== null && one[1] !== null));
  const run = await github.dispatch(file, ref, given);
  return { words: run === null ? "started" : `started run ${run.id}`, run };
}

function workflowOf({ bot }: BotContext, kind: "deploy" | "rollback" | "retrain" | "rollout"): Workflow {
  if (kind === "rollout") return bot.github.rollout;
  if (kind === "retrain") return bot.github.retrain;
  return kind === "rollback" ? (bot.github.rollback ?? bot.github.deploy) : bot.github.deploy;
}

/** Acts once. Inputs come from lists and from GitHub, never from a message; their names come from bot.yaml. */
export async function perform(context: BotContext, action: Action): Promise<Done> {
  const { bot, now } = context;
  const { detail, initiator } = action;
  const github = asPerson(context, initiator);
  switch (detail.kind) {
    case "deploy":
    case "rollback": {
      const workflow = workflowOf(context, detail.kind);
      const { inputs } = workflow;
      // A deployment names its commit. A rollback names a version; the workflow finds that version's proved revision.
      const what: [string | null, string] =
        detail.kind === "deploy" ? [inputs.commit, action.sha] : [inputs.version, detail.version];
      return start(github, workflow, [
        [inputs.model, detail.model],
        [inputs.environment, detail.environment],
        what,
        [inputs.reason, reason(context, action)],
        [inputs.request, action.id],
      ]);
    }
    case "retrain": {
      const workflow = workflowOf(context, detail.kind);
      const why = detail.reason === "" ? "asked for" : detail.reason;
      return start(github, workflow, [
        [workflow.inputs.model, detail.model],
        [workflow.inputs.reason, `${why} (${reason(context, action)})`],
        [workflow.inputs.request, action.id],
      ]);
    }
    case "rollout": {
      const workflow = workflowOf(context, detail.kind);
      const { inputs } = workflow;
      const why = detail.reason === "" ? "" : `${detail.reason} – `;
      return start(github, workflow, [
        [inputs.model, detail.model],
        [inputs.environment, detail.environment],
        ["does", detail.does],
        [inputs.reason, `${why}${reason(context, action)}`],
        [inputs.request, action.id],
      ]);
    }
    case "approve":
    case "reject": {
      const state = detail.kind === "approve" ? "approved" : "rejected";
      await github.review(detail.run, detail.environmentId, state, reason(context, action));
      await noteInDeployment(context, action, detail, state);
      return { words: state, run: null };
    }
    case "cancel":
      await github.cancel(detail.run);
      return { words: "GitHub was told to cancel it", run: null };
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
      for (const environment of notYetLocked(context, action, held)) {
        if (!(await github.takeLock(bot.github.lock, environment, note))) others.push(environment);
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
      const released: string[] = [];
      for (const { environment, tagSha } of detail.locks)
        if (await github.releaseLock(bot.github.lock, environment, tagSha)) released.push(environment);
      return {
        words: `unlocked ${released.join(", ") || "nothing: the locks are others' now"}`,
        run: null,
      };
    }
  }
}

/**
 * The environments that a lock action has still to lock, in their order. After a kill it may hold some of them. One
 * before the last that it holds was released by somebody since, and stays released.
 */
function notYetLocked({ bot }: BotContext, { id }: Action, held: readonly Held[]): string[] {
  const all = allEnvironments(bot);
  const last = all.findLastIndex((environment) =>
    held.some((one) => one.environment === environment && one.record.request === id),
  );
  return all.slice(last + 1);
}

/**
 * Writes who approved into the Deployment, for people who look only at GitHub. A failure here does not undo the
 * approval.
 */
async function noteInDeployment(
  context: BotContext,
  action: Action,
  detail: ActionDetail & { kind: "approve" | "reject" },
  state: string,
): Promise<void> {
  try {
    // GitHub's own Deployment of the waiting job is at the run's head, whatever the run deploys.
    const run = await context.github.run(detail.run);
    const [deployment] = await context.github.deployments({
      environment: detail.environment,
      sha: run.sha,
      count: 1,
    });
    if (deployment !== undefined)
      await context.github.note(
        deployment.id,
        `${state} by ${reason(context, action)}, report ${action.digest.slice(0, 12)}`,
      );
  } catch (error) {
    context.log.warn("deployment-not-described", { action: action.id, error: errorLine(error) });
  }
}

/** GitHub's clock and ours may differ by this much. */
const skewMs = 120_000;

/**
 * Whether a started action has happened.
 *
 * @returns its result; "no" if it certainly did not happen, "taken" if somebody else did it, "unknown" if GitHub cannot
 * tell
 */
export async function findDone(context: BotContext, action: Action): Promise<Done | "no" | "taken" | "unknown"> {
  const { github, bot } = context;
  const { detail, id, startedAt } = action;
  switch (detail.kind) {
    case "deploy":
    case "rollback":
    case "rollout":
    case "retrain": {
      const { file, ref, inputs } = workflowOf(context, detail.kind);
      if (inputs.request === null) return "unknown";
      // The earliest: whoever reads the mark in the run's name can start another run with it.
      const run = (await github.runs({ file, event: "workflow_dispatch", count: 50 })).findLast(
        ({ title, branch, createdAt }) =>
          title.includes(id) && branch === ref && createdAt >= (startedAt ?? 0) - skewMs,
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
    case "cancel": {
      const { status, conclusion } = await github.run(detail.run);
      // A run that is still going on can safely be told again.
      if (status !== "completed") return "no";
      return conclusion === "cancelled" ? { words: "cancelled", run: null } : "taken";
    }
    case "lock": {
      const held = await github.locks(bot.github.lock);
      const free = notYetLocked(context, action, held).filter(
        (environment) => !held.some((one) => one.environment === environment),
      );
      // Done when each lock that was still to be taken is held, by this action or by another.
      return free.length === 0
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
