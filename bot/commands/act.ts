import { propose } from "../approvals/propose.ts";
import { whyNot } from "../approvals/rights.ts";
import { candidateOf } from "../github/candidate.ts";
import { githubEnvironment } from "../github/environments.ts";
import { earlierVersions, liveVersion } from "../github/live.ts";
import type { Ask, Command, Reply, BotContext } from "../context/command.ts";
import { lockLines, lockOf } from "./locks.ts";
import { target } from "./target.ts";
import { commandButton, usage } from "./usage.ts";
import { marked, safe, short } from "../context/text.ts";

/** Said at once rather than after the taps; it is checked again before acting. */
async function notAllowed(context: BotContext, { said }: Ask): Promise<Reply | null> {
  const why = await whyNot(context, said.user);
  return why === null
    ? null
    : {
        html: `⛔ ${safe(why, 200)}`,
        buttons: [[commandButton(context.store.links.find(said.user) === null ? "/link" : "/whoami")]],
      };
}

async function locked(context: BotContext, model: string, stage: string): Promise<Reply | null> {
  const held = await lockOf(context, githubEnvironment(context.bot, model, stage));
  return held === null ? null : { html: lockLines([held]).join("\n"), buttons: [[commandButton("/unlock")]] };
}

export const deploy: Command = {
  name: "deploy",
  usage: "/deploy MODEL ENVIRONMENT [VERSION]",
  about: "start a deployment; asks before it does",
  async run(context, ask) {
    const { bot, github } = context;
    const wanted = target(deploy, bot, ask.args);
    if ("reply" in wanted) return wanted.reply;
    const { model, environment, version } = wanted;
    const refused = (await notAllowed(context, ask)) ?? (await locked(context, model, environment));
    if (refused !== null) return refused;
    const candidate = await candidateOf(github, bot, model, version);
    if (candidate === null)
      return {
        html: `There is no tag ${safe(`${model}@${version}`)}.`,
        buttons: [[commandButton(`/history ${model}`)]],
      };
    if (!candidate.passed)
      return {
        html: `⛔ ${safe(model)} at ${short(candidate.sha)}: ${marked(candidate.verdict)}, ${safe(candidate.source)}. Only PASS is deployed.`,
        buttons: [[commandButton("/gates")]],
      };
    return propose(context, ask, {
      detail: {
        kind: "deploy",
        model,
        environment,
        version,
        candidate: version ?? `${bot.branch} at ${candidate.sha.slice(0, 7)}`,
      },
      sha: candidate.sha,
      digest: candidate.digest,
      needed: bot.environments[environment]?.persons ?? 1,
    });
  },
};

export const rollback: Command = {
  name: "rollback",
  usage: "/rollback MODEL ENVIRONMENT [VERSION]",
  about: "back to an earlier version that passed",
  async run(context, ask) {
    const { bot, github } = context;
    const wanted = target(rollback, bot, ask.args);
    if ("reply" in wanted) return wanted.reply;
    const { model, environment } = wanted;
    const refused = (await notAllowed(context, ask)) ?? (await locked(context, model, environment));
    if (refused !== null) return refused;
    const live = await liveVersion(github, bot, environment, model);
    const earlier = await earlierVersions(github, bot, environment, model, live?.deployment.payload.version ?? null);
    const version = wanted.version ?? earlier[0];
    if (version === undefined)
      return {
        html: `${safe(environment)} has not served an earlier version of ${safe(model)}.`,
        buttons: [[commandButton(`/history ${model}`)]],
      };
    if (version === live?.deployment.payload.version)
      return usage(
        rollback,
        `${safe(version, 40)} is live already.`,
        earlier.map((one) => `/rollback ${model} ${environment} ${one}`),
      );
    const candidate = await candidateOf(github, bot, model, version);
    if (candidate === null || !candidate.passed)
      return usage(
        rollback,
        `${safe(version, 40)} ${candidate === null ? "has no tag" : `has no receipt that passed (${safe(candidate.verdict)})`}.`,
        earlier.filter((one) => one !== version).map((one) => `/rollback ${model} ${environment} ${one}`),
      );
    return propose(context, ask, {
      detail: { kind: "rollback", model, environment, version, candidate: version },
      sha: candidate.sha,
      digest: candidate.digest,
      needed: bot.environments[environment]?.persons ?? 1,
    });
  },
};

export const lock: Command = {
  name: "lock",
  usage: "/lock REASON",
  about: "no deployments until somebody unlocks",
  async run(context, ask) {
    if (ask.rest.trim() === "") {
      const held = await context.github.locks(context.bot.github.lock);
      return held.length === 0
        ? usage(lock, "Why?")
        : { html: lockLines(held).join("\n"), buttons: [[commandButton("/unlock")]] };
    }
    const refused = await notAllowed(context, ask);
    if (refused !== null) return refused;
    return propose(context, ask, {
      detail: { kind: "lock", reason: ask.rest.trim().slice(0, 200) },
      sha: "",
      digest: "",
      needed: 1,
    });
  },
};

export const unlock: Command = {
  name: "unlock",
  usage: "/unlock [REASON]",
  about: "allow deployments again",
  async run(context, ask) {
    const refused = await notAllowed(context, ask);
    if (refused !== null) return refused;
    // What a run holds while it deploys is not for people to release.
    const held = (await context.github.locks(context.bot.github.lock)).filter(({ record }) => record.run === null);
    if (held.length === 0) return { html: "Nothing is locked." };
    // Bound to these locks: one that somebody takes meanwhile is not released.
    return propose(context, ask, {
      detail: {
        kind: "unlock",
        reason: ask.rest.trim().slice(0, 200),
        locks: held.map(({ environment, tagSha }) => ({ environment, tagSha })),
      },
      sha: "",
      digest: "",
      needed: 1,
    });
  },
};
