import { commandButton } from "../context/reply.ts";
import { requestAction } from "../approvals/request.ts";
import { usage, type Command } from "./command.ts";
import { lockLines } from "../status/lock-lines.ts";
import { refusal, requesterOf } from "./refusal.ts";

export const lock: Command = {
  name: "lock",
  usage: "/lock REASON",
  about: "no deployments until somebody unlocks",
  async run(ctx) {
    const { services: context } = ctx;
    if (ctx.payload.trim() === "") {
      const held = await context.github.locks(context.bot.github.lock);
      return held.length === 0
        ? usage(lock, "Why?")
        : { html: lockLines(held).join("\n"), buttons: [[commandButton("/unlock")]] };
    }
    const refused = await refusal(ctx);
    if (refused !== null) return refused;
    return requestAction(context, requesterOf(ctx), {
      detail: { kind: "lock", reason: ctx.payload.trim().slice(0, 200) },
      sha: "",
      digest: "",
      needed: 1,
      about: [],
    });
  },
};

export const unlock: Command = {
  name: "unlock",
  usage: "/unlock [REASON]",
  about: "allow deployments again",
  async run(ctx) {
    const { services: context } = ctx;
    const refused = await refusal(ctx);
    if (refused !== null) return refused;
    // People may not release the lock of a run that is deploying.
    const held = (await context.github.locks(context.bot.github.lock)).filter(({ record }) => record.run === null);
    if (held.length === 0) return { html: "Nothing is locked." };
    // The action is bound to these locks. A lock that somebody takes in the meantime is not released.
    return requestAction(context, requesterOf(ctx), {
      detail: {
        kind: "unlock",
        reason: ctx.payload.trim().slice(0, 200),
        locks: held.map(({ environment, tagSha }) => ({ environment, tagSha })),
      },
      sha: "",
      digest: "",
      needed: 1,
      about: [],
    });
  },
};
