import { personName } from "../context/person-name.ts";
import type { BotContext } from "../context/context.ts";
import type { Button, Outcome, Reply } from "../context/reply.ts";
import { safe, shortSha } from "../context/text.ts";
import { stageOf } from "../github/environments.ts";
import type { Action, ActionDetail } from "../store/actions.ts";
import { isCardKey } from "../store/cards.ts";
import { linkHtml } from "../telegram/format.ts";

// Requests for actions on GitHub: who may ask, how a request is stored, and what its message says from the first
// question to the result. handle-callback.ts handles taps on its buttons, action-worker.ts carries out the action.

/**
 * The requested action and its evidence: the commit and the digest of the report. `needed` counts persons. `about`: what
 * people should see before they decide, a line of HTML each.
 */
export type ActionRequest = Pick<Action, "detail" | "sha" | "digest" | "needed" | "about">;
/** Who asks, and the key of the message that asks. */
export type Requester = { user: number; key: string };

/** Stores an action and asks for the first tap. Nothing happens before somebody taps. */
export function requestAction(context: BotContext, requester: Requester, request: ActionRequest): Outcome {
  return () => {
    const action = addAction(context, requester, request);
    auditRequest(context, action);
    return askCard(context, action);
  };
}

export function addAction(
  { store, now, bot }: BotContext,
  { user, key }: Requester,
  { detail, sha, digest, needed, about }: ActionRequest,
): Action {
  return store.actions.add({
    detail,
    sha,
    digest,
    needed,
    about,
    initiator: user,
    messageKey: key,
    createdAt: now(),
    expiresAt: now() + bot.approvals.expireSeconds * 1000,
  });
}

export function auditRequest(context: BotContext, action: Action): void {
  audit(context, action.initiator, `asks ${action.detail.kind}`, auditDetail(action));
}

/** Adds an entry to the audit; `user` null stands for the bot itself. */
export function audit(
  { store, now }: BotContext,
  user: number | null,
  event: string,
  detail: Record<string, unknown>,
): void {
  store.audit.add(now(), { user, login: user === null ? null : store.links.login(user) }, event, detail);
}

/** The fields that an audit entry records of an action: its id, what it does, the commit and the report. */
export function auditDetail({ id, detail, sha, digest }: Action): Record<string, unknown> {
  return { action: id, ...detail, sha, digest };
}

