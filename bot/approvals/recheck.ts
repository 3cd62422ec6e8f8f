import type { BotContext } from "../context/command.ts";
import { githubEnvironment, stageOf } from "../github/environments.ts";
import { candidateOf, evidenceFor } from "../github/candidate.ts";
import type { Action } from "../store/actions.ts";
import { whyNot } from "./rights.ts";

/**
 * Everything that was true when the button was shown, asked again right before acting: everybody's permission, the
 * commit, the report, the lock, the count of persons.
 *
 * @returns null, or why the action must not be carried out
 */
export async function recheck(context: BotContext, action: Action): Promise<string | null> {
  const { bot, github, store } = context;
  const { detail, initiator, approvers, needed, sha, digest } = action;
  for (const user of [initiator, ...approvers]) {
    const why = await whyNot(context, user);
    if (why !== null) return why;
  }
  const people = new Set([initiator, ...approvers].map((user) => store.links.find(user)?.login.toLowerCase()));
  if (people.size < needed) return `it takes ${needed} persons`;
  switch (detail.kind) {
    case "deploy":
    case "rollback": {
      if (!(detail.environment in bot.environments) || !bot.models.some(({ id }) => id === detail.model))
        return "the model or environment is not in bot.yaml any more";
      if (needed < (bot.environments[detail.environment]?.persons ?? 1))
        return `${detail.environment} takes more persons now`;
      const environment = githubEnvironment(bot, detail.model, detail.environment);
      const lock = (await github.locks(bot.github.lock)).find((one) => one.environment === environment);
      if (lock !== undefined) return `${environment} is locked by ${lock.record.holder}: ${lock.record.reason}`;
      const now = await candidateOf(github, bot, detail.model, detail.version);
      if (now === null) return "the version's tag is gone";
      if (now.sha !== sha)
        return `${detail.version ?? bot.branch} is at ${now.sha.slice(0, 7)} now, not at ${sha.slice(0, 7)} as agreed`;
      if (now.digest !== digest) return "the report has changed since it was shown";
      return now.passed ? null : `the verdict is ${now.verdict} now`;
    }
    case "approve":
    case "reject": {
      const run = await github.run(detail.run);
      if (run.sha !== sha) return `the run is for ${run.sha.slice(0, 7)}, not for ${sha.slice(0, 7)}`;
      if (
        !(await github.pending(detail.run)).some(
          ({ environmentId, environment }) =>
            environmentId === detail.environmentId && environment === detail.environment,
        )
      )
        return "the run does not wait for this approval any more";
      if (detail.kind === "reject") return null;
      if (
        (bot.environments[stageOf(bot, detail.environment) ?? ""]?.persons ?? 1) > 1 &&
        [initiator, ...approvers].some(
          (user) => store.links.find(user)?.login.toLowerCase() === run.actor.toLowerCase(),
        )
      )
        return "whoever started the run cannot approve it";
      const evidence = await evidenceFor(github, bot, sha);
      if (evidence.digest !== digest) return "the report has changed since it was shown";
      return evidence.passed ? null : `the gate says ${evidence.verdict}`;
    }
    case "lock":
    case "unlock":
      return null;
  }
}
