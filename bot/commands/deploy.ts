import { commandButton } from "../context/reply.ts";
import { requestAction } from "../approvals/request.ts";
import { aboutCandidate } from "../approvals/waiting-runs.ts";
import { safe, shortSha, withSign } from "../context/text.ts";
import { candidateOf } from "../github/candidate.ts";
import type { Command } from "./command.ts";
import { refusal, refusalByLock, requesterOf } from "./refusal.ts";
import { readTarget } from "./target.ts";

export const deploy: Command = {
  name: "deploy",
  usage: "/deploy MODEL ENVIRONMENT [VERSION]",
  about: "start a deployment; asks before it does",
  async run(ctx) {
    const { services: context } = ctx;
    const { bot } = context;
    const wanted = readTarget(deploy, bot, ctx.args);
    if ("reply" in wanted) return wanted.reply;
    const { model, environment, version } = wanted;
    const refused = (await refusal(ctx)) ?? (await refusalByLock(context, model, environment));
    if (refused !== null) return refused;
    const candidate = await candidateOf(context, model, version);
    if (candidate === null)
      return {
        html: `There is no tag ${safe(`${model}@${version}`)}.`,
        buttons: [[commandButton(`/history ${model}`)]],
      };
    if (!candidate.passed)
      return {
        html: `⛔ ${safe(model)} at ${shortSha(candidate.sha)}: ${withSign(candidate.verdict)}, ${safe(candidate.source)}. Only PASS is deployed.`,
        buttons: [[commandButton("/gates")]],
      };
    return requestAction(context, requesterOf(ctx), {
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
      about: await aboutCandidate(context, candidate, environment),
    });
  },
};
