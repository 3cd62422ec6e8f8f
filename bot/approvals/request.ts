import type { Button, Reply, BotContext } from "../context/command.ts";
import { safe, short } from "../context/text.ts";
import { stageOf } from "../github/environments.ts";
import type { Action, ActionDetail } from "../store/actions.ts";
import { linkHtml } from "../telegram/format.ts";

/** "deploy mood 1.2.0 to production", in HTML. */
export function inWords(detail: ActionDetail): string {
  switch (detail.kind) {
    case "deploy":
      return `deploy <b>${safe(detail.model)}</b> ${safe(detail.candidate, 60)} to <b>${safe(detail.environment)}</b>`;
    case "rollback":
      return `roll <b>${safe(detail.model)}</b> in <b>${safe(detail.environment)}</b> back to ${safe(detail.candidate, 60)}`;
    case "approve":
      return `approve run ${detail.run} for <b>${safe(detail.environment)}</b>`;
    case "reject":
      return `reject run ${detail.run} for <b>${safe(detail.environment)}</b>`;
    case "lock":
      return `lock every deployment: ${safe(detail.reason, 200)}`;
    case "unlock":
      return `unlock${detail.reason === "" ? "" : `: ${safe(detail.reason, 200)}`}`;
  }
}

const verbs: Record<ActionDetail["kind"], string> = {
  deploy: "Deploy",
  rollback: "Roll back",
  approve: "Approve",
  reject: "Reject",
  lock: "Lock",
  unlock: "Unlock",
};

/** Whether an action takes a second tap. */
export function isDangerous({ bot }: Pick<BotContext, "bot">, detail: ActionDetail): boolean {
  switch (detail.kind) {
    case "rollback":
      return true;
    case "deploy":
      return bot.environments[detail.environment]?.danger ?? true;
    case "approve":
      return bot.environments[stageOf(bot, detail.environment) ?? ""]?.danger ?? true;
    case "unlock":
      return true;
    case "lock":
    case "reject":
      return false;
  }
}

export function who({ store }: Pick<BotContext, "store">, user: number): string {
  const login = store.links.find(user)?.login;
  return login === undefined ? `user ${user}` : safe(login, 40);
}

const evidence = ({ sha, digest }: Pick<Action, "sha" | "digest">) =>
  sha === "" ? [] : [`commit <code>${short(sha)}</code> · report <code>${safe(digest.slice(0, 12), 12)}</code>`];

/** The first question: what will be done, by whom, on which evidence. */
export function askCard(context: BotContext, action: Action): Reply {
  const { id, detail, initiator } = action;
  const kind = isDangerous(context, detail) ? "ask" : "confirm";
  return {
    html: [`${who(context, initiator)} wants to ${inWords(detail)}`, ...evidence(action)].join("\n"),
    buttons: [
      [
        {
          text: `${verbs[detail.kind]}${kind === "ask" ? "…" : ""}`,
          press: { kind, action: id },
          user: initiator,
          style: kind === "ask" ? "danger" : "primary",
        },
        cancel(id),
      ],
    ],
  };
}

/** The second tap. */
export function confirmCard(context: BotContext, action: Action): Reply {
  const { id, detail, initiator } = action;
  return {
    html: [`⚠️ ${who(context, initiator)}, really ${inWords(detail)}?`, ...evidence(action)].join("\n"),
    buttons: [
      [
        {
          text: `Yes, ${verbs[detail.kind].toLowerCase()}`,
          press: { kind: "confirm", action: id },
          user: initiator,
          style: "danger",
        },
        cancel(id),
      ],
    ],
  };
}

/** Waiting for further persons; `asking` is the one who has tapped once. */
export function collectCard(context: BotContext, action: Action, asking: number | null): Reply {
  const { id, detail, initiator, approvers, needed } = action;
  const have = 1 + approvers.length;
  const approve: Button[] =
    asking === null
      ? []
      : [
          {
            text: `Yes, I approve (${who(context, asking)})`,
            press: { kind: "confirm-approval", action: id },
            user: asking,
            style: "danger",
          },
        ];
  return {
    html: [
      `🔔 ${who(context, initiator)} asks to ${inWords(detail)}: ${have} of ${needed} persons`,
      ...evidence(action),
      ...approvers.map((one) => `✓ ${who(context, one)}`),
      `Somebody else must approve; ${who(context, initiator)} cannot.`,
    ].join("\n"),
    card: {
      brief: `🔔 ${detail.kind === "approve" ? detail.environment : detail.kind}: ${have} of ${needed} persons`,
      state: "acting",
    },
    buttons: [
      ...(approve.length === 0 ? [] : [approve]),
      [{ text: "Approve…", press: { kind: "approve", action: id }, style: "primary" }, cancel(id)],
    ],
  };
}

const signs: Record<Action["state"], string> = {
  collecting: "🔔",
  wanted: "⏳",
  started: "⏳",
  done: "✅",
  failed: "🛑",
  refused: "⛔",
  unsure: "❔",
  cancelled: "⚪",
};

/** An action on a waiting run in one line of plain text, for a card whose text is not the bot's. */
export function briefly(
  context: Pick<BotContext, "store">,
  { detail, initiator, approvers, state, result }: Action,
): string | null {
  if (detail.kind !== "approve" && detail.kind !== "reject") return null;
  const people = [initiator, ...approvers]
    .map((user) => context.store.links.find(user)?.login ?? `user ${user}`)
    .join(", ");
  if (state === "done")
    return `${detail.kind === "approve" ? "✅" : "❌"} ${detail.environment} ${detail.kind === "approve" ? "approved" : "rejected"} by ${people}`;
  return state === "wanted" || state === "started" || state === "collecting"
    ? `⏳ ${people}: ${detail.kind} ${detail.environment}`
    : `${signs[state]} ${result ?? state}`;
}

/** Where an action stands, and what came of it. */
export function stateCard(
  context: BotContext,
  action: Action,
  more: { text: string; url: string | null } | null = null,
): Reply {
  const { detail, initiator, approvers, state, result, id } = action;
  const words: Record<Action["state"], string> = {
    collecting: "waits",
    wanted: "is being checked",
    started: "is under way",
    done: "done",
    failed: "failed",
    refused: "refused",
    unsure: "unsure",
    cancelled: "cancelled",
  };
  return {
    card: {
      brief: briefly(context, action),
      state:
        state === "done"
          ? "decided"
          : state === "wanted" || state === "started" || state === "collecting"
            ? "acting"
            : "again",
    },
    html: [
      `${signs[state]} ${inWords(detail)}: ${words[state]}`,
      ...evidence(action),
      `by ${who(context, initiator)}${approvers.length === 0 ? "" : `, approved by ${approvers.map((one) => who(context, one)).join(", ")}`}`,
      ...(result === null ? [] : [safe(result, 300)]),
      ...(more === null ? [] : [linkHtml(more.text, more.url)]),
      `<code>${id}</code>`,
    ].join("\n"),
  };
}

function cancel(action: string): Button {
  return { text: "Cancel", press: { kind: "cancel", action } };
}