/** "deploy mood 1.2.0 to production", in HTML. */
export function describeAction(detail: ActionDetail): string {
  switch (detail.kind) {
    case "deploy":
      return `deploy <b>${safe(detail.model)}</b> ${safe(detail.candidate, 60)} to <b>${safe(detail.environment)}</b>`;
    case "rollback":
      return `roll <b>${safe(detail.model)}</b> in <b>${safe(detail.environment)}</b> back to ${safe(detail.candidate, 60)}`;
    case "approve":
    case "reject": {
      const why = detail.kind === "reject" && detail.reason !== "" ? `: ${safe(detail.reason, 200)}` : "";
      return `${detail.kind} <b>${safe(detail.subject, 80)}</b> for <b>${safe(detail.environment)}</b> (run ${detail.run})${why}`;
    }
    case "retrain":
      return `train <b>${safe(detail.model)}</b> again${detail.reason === "" ? "" : `: ${safe(detail.reason, 200)}`}`;
    case "cancel":
      return `cancel <b>${safe(detail.name, 80)}</b> (run ${detail.run})`;
    case "rollout": {
      const of = `<b>${safe(detail.model)}</b> ${safe(detail.candidate, 60)} in <b>${safe(detail.environment)}</b>`;
      const why = detail.reason === "" ? "" : `: ${safe(detail.reason, 200)}`;
      const what = {
        promote: `promote ${of} to its next step`,
        override: `promote ${of} although the evidence does not say so`,
        abort: `end the roll-out of ${of}`,
      };
      return `${what[detail.does]}${why}`;
    }
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
  retrain: "Retrain",
  cancel: "Cancel the run",
  rollout: "Promote",
  lock: "Lock",
  unlock: "Unlock",
};

const verbOf = (detail: ActionDetail): string =>
  detail.kind !== "rollout"
    ? verbs[detail.kind]
    : { promote: verbs.rollout, override: "Override", abort: "Abort" }[detail.does];

/** The reasons to choose from with the second tap; null where none is needed. */
function reasonsFor({ bot }: Pick<BotContext, "bot">, detail: ActionDetail): readonly string[] | null {
  if (detail.kind === "reject") return detail.reason === "" ? bot.approvals.rejectReasons : [detail.reason];
  if (detail.kind !== "rollout" || detail.does === "promote") return null;
  return detail.reason === "" ? rolloutReasons[detail.does] : [detail.reason];
}

/** `/rollout MODEL abort WORDS` gives any other. */
const rolloutReasons = {
  abort: ["complaints", "the figures", "not now"],
  override: ["an urgent fix", "seen enough"],
} as const;

/** Whether an action has to be confirmed by a second tap. */
export function isDangerous({ bot }: Pick<BotContext, "bot">, detail: ActionDetail): boolean {
  switch (detail.kind) {
    case "rollback":
      return true;
    case "rollout":
      return detail.does !== "promote" || (bot.environments[detail.environment]?.danger ?? true);
    case "deploy":
      return bot.environments[detail.environment]?.danger ?? true;
    case "reject":
      return true;
    case "approve":
      return bot.environments[stageOf(bot, detail.environment) ?? ""]?.danger ?? true;
    case "unlock":
    case "cancel":
      return true;
    case "retrain":
    case "lock":
      return false;
  }
}

const evidenceLines = ({ sha, digest }: Pick<Action, "sha" | "digest">) =>
  sha === "" ? [] : [`commit <code>${shortSha(sha)}</code> · report <code>${safe(digest.slice(0, 12), 12)}</code>`];

/** Evidence, and what else people should see while they still decide. */
const questionLines = (action: Action) => [...evidenceLines(action), ...action.about];

/** The first question: what will be done, by whom and on which evidence. */
export function askCard(context: BotContext, action: Action): Reply {
  const { id, detail, initiator } = action;
  const kind = isDangerous(context, detail) ? "ask" : "confirm";
  return {
    html: [`${personName(context, initiator)} wants to ${describeAction(detail)}`, ...questionLines(action)].join("\n"),
    buttons: [
      [
        {
          text: `${verbOf(detail)}${kind === "ask" ? "…" : ""}`,
          callback: { kind, action: id },
          user: initiator,
          style: kind === "ask" ? "danger" : "primary",
        },
      ],
      [cancelButton(action)],
    ],
  };
}

/** The second question, for dangerous actions. */
export function confirmCard(context: BotContext, action: Action): Reply {
  const { id, detail, initiator } = action;
  // Whoever rejects says why; the second tap chooses it.
  const reasons = reasonsFor(context, detail) ?? [undefined];
  return {
    html: [`⚠️ ${personName(context, initiator)}, really ${describeAction(detail)}?`, ...questionLines(action)].join(
      "\n",
    ),
    buttons: [
      ...reasons.map((reason): Button[] => [
        {
          text: `Yes, ${verbOf(detail).toLowerCase()}${reason === undefined ? "" : `: ${reason}`}`.slice(0, 60),
          callback: { kind: "confirm", action: id, ...(reason === undefined ? {} : { reason }) },
          user: initiator,
          style: "danger",
        },
      ]),
      [cancelButton(action)],
    ],
  };
}

/**
 * The message while a request waits for more persons. `asking` is the one who tapped "Approve…" and must confirm; null
 * if nobody did.
 */
export function collectCard(context: BotContext, action: Action, asking: number | null): Reply {
  const { id, detail, initiator, approvers, needed } = action;
  const have = 1 + approvers.length;
  const approve: Button[] =
    asking === null
      ? []
      : [
          {
            text: `Yes, I approve (${personName(context, asking)})`,
            callback: { kind: "confirm-approval", action: id },
            user: asking,
            style: "danger",
          },
        ];
  return {
    html: [
      `🔔 ${personName(context, initiator)} asks to ${describeAction(detail)}: ${have} of ${needed} persons`,
      ...questionLines(action),
      ...approvers.map((one) => `✓ ${personName(context, one)}`),
      `Somebody else must approve; ${personName(context, initiator)} cannot.`,
    ].join("\n"),
    card: {
      brief: `🔔 ${detail.kind === "approve" ? detail.environment : detail.kind}: ${have} of ${needed} persons`,
      state: "acting",
    },
    buttons: [
      ...(approve.length === 0 ? [] : [approve]),
      [{ text: "Approve…", callback: { kind: "approve", action: id }, style: "primary" }],
      [cancelButton(action)],
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

const stateWords: Record<Action["state"], string> = {
  collecting: "waits",
  wanted: "is being checked",
  started: "is under way",
  done: "done",
  failed: "failed",
  refused: "refused",
  unsure: "unsure",
  cancelled: "cancelled",
};

const isUnderWay = (state: Action["state"]) => state === "wanted" || state === "started" || state === "collecting";

/** The state of the question under a card, given the action's state. */
const cardState = (state: Action["state"]) => (state === "done" ? "decided" : isUnderWay(state) ? "acting" : "again");

/** An action on a waiting run as one line of plain text, for the buttons under a card of actions/notify. */
export function briefState(
  context: Pick<BotContext, "store">,
  { detail, initiator, approvers, state, result }: Action,
): string | null {
  if (detail.kind !== "approve" && detail.kind !== "reject") return null;
  const people = [initiator, ...approvers].map((user) => context.store.links.login(user) ?? `user ${user}`).join(", ");
  if (state === "done")
    return `${detail.kind === "approve" ? "✅" : "❌"} ${detail.environment} ${detail.kind === "approve" ? "approved" : "rejected"} by ${people}`;
  return isUnderWay(state)
    ? `⏳ ${people}: ${detail.kind} ${detail.environment}`
    : `${signs[state]} ${result ?? state}`;
}

/** The state of an action and its result. `more` is the link below, to the run that the action started. */
export function stateCard(
  context: BotContext,
  action: Action,
  more: { text: string; url: string | null } | null = null,
): Reply {
  const { detail, initiator, approvers, state, result, id } = action;
  return {
    card: { brief: briefState(context, action), state: cardState(state) },
    html: [
      `${signs[state]} ${describeAction(detail)}: ${stateWords[state]}`,
      ...evidenceLines(action),
      `by ${personName(context, initiator)}${approvers.length === 0 ? "" : `, approved by ${approvers.map((one) => personName(context, one)).join(", ")}`}`,
      ...(result === null ? [] : [safe(result, 300)]),
      ...(more === null ? [] : [linkHtml(more.text, more.url)]),
      `<code>${id}</code>`,
    ].join("\n"),
    // Nothing may be asked for again before somebody has looked.
    ...(state === "unsure" && !isCardKey(action.messageKey)
      ? { buttons: [[{ text: "/runs", callback: { kind: "command" as const, text: "/runs" }, single: false }]] }
      : {}),
  };
}

/** The way out. Beside "Cancel the run", "Cancel" would be read both ways. */
function cancelButton({ id, detail }: Action): Button {
  return { text: detail.kind === "cancel" ? "Leave it" : "Cancel", callback: { kind: "cancel", action: id } };
}
