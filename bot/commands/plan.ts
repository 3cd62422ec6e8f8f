import { commandButton } from "../context/reply.ts";
import { safe, shortSha, withSign } from "../context/text.ts";
import { candidateOf } from "../github/candidate.ts";
import { githubEnvironment } from "../github/environments.ts";
import { liveVersion } from "../github/live.ts";
import type { Command } from "./command.ts";
import { lockLines, lockOf } from "../status/lock-lines.ts";
import { readTarget } from "./target.ts";

export const plan: Command = {
  name: "plan",
  usage: "/plan MODEL ENVIRONMENT [VERSION]",
  about: "what a deployment would do now; changes nothing",
  async run({ services: context, args }) {
    const { bot, github } = context;
    const wanted = readTarget(plan, bot, args);
    if ("reply" in wanted) return wanted.reply;
    const { model, environment, version } = wanted;
    const [candidate, live, lock] = await Promise.all([
      candidateOf(context, model, version),
      liveVersion(github, bot, environment, model),
      lockOf(context, githubEnvironment(bot, model, environment)),
    ]);
    if (candidate === null)
      return {
        html: `There is no tag ${safe(`${model}@${version}`)}.`,
        buttons: [[commandButton(`/history ${model}`)]],
      };
    const { danger, persons } = bot.environments[environment] as { danger: boolean; persons: number };
    return {
      html: [
        `<b>Plan: ${safe(model)} to ${safe(environment)}</b>`,
        `now: ${live === null ? "nothing" : `${safe(live.deployment.payload.version, 40)} (${shortSha(live.deployment.sha)})`}`,
        `then: ${safe(candidate.version ?? bot.branch, 40)} (${shortSha(candidate.sha)}), ${withSign(candidate.verdict)}, ${safe(candidate.source)}`,
        `workflow: ${safe(bot.github.deploy.file)} on ${safe(bot.github.deploy.ref)}`,
        `needs: ${persons} ${persons === 1 ? "person" : "persons"}${danger ? ", each with a second tap" : ""}`,
        ...(lock === null ? [] : lockLines([lock])),
        ...(candidate.passed ? [] : ["A deployment would be refused: only PASS is deployed."]),
      ].join("\n"),
      ...(candidate.passed && lock === null
        ? { buttons: [[commandButton(`/deploy ${model} ${environment}${version === null ? "" : ` ${version}`}`)]] }
        : {}),
    };
  },
};
