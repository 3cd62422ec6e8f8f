import { commandButton } from "../context/reply.ts";
import { requestAction } from "../approvals/request.ts";
import { aboutCandidate } from "../approvals/waiting-runs.ts";
import { safe } from "../context/text.ts";
import { candidateOf } from "../github/candidate.ts";
import { earlierVersions, liveVersion } from "../github/live.ts";
import { usage, type Command } from "./command.ts";
import { refusal, refusalByLock, requesterOf } from "./refusal.ts";
import { readTarget } from "./target.ts";

export const rollback: Command = {
  name: "rollback",
  usage: "/rollback MODEL ENVIRONMENT [VERSION]",
  about: "back to an earlier version that passed",
  async run(ctx) {
    const { services: context } = ctx;
    const { bot, github } = context;
    const wanted = readTarget(rollback, bot, ctx.args);
    if ("reply" in wanted) return wanted.reply;
    const { model, environment } = wanted;
    const refused = (await refusal(ctx)) ?? (await refusalByLock(context, model, environment));
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
    const candidate = await candidateOf(context, model, version);
    if (candidate === null || !candidate.passed)
      return usage(
        rollback,
        `${safe(version, 40)} ${candidate === null ? "has no tag" : `has no receipt that passed (${safe(candidate.verdict)})`}.`,
        earlier.filter((one) => one !== version).map((one) => `/rollback ${model} ${environment} ${one}`),
      );
    return requestAction(context, requesterOf(ctx), {
      detail: { kind: "rollback", model, environment, version, candidate: version },
      sha: candidate.sha,
      digest: candidate.digest,
      needed: bot.environments[environment]?.persons ?? 1,
      about: await aboutCandidate(context, candidate, environment),
    });
  },
};
