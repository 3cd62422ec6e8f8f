import type { BotContext } from "../context/context.ts";
import { resolve, type Outcome } from "../context/reply.ts";
import { safe } from "../context/text.ts";
import { minuteMs } from "../telegram/clock.ts";
import { escapeHtml } from "../telegram/format.ts";
import { commandButton, type Command, type CommandRequest } from "./command.ts";

/** How long a deep link stays valid. */
const deepLinkMs = 10 * minuteMs;

export const link: Command = {
  name: "link",
  usage: "/link [off]",
  about: "prove which GitHub account is yours; acting needs it",
  async run(context, request) {
    const { store, device, username, now } = context;
    const { user, privateChat } = request.update;
    const known = store.links.find(user);
    if (request.args[0] === "off") {
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
    if (privateChat) return beginDeviceFlow(context, request);
    // Only this person may see the code. So a link to the private chat is sent that works once and only for them.
    return () => {
      const id = store.nonces.make(
        { kind: "link" },
        { family: `${request.key}:link`, chat: user, user, single: true, expiresAt: now() + deepLinkMs },
      );
      return {
        html: `${safe(request.update.name, 40)}, go on in private; the link works once, for you, for ten minutes.`,
        buttons: [[{ text: "Link my GitHub account", url: `https://t.me/${username()}?start=${id}` }]],
      };
    };
  },
};

/** Handles /start ID, as a deep link sends it. @returns null for a plain /start */
export async function start(context: BotContext, request: CommandRequest): Promise<Outcome | null> {
  const [id] = request.args;
  if (id === undefined) return null;
  const { store, now } = context;
  const nonce = store.nonces.find(id);
  if (
    nonce === null ||
    nonce.callback.kind !== "link" ||
    nonce.user !== request.update.user ||
    nonce.chat !== request.update.chat ||
    nonce.usedAt !== null ||
    nonce.expiresAt <= now()
  )
    return { html: "This link is not yours, or was used, or is too old.", buttons: [[commandButton("/link")]] };
  const outcome = await beginDeviceFlow(context, request);
  return () => {
    store.nonces.use(id, request.update.user, now());
    return resolve(outcome);
  };
}

async function beginDeviceFlow({ store, device, now }: BotContext, { update, key }: CommandRequest): Promise<Outcome> {
  if (device === null) return { html: "Linking is not set up." };
  const code = await device.begin();
  return () => {
    store.links.begin({
      user: update.user,
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
