import { personName } from "../context/person-name.ts";
import type { BotContext } from "../context/context.ts";
import { commandButton, toContent, type Outcome } from "../context/reply.ts";
import { clockTime, safe } from "../context/text.ts";
import { watchReply } from "../watch/reply.ts";
import type { CallbackAction, Nonce } from "../store/nonces.ts";
import { dayMs } from "../telegram/clock.ts";
import type { Content } from "../telegram/send-or-edit.ts";
import { whyNotAllowed } from "./persons.ts";
import { audit } from "./request.ts";

const events = { acknowledge: "acknowledges watch", snooze: "snoozes watch", wake: "ends snooze of watch" } as const;

/**
 * A tap on Acknowledge or Snooze. Both take the rights of a mute and stand in the audit. Every chat that has the alert
 * sees who it was.
 */
export async function watchButton(
  context: BotContext,
  user: number,
  nonce: Nonce,
  { does, model, at }: CallbackAction & { kind: "watch" },
  key: string,
): Promise<{ toast: string; outcome: Outcome | null }> {
  const { store, now, bot } = context;
  const why = await whyNotAllowed(context, user);
  if (why !== null) {
    audit(context, user, `refused ${events[does]}`, { model, why });
    return { toast: why, outcome: null };
  }
  if (store.watches.find(model)?.reportedAt !== at)
    return { toast: `It has changed since: /watch ${model}.`, outcome: null };
  const until = now() + dayMs;
  const said = {
    acknowledge: `👀 acknowledged by ${personName(context, user)}`,
    snooze: `💤 snoozed by ${personName(context, user)} until ${clockTime(until, bot.timeZone)}; labels that show it worse are told all the same`,
    wake: `🔔 snooze ended by ${personName(context, user)}`,
  }[does];
  const outcome = () => {
    const entry = store.watches.find(model);
    const alerts = store.messages.withPrefix(`watch:${model}:${at}:`);
    const pressed = alerts.find((one) => one.key === key);
    const done = entry?.reportedAt === at && store.nonces.use(nonce.id, user, now());
    if (entry !== null && done) {
      const snoozedUntil = does === "snooze" ? until : does === "wake" ? 0 : entry.snoozedUntil;
      store.watches.put({ ...entry, acknowledgedBy: does === "wake" ? entry.acknowledgedBy : user, snoozedUntil });
      audit(context, user, events[does], {
        model,
        ...(does === "snooze" ? { result: `until ${clockTime(until, bot.timeZone)}` } : {}),
      });
    }
    const after = ({ html, picture }: Content) => ({
      html: done ? `${html}\n${said}` : html,
      buttons: [[commandButton(`/watch ${model}`, "State")]],
      ...(picture === undefined ? {} : { picture }),
    });
    if (done)
      for (const one of alerts) {
        if (one.key === key) continue;
        store.messages.want(one.key, one, toContent(context, after(one.content), one.chat, one.key), now());
      }
    return pressed === undefined ? watchReply(context, model) : after(pressed.content);
  };
  return { toast: safe({ acknowledge: "Acknowledged.", snooze: "Snoozed.", wake: "Alerts are on." }[does]), outcome };
}
