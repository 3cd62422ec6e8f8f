import { personName } from "../context/person-name.ts";
import type { BotContext } from "../context/context.ts";
import { resolve, type Outcome } from "../context/reply.ts";
import { safe } from "../context/text.ts";
import type { UserUpdate } from "../telegram/update.ts";
import type { Action } from "../store/actions.ts";
import { isCardKey } from "../store/cards.ts";
import type { CallbackAction, Nonce } from "../store/nonces.ts";
import { plainText } from "../telegram/format.ts";
import { recheckEvidence } from "./perform.ts";
import { approversNow, reviewRule, whyNotAllowed } from "./persons.ts";
import {
  addAction,
  askCard,
  audit,
  auditDetail,
  auditRequest,
  collectCard,
  confirmCard,
  describeAction,
  isDangerous,
  stateCard,
} from "./request.ts";
import { watchButton } from "./watch-buttons.ts";
import { figureLines, repositoryUrlOf, subjectName, subjectOf, surroundingLines } from "./waiting-runs.ts";

// Handles a tap on a button that leads to an action on GitHub: checks the person's rights and records their decision.
// handle-update.ts has already found the button and checked that it still works. action-worker.ts carries out the
// action.

export type CallbackResult = {
  /** Text that only the person who tapped sees; empty for none. */
  toast: string;
  /** The new content of the message; null leaves it unchanged. */
  outcome: Outcome | null;
  /** Shows the toast as an alert that the person has to close. */
  alert?: boolean;
};

const refuse = (toast: string): CallbackResult => ({ toast, outcome: null });
const accept = (outcome: Outcome): CallbackResult => ({ toast: "", outcome });

/** The button's nonce is spent in the same transaction as its effect. `key` belongs to the message with the button. */
export async function handleCallback(
  context: BotContext,
  update: UserUpdate,
  nonce: Nonce,
  key: string,
): Promise<CallbackResult> {
  const { callback } = nonce;
  const { user } = update;
  if (callback.kind === "review") return reviewRun(context, user, nonce, callback, key);
  if (callback.kind === "watch") return watchButton(context, user, nonce, callback, key);
  if (callback.kind === "command" || callback.kind === "link") return refuse("This button is not known.");
  const action = context.store.actions.find(callback.action);
  if (action === null) return refuse("This button is not known.");
  if (action.state !== "collecting") return refuse(`It is ${action.state} already.`);
  if (action.expiresAt <= context.now()) return refuse("This request is too old: ask again.");
  const spending =
    (effect: () => Outcome): Outcome =>
    () =>
      context.store.nonces.use(nonce.id, user, context.now())
        ? resolve(effect())
        : stateCard(context, context.store.actions.find(action.id) as Action);
  if (callback.kind === "cancel")
    return { toast: "Cancelled.", outcome: spending(() => cancel(context, user, action)) };
  const why = await whyNotAllowed(context, user);
  if (why !== null) return refuseAudited(context, user, action, why);
  if (callback.kind === "approve" || callback.kind === "confirm-approval") {
    const excluded = await whyExcluded(context, user, action);
    if (excluded !== null) return refuseAudited(context, user, action, excluded);
  }
  // The last tap hands the action to the worker, which checks everything once more.
  const isLast = callback.kind === "confirm" && action.needed === 1;
  const changed = isLast ? null : await recheckEvidence(context, action);
  if (changed !== null) return accept(spending(() => endRefused(context, user, action, changed)));
  switch (callback.kind) {
    case "ask":
      return accept(spending(() => confirmCard(context, action)));
    case "confirm":
      return accept(spending(() => confirm(context, user, explained(context, action, callback.reason))));
    case "approve":
    case "confirm-approval": {
      if (callback.kind === "approve" && isDangerous(context, action.detail))
        return accept(spending(() => collectCard(context, action, user)));
      // Rights are read again at every tap, of those too who tapped before.
      const lost = await whyNotAllowed(context, action.initiator);
      if (lost !== null) return accept(spending(() => endRefused(context, user, action, lost)));
      const counting = await approversNow(context, action);
      return accept(spending(() => approve(context, user, action, counting)));
    }
  }
}

/** Ends a request whose ground is gone: the evidence changed, or whoever asked may not act any more. */
function endRefused(context: BotContext, user: number, action: Action, result: string): Outcome {
  context.store.actions.move(action.id, "collecting", "refused", { result });
  audit(context, user, `${action.detail.kind} refused`, { ...auditDetail(action), result });
  return stateCard(context, context.store.actions.find(action.id) as Action);
}

function refuseAudited(context: BotContext, user: number, action: Action, why: string): CallbackResult {
  audit(context, user, `refused ${action.detail.kind}`, { ...auditDetail(action), why });
  return refuse(why);
}

function cancel(context: BotContext, user: number, action: Action): Outcome {
  context.store.actions.move(action.id, "collecting", "cancelled", {
    result: `cancelled by ${personName(context, user)}`,
  });
  audit(context, user, `cancels ${action.detail.kind}`, auditDetail(action));
  return stateCard(context, context.store.actions.find(action.id) as Action);
}

/** The action with the reason that was chosen. */
function explained({ store }: BotContext, action: Action, reason: string | undefined): Action {
  if (reason === undefined) return action;
  store.actions.explain(action.id, reason);
  return store.actions.find(action.id) as Action;
}

