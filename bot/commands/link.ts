import { escapeHtml } from "../telegram/format.ts";
import type { Ask, Command, Outcome, BotContext } from "../context/command.ts";
import { commandButton } from "./usage.ts";
import { safe } from "../context/text.ts";

/** How long a deep link works. */
const deepLinkMs = 600_000;

export const link: Command = {
  name: "link",
  usage: "/link [off]",
  about: "prove which GitHub account is yours; acting needs it",
  async run(context, ask) {
    const { store, device, username, now } = context;
    const { user, privateChat } = ask.said;
    const known = store.links.find(user);
    if (ask.args[0] === "off") {
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
    if (privateChat) return beginDeviceFlow(context, ask);
    // The code must be seen by one person only: on to the private chat, by a link that works once and only for them.
    return () => {
      const id = store.nonces.make(
        { kind: "link" },
        { family: `${ask.key}:link`, chat: user, user, single: true, expiresAt: now() + deepLinkMs },
      );
      return {
        html: `${safe(ask.said.name, 40)}, go on in private; the link works once, for you, for ten minutes.`,
        buttons: [[{ text: "Link my GitHub account", url: `https://t.me/${username()}?start=${id}` }]],
      };
    };
  },
};

/** /start ID, as a deep link sends it; plain /start is /help. */
export async function start(context: BotContext, ask: Ask): Promise<Outcome | null> {
  const [id] = ask.args;
  if (id === undefined) return null;
  const { store, now } = context;
  const nonce = store.nonces.find(id);
  if (
    nonce === null ||
    nonce.press.kind !== "link" ||
    nonce.user !== ask.said.user ||
    nonce.chat !== ask.said.chat ||
    nonce.usedAt !== null ||
    nonce.expiresAt <= now()
  )
    return { html: "This link is not yours, or was used, or is too old.", buttons: [[commandButton("/link")]] };
  const outcome = await beginDeviceFlow(context, ask);
  return () => {
    store.nonces.use(id, ask.said.user, now());
    return typeof outcome === "function" ? outcome() : outcome;
  };
}

async function beginDeviceFlow({ store, device, now }: BotContext, { said, key }: Ask): Promise<Outcome> {
  if (device === null) return { html: "Linking is not set up." };
  const code = await device.begin();
  return () => {
    store.links.begin({
      user: said.user,
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

export const whoami: Command = {
  name: "whoami",
  usage: "/whoami",
  about: "your ids, your GitHub account, what you may do",
  async run({ bot, store, github }, { said }) {
    const known = store.links.find(said.user);
    const { role } = known === null ? { role: "none" } : await github.permission(known.login);
    return {
      html: [
        `user <code>${said.user}</code>, chat <code>${said.chat}</code>`,
        known === null
          ? "GitHub: not linked; you can look, not act."
          : `GitHub: <b>${safe(known.login)}</b>, ${safe(role)} in ${safe(bot.repository, 140)} (acting takes ${bot.github.permission})`,
      ].join("\n"),
      ...(known === null ? { buttons: [[commandButton("/link")]] } : {}),
    };
  },
};
