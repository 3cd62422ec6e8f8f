import { commandButton, resolve, type Outcome } from "../context/reply.ts";
import type { SluiceContext } from "../context/telegraf-context.ts";
import { safe } from "../context/text.ts";
import { minuteMs } from "../telegram/clock.ts";
import { escapeHtml } from "../telegram/format.ts";
import type { Command } from "./command.ts";

/** How long a deep link stays valid. */
const deepLinkMs = 10 * minuteMs;

export const link: Command = {
  name: "link",
  usage: "/link [off]",
  about: "prove which GitHub account is yours; acting needs it",
  async run(ctx) {
    const { services: context } = ctx;
    const { store, device, username, now } = context;
    const { user, privateChat } = ctx.act;
    const known = store.links.find(user);
    if (ctx.args[0] === "off") {
      return () => {
        if (known !== null) store.audit.add(now(), { user, login: known.login }, "unlink", {});
        store.links.unlink(user);
        store.links.end(user);
        return {
          html:
            known === null ? "No GitHub account was linked." : `<b>${safe(known.login)}</b> is not linked any more.`,
        };
      };
    }
    if (device === null) return { html: "Linking is not set up: <code>github.clientId</code> is missing in bot.yaml." };
    if (privateChat) return beginDeviceFlow(ctx);
    // Only this person may see the code. So a link to the private chat is sent that works once and only for them.
    return () => {
      const id = store.nonces.make(
        { kind: "link" },
        { family: `${ctx.key}:link`, chat: user, user, single: true, expiresAt: now() + deepLinkMs },
      );
      return {
        html: `${safe(ctx.act.name, 40)}, go on in private; the link works once, for you, for ten minutes.`,
        buttons: [[{ text: "Link my GitHub account", url: `https://t.me/${username()}?start=${id}` }]],
      };
    };
  },
};

/** Handles /start ID, as a deep link sends it. */
export async function openDeepLink(ctx: SluiceContext, id: string): Promise<Outcome> {
  const { store, now } = ctx.services;
  const nonce = store.nonces.find(id);
  if (
    nonce === null ||
    nonce.callback.kind !== "link" ||
    nonce.user !== ctx.act.user ||
    nonce.chat !== ctx.act.chat ||
    nonce.usedAt !== null ||
    nonce.expiresAt <= now()
  )
    return { html: "This link is not yours, or was used, or is too old.", buttons: [[commandButton("/link")]] };
  const outcome = await beginDeviceFlow(ctx);
  return () => {
    store.nonces.use(id, ctx.act.user, now());
    return resolve(outcome);
  };
}

async function beginDeviceFlow({ services: { store, device, now }, act, key }: SluiceContext): Promise<Outcome> {
  if (device === null) return { html: "Linking is not set up." };
  const code = await device.begin();
  return () => {
    store.links.begin({
      user: act.user,
      deviceCode: code.deviceCode,
      messageKey: key,
      intervalMs: code.intervalMs,
      nextAt: now() + code.intervalMs,
      expiresAt: now() + code.expiresInMs,
    });
    return {
      html: `Open GitHub, log in, and enter <code>${escapeHtml(code.userCode)}</code>.\nEnter it only if you wrote /link yourself. This message says when it is done.`,
      buttons: [[{ text: "Open GitHub", url: code.url }]],
    };
  };
}
