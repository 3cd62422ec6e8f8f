import { escapeHtml } from "../telegram/format.ts";
import { approve, reject } from "./approve.ts";
import { audit } from "./audit.ts";
import { commandButton, type Command } from "./command.ts";
import { deploy } from "./deploy.ts";
import { digest } from "./digest.ts";
import { gates } from "./gates.ts";
import { history } from "./history.ts";
import { link } from "./link.ts";
import { lock, unlock } from "./lock.ts";
import { mute } from "./mute.ts";
import { plan } from "./plan.ts";
import { predict } from "./predict.ts";
import { rollback } from "./rollback.ts";
import { runs } from "./runs.ts";
import { status } from "./status.ts";
import { subscribe } from "./subscribe.ts";
import { whoami } from "./whoami.ts";

export const help: Command = {
  name: "help",
  usage: "/help",
  about: "every command",
  run: () => ({
    html: commands.map(({ usage, about }) => `<code>${escapeHtml(usage)}</code> ${escapeHtml(about)}`).join("\n"),
    buttons: [["/status", "/runs", "/approve"].map((text) => commandButton(text))],
  }),
};

/** In the order of the menu. */
export const commands: readonly Command[] = [
  status,
  gates,
  runs,
  history,
  predict,
  plan,
  deploy,
  rollback,
  approve,
  reject,
  lock,
  unlock,
  subscribe,
  mute,
  digest,
  whoami,
  link,
  audit,
  help,
];
