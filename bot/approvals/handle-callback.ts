import type { BotContext } from "../context/context.ts";
import { resolve, type Outcome } from "../context/reply.ts";
import { stageOf } from "../github/environments.ts";
import type { UserUpdate } from "../inbox/update.ts";
import type { Action } from "../store/actions.ts";
import { isCardKey } from "../store/cards.ts";
import type { CallbackAction, Nonce } from "../store/nonces.ts";
import { plainText } from "../telegram/format.ts";
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
  personName,
  stateCard,
  whyNotAllowed,
} from "./request.ts";

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
  switch (callback.kind) {
    case "ask":
      return accept(spending(() => confirmCard(context, action)));
    case "confirm":
      return accept(spending(() => confirm(context, user, action)));
    case "approve":
    case "confirm-approval": {
      const excluded = whyExcluded(context, user, action);
      if (excluded !== null) return refuseAudited(context, user, action, excluded);
      if (callback.kind === "confirm-approval" || !isDangerous(context, action.detail))
        return accept(spending(() => approve(context, user, action)));
      return accept(spending(() => collectCard(context, action, user)));
    }
  }
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

function confirm(context: BotContext, user: number, action: Action): Outcome {
  audit(context, user, `confirms ${action.detail.kind}`, auditDetail(action));
  return action.needed > 1 ? collectCard(context, action, null) : begin(context, action);
}

/** Every person counts once. The one who asked may not also approve, not even from a second Telegram account. */
function whyExcluded({ store }: BotContext, user: number, { initiator, approvers }: Action): string | null {
  if (user === initiator || store.links.login(user) === store.links.login(initiator))
    return "You asked for it: somebody else must approve.";
  return approvers.includes(user) ? "You approved already." : null;
}

function approve(context: BotContext, user: number, action: Action): Outcome {
  const approvers = [...action.approvers, user];
  context.store.actions.approve(action.id, approvers);
  audit(context, user, `approves ${action.detail.kind}`, auditDetail(action));
  const approved = { ...action, approvers };
  return 1 + approvers.length >= action.needed ? begin(context, approved) : collectCard(context, approved, null);
}

/** Hands the action to the worker. */
function begin(context: BotContext, action: Action): Outcome {
  context.store.actions.move(action.id, "collecting", "wanted");
  return stateCard(context, { ...action, state: "wanted" });
}

/**
 * Turns a tap on Approve or Reject of a waiting run into an action by the person who tapped. The action is bound to the
 * run, commit and report that the button was made for.
 */
async function reviewRun(
  context: BotContext,
  user: number,
  nonce: Nonce,
  { decision, run, environment, environmentId, sha, digest }: CallbackAction & { kind: "review" },
  key: string,
): Promise<CallbackResult> {
  const { store, now, bot } = context;
  const refuseReview = (why: string) => {
    audit(context, user, `refused ${decision}`, { run, environment, sha, digest, why });
    return refuse(why);
  };
  const why = await whyNotAllowed(context, user);
  if (why !== null) return refuseReview(why);
  const persons = bot.environments[stageOf(bot, environment) ?? ""]?.persons;
  if (persons === undefined) return refuse(`${environment} is not an environment of bot.yaml.`);
  if (decision === "approve" && persons > 1) {
    const { actor } = await context.github.run(run);
    if (actor.toLowerCase() === store.links.login(user)?.toLowerCase())
      return refuseReview("You started this run: somebody else must approve.");
  }
  const detail = { kind: decision, run, environment, environmentId };
  const outcome = () => {
    // The person who started the run is the first, the one who taps is the second.
    const needed = decision === "approve" ? Math.max(1, persons - 1) : 1;
    const action = addAction(context, { user, key }, { detail, sha, digest, needed });
    if (!store.nonces.use(nonce.id, user, now())) return askCard(context, action);
    auditRequest(context, action);
    return isDangerous(context, detail) ? confirmCard(context, action) : resolve(confirm(context, user, action));
  };
  // The bot cannot change the text of a card of actions/notify, so an alert says what is about to be confirmed.
  if (isCardKey(key) && isDangerous(context, detail))
    return {
      toast: `Really ${plainText(describeAction(detail))}? Commit ${sha.slice(0, 7)}, report ${digest.slice(0, 12)}. Confirm with the button "Yes, ${decision}".`,
      alert: true,
      outcome,
    };
  return accept(outcome);
}
