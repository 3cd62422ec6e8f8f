import { askAbout, waitingRuns } from "../approvals/waiting-runs.ts";
import type { BotContext } from "../context/context.ts";
import { commandButton, type Outcome } from "../context/reply.ts";
import { safe } from "../context/text.ts";
import { usage, type Command } from "./command.ts";

export const approve: Command = {
  name: "approve",
  usage: "/approve [RUN]",
  about: "runs that wait, to approve or reject",
  run: ({ services, args }) => listWaiting(services, approve, args[0]),
};

export const reject: Command = {
  name: "reject",
  usage: "/reject [RUN [REASON]]",
  about: "runs that wait, to reject or approve",
  run: ({ services, args, payload }) => {
    const reason = payload.trim().replace(/^\S+\s*/, "");
    return listWaiting(services, reject, args[0], reason === "" ? undefined : reason.slice(0, 200));
  },
};

async function listWaiting(
  context: BotContext,
  command: Command,
  wanted: string | undefined,
  reason?: string,
): Promise<Outcome> {
  if (wanted !== undefined && !/^\d{1,15}$/.test(wanted))
    return usage(command, `${safe(wanted)} is not a run's number.`, [`/${command.name}`]);
  const waiting = (await waitingRuns(context)).filter(({ run }) => wanted === undefined || run.id === Number(wanted));
  if (waiting.length === 0)
    return {
      html:
        wanted === undefined ? "No run waits for an approval." : `Run ${safe(wanted)} does not wait for an approval.`,
      buttons: [[commandButton("/runs")]],
    };
  const parts = await Promise.all(waiting.slice(0, 4).map((one) => askAbout(context, one, reason)));
  return { html: parts.flatMap(({ lines }) => lines).join("\n"), buttons: parts.flatMap(({ buttons }) => buttons) };
}
