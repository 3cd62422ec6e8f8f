import { deploy, lock, rollback, unlock } from "./act.ts";
import { audit } from "./audit.ts";
import type { Command } from "../context/command.ts";
import { gates } from "./gates.ts";
import { history } from "./history.ts";
import { link, whoami } from "./link.ts";
import { plan } from "./plan.ts";
import { predict } from "./predict.ts";
import { approve, reject } from "../approvals/waiting-runs.ts";
import { runs } from "./runs.ts";
import { status } from "./status.ts";
import { digest, mute, subscribe } from "./subscribe.ts";
import { commandButton } from "./usage.ts";
import { escapeHtml } from "../telegram/format.ts";

const help: Command = {
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
