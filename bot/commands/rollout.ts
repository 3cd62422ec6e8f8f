import { requestAction } from "../approvals/request.ts";
import type { BotContext } from "../context/context.ts";
import type { Reply } from "../context/reply.ts";
import { safe } from "../context/text.ts";
import { githubEnvironment } from "../github/environments.ts";
import { rolloutCard } from "../rollout/card.ts";
import { mayGoOn, whyNotRollout } from "../rollout/rules.ts";
import { askRollout } from "../spaces/ask.ts";
import { askForModel, matchName, usage, type Command } from "./command.ts";
import { refusal, refusalByLock, requesterOf } from "./refusal.ts";

const deeds = ["promote", "override", "abort"] as const;

/** Models that could be rolled out: those with a live Space. */
const liveModels = ({ bot }: BotContext) =>
  bot.models.flatMap(({ id, live }) => (live === undefined ? [] : [{ id, live }]));

export const rollout: Command = {
  name: "rollout",
  usage: "/rollout MODEL [promote|override|abort] [REASON]",
  about: "a candidate beside the live version: step, evidence, and what to do",
  async run(ctx) {
    const { services: context, args } = ctx;
    const { bot } = context;
    const models = liveModels(context);
    const ids = models.map(({ id }) => id);
    const id = matchName(args[0], ids) ?? (args[0] === undefined && ids.length === 1 ? ids[0]! : null);
    if (id === null)
      return askForModel(
        rollout,
        args[0],
        "Which model?",
        ids.map((one) => `/rollout ${one}`),
      );
    const { live } = models.find((one) => one.id === id)!;
    const asked = await askRollout(context.spaces, live, id);
    const status = asked.ok ? asked.value : null;
    if (args[1] === undefined) return card(context, id, status, asked.ok ? "" : asked.why);
    const does = matchName(args[1], deeds) as (typeof deeds)[number] | null;
    if (does === null)
      return usage(
        rollout,
        `There is no ${safe(args[1])}.`,
        deeds.map((one) => `/rollout ${id} ${one}`),
      );
    const refused = (await refusal(ctx)) ?? (does === "abort" ? null : await refusalByLock(context, id, bot.live));
    if (refused !== null) return refused;
    if (status === null) return { html: `⛔ ${safe(asked.ok ? "" : asked.why, 200)}` };
    const reason = ctx.payload
      .trim()
      .replace(/^\S+\s+\S+\s*/, "")
      .slice(0, 200);
    // What the evidence allows by now is no override, whatever the button said.
    const wanted = does === "override" && mayGoOn(status) ? "promote" : does;
    const why = whyNotRollout(status, { rollout: status.rollout, does: wanted });
    if (why !== null) return usage(rollout, safe(why, 300), [`/rollout ${id} override`, `/rollout ${id} abort`]);
    return requestAction(context, requesterOf(ctx), {
      detail: {
        kind: "rollout",
        model: id,
        environment: bot.live,
        does: wanted,
        rollout: status.rollout,
        candidate: status.candidate.version,
        reason: wanted === "promote" ? "" : reason,
      },
      sha: "",
      digest: "",
      // Who ends it takes traffic from a candidate, which is safe; who goes on needs as many as a deployment does.
      needed: wanted === "abort" ? 1 : (bot.environments[bot.live]?.persons ?? 1),
      about: [safe(`${status.decision.action}: ${status.decision.reason}`, 200)],
    });
  },
};

async function card(
  { bot, github }: BotContext,
  id: string,
  status: Parameters<typeof rolloutCard>[2],
  why: string,
): Promise<Reply> {
  const note = await github.rolloutNote(githubEnvironment(bot, id, bot.live));
  if (status === null && note === null)
    return { html: `No roll-out of <b>${safe(id)}</b> goes on${why === "" ? "" : `: ${safe(why, 200)}`}.` };
  // A note of an earlier roll-out says nothing about this one.
  return rolloutCard(id, bot.live, status, status !== null && note?.rollout !== status.rollout ? null : note);
}
