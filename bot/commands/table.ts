import { commandButton } from "../context/reply.ts";
import { escapeHtml } from "../telegram/format.ts";
import { approve, reject } from "./approve.ts";
import { audit } from "./audit.ts";
import { cancel } from "./cancel.ts";
import { matchName, type Command } from "./command.ts";
import { deploy } from "./deploy.ts";
import { digest } from "./digest.ts";
import { gates } from "./gates.ts";
import { history } from "./history.ts";
import { link } from "./link.ts";
import { lock, unlock } from "./lock.ts";
import { logs } from "./logs.ts";
import { mute } from "./mute.ts";
import { pin } from "./pin.ts";
import { plan } from "./plan.ts";
import { predict } from "./predict.ts";
import { retrain } from "./retrain.ts";
import { rollback } from "./rollback.ts";
import { rollout } from "./rollout.ts";
import { runs } from "./runs.ts";
import { status } from "./status.ts";
import { subscribe } from "./subscribe.ts";
import { watch } from "./watch.ts";
import { whoami } from "./whoami.ts";

export const help: Command = {
  name: "help",
  usage: "/help [COMMAND]",
  about: "every command, or one of them",
  run: ({ args }) => {
    const one = matchName(
      args[0]?.replace(/^\//, ""),
      commands.map(({ name }) => name),
    );
    const command = commands.find(({ name }) => name === one);
    if (command !== undefined)
      return { html: `<code>${escapeHtml(command.usage)}</code>\n${escapeHtml(command.about)}` };
    return {
      html: Object.entries(groups)
        .map(([title, list]) =>
          [`<b>${title}</b>`, ...list.map(({ usage }) => `<code>${escapeHtml(usage)}</code>`)].join("\n"),
        )
        .join("\n\n"),
      buttons: [["/status", "/runs", "/approve"].map((text) => commandButton(text))],
    };
  },
};

const groups: Readonly<Record<string, readonly Command[]>> = {
  Status: [status, watch, gates, runs, logs, history, predict, plan],
  Actions: [deploy, rollback, rollout, approve, reject, cancel, retrain, lock, unlock],
  "This chat": [subscribe, mute, digest, pin],
  You: [whoami, link, audit, help],
};

/** In the order of the menu. */
export const commands: readonly Command[] = Object.values(groups).flat();