function confirm(context: BotContext, user: number, action: Action): Outcome {
  audit(context, user, `confirms ${action.detail.kind}`, auditDetail(action));
  if (action.needed === 1) return begin(context, action);
  const { store, now, bot } = context;
  store.actions.extend(action.id, now() + bot.approvals.secondPersonSeconds * 1000);
  return collectCard(context, action, null);
}

/**
 * Every person counts once. The one who asked may not also approve, not even from a second Telegram account, and
 * neither may whoever started the run that waits.
 */
async function whyExcluded(context: BotContext, user: number, { initiator, approvers, detail }: Action) {
  const { store, github } = context;
  const login = store.links.login(user)?.toLowerCase();
  if (user === initiator || login === store.links.login(initiator)?.toLowerCase())
    return "You asked for it: somebody else must approve.";
  if (detail.kind === "approve") {
    const rule = await reviewRule(context, await github.run(detail.run), detail.environment);
    if (rule !== null && rule.persons > 1 && login === rule.starter?.toLowerCase())
      return "You started this run: somebody else must approve.";
  }
  return approvers.some((one) => one === user || store.links.login(one)?.toLowerCase() === login)
    ? "You approved already."
    : null;
}

/** @param counting those of the earlier approvers who may still act */
function approve(context: BotContext, user: number, action: Action, counting: readonly number[]): Outcome {
  const approvers = [...counting, user];
  context.store.actions.approve(action.id, approvers);
  const lost = action.approvers.filter((one) => !counting.includes(one));
  audit(context, user, `approves ${action.detail.kind}`, {
    ...auditDetail(action),
    ...(lost.length === 0 ? {} : { why: `without ${lost.join(", ")}, who may not act any more` }),
  });
  const approved = { ...action, approvers };
  return 1 + approvers.length >= action.needed ? begin(context, approved) : collectCard(context, approved, null);
}

/** Hands the action to the worker. What was agreed must begin soon, or not at all. */
function begin(context: BotContext, action: Action): Outcome {
  const { store, now, bot } = context;
  store.actions.extend(action.id, now() + bot.approvals.expireSeconds * 1000);
  store.actions.move(action.id, "collecting", "wanted");
  return stateCard(context, { ...action, state: "wanted" });
}

/**
 * Turns a tap on Approve or Reject of a waiting run into an action by the person who tapped. The action is bound to the
 * run, to what it deploys, and to the report that the button was made for. All of it is looked at again.
 */
async function reviewRun(
  context: BotContext,
  user: number,
  nonce: Nonce,
  { decision, run: id, environment, environmentId, sha, digest, reason = "" }: CallbackAction & { kind: "review" },
  key: string,
): Promise<CallbackResult> {
  const { store, now, github } = context;
  const refuseReview = (why: string) => {
    audit(context, user, `refused ${decision}`, { run: id, environment, sha, digest, why });
    return refuse(why);
  };
  const why = await whyNotAllowed(context, user);
  if (why !== null) return refuseReview(why);
  const run = await github.run(id);
  const rule = await reviewRule(context, run, environment);
  if (rule === null) return refuse(`${environment} is not an environment of bot.yaml.`);
  if (
    decision === "approve" &&
    rule.persons > 1 &&
    rule.starter?.toLowerCase() === store.links.login(user)?.toLowerCase()
  )
    return refuseReview("You started this run: somebody else must approve.");
  const pending = (await github.pending(id)).find((one) => one.environmentId === environmentId);
  if (pending === undefined) return refuseReview("The run does not wait for this any more.");
  const subject = await subjectOf(context, run, pending);
  if (decision === "approve" && subject.sha === "") return refuseReview(`Commit unknown: ${subject.source}.`);
  const isSame = subject.sha === sha && subject.digest === digest;
  // A report that was replaced is shown by the worker's refusal, so that everybody sees it.
  if (decision === "approve" && isSame && !subject.passed) return refuseReview(`The gate says ${subject.verdict}.`);
  const about = [
    ...figureLines(subject),
    ...(await surroundingLines(context, { ...subject, environment }, repositoryUrlOf(run.url))),
    ...(decision === "approve" && rule.persons > 1
      ? [
          rule.starterCounts
            ? `takes ${rule.persons} persons; ${safe(rule.starter ?? "", 40)}, who started the run, is one`
            : `takes ${rule.persons} persons; whoever started the run does not count`,
        ]
      : []),
  ];
  const waiting = { run: id, environment, environmentId, subject: subjectName(subject) };
  const detail = decision === "approve" ? { kind: decision, ...waiting } : { kind: decision, ...waiting, reason };
  const outcome = () => {
    const needed = decision === "approve" ? rule.needed : 1;
    const action = addAction(context, { user, key }, { detail, sha, digest, needed, about });
    if (!store.nonces.use(nonce.id, user, now())) return askCard(context, action);
    auditRequest(context, action);
    return isDangerous(context, detail) ? confirmCard(context, action) : resolve(confirm(context, user, action));
  };
  // The bot cannot change the text of a card of actions/notify, so an alert says what is about to be confirmed.
  if (isCardKey(key) && isDangerous(context, detail))
    return {
      toast: `Really ${plainText(describeAction(detail))}? ${sha === "" ? "Commit unknown" : `Commit ${sha.slice(0, 7)}, report ${digest.slice(0, 12)}`}. Confirm with a button "Yes, ${decision}".`,
      alert: true,
      outcome,
    };
  return accept(outcome);
}
