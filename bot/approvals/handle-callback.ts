import { plain, type Outcome, type BotContext } from "../context/command.ts";
import { stageOf } from "../github/environments.ts";
import type { Said } from "../inbox/update.ts";
import type { Action } from "../store/actions.ts";
import { isCardKey } from "../store/cards.ts";
import type { Nonce, Press } from "../store/nonces.ts";
import { askCard, collectCard, confirmCard, inWords, isDangerous, stateCard, who } from "./request.ts";
import { whyNot } from "./rights.ts";

/** What a press leads to: words that only the presser sees, and what becomes of the message; null leaves it. */
export type Pressed = {
  toast: string;
  outcome: Outcome | null;
  /** The words are to be confirmed, not to fade away. */ alert?: boolean;
};

const no = (toast: string): Pressed => ({ toast, outcome: null });

/** @returns null, or why a button with this id does nothing for this person here and now */
export function whyDead(nonce: Nonce | null, said: Said, now: number, nameOf: (user: number) => string): string | null {
  // A button of another chat does not exist here.
  if (nonce === null || nonce.chat !== said.chat) return "This button is not known.";
  if (nonce.user !== null && nonce.user !== said.user) return `This button is ${nameOf(nonce.user)}'s.`;
  if (nonce.usedAt !== null) return "This button was used already.";
  if (nonce.expiresAt <= now) return "This button is too old: ask again.";
  return null;
}

/** Presses that lead to actions on GitHub. The nonce is spent in the same transaction as its effect. */
export async function pressed(context: BotContext, said: Said, nonce: Nonce, key: string): Promise<Pressed> {
  const { press } = nonce;
  if (press.kind === "review") return review(context, said, nonce, press, key);
  if (press.kind === "command" || press.kind === "link") return no("This button is not known.");
  const action = context.store.actions.find(press.action);
  if (action === null) return no("This button is not known.");
  if (action.state !== "collecting") return no(`It is ${action.state} already.`);
  if (action.expiresAt <= context.now()) return no("This request is too old: ask again.");
  const spend =
    (effect: () => Outcome): Outcome =>
    () => {
      if (!context.store.nonces.use(nonce.id, said.user, context.now()))
        return stateCard(context, context.store.actions.find(action.id) as Action);
      const outcome = effect();
      return typeof outcome === "function" ? outcome() : outcome;
    };
  if (press.kind === "cancel") return { toast: "Cancelled.", outcome: spend(() => cancel(context, said, action)) };
  const why = await whyNot(context, said.user);
  if (why !== null) {
    audit(context, said, `refused ${action.detail.kind}`, { ...about(action), why });
    return no(why);
  }
  switch (press.kind) {
    case "ask":
      return { toast: "", outcome: spend(() => confirmCard(context, action)) };
    case "confirm":
      return { toast: "", outcome: spend(() => confirm(context, said, action)) };
    case "approve":
    case "confirm-approval": {
      const excluded = whyExcluded(context, said, action);
      if (excluded !== null) {
        audit(context, said, `refused ${action.detail.kind}`, { ...about(action), why: excluded });
        return no(excluded);
      }
      if (press.kind === "confirm-approval" || !isDangerous(context, action.detail))
        return { toast: "", outcome: spend(() => approve(context, said, action)) };
      return { toast: "", outcome: spend(() => collectCard(context, action, said.user)) };
    }
  }
}

/** What an entry says of an action: which, on what, on which commit and report. */
const about = ({ id, detail, sha, digest }: Action) => ({ action: id, ...detail, sha, digest });

function audit(context: BotContext, said: Said, event: string, detail: Record<string, unknown>): void {
  context.store.audit.add(
    context.now(),
    { user: said.user, login: context.store.links.find(said.user)?.login ?? null },
    event,
    detail,
  );
}

function cancel(context: BotContext, said: Said, action: Action): Outcome {
  context.store.actions.move(action.id, "collecting", "cancelled", {
    result: `cancelled by ${who(context, said.user)}`,
  });
  audit(context, said, `cancels ${action.detail.kind}`, about(action));
  return stateCard(context, context.store.actions.find(action.id) as Action);
}

function confirm(context: BotContext, said: Said, action: Action): Outcome {
  audit(context, said, `confirms ${action.detail.kind}`, about(action));
  return action.needed > 1 ? collectCard(context, action, null) : go(context, action);
}

/** Two persons are two people: not the one who asked, nobody twice. */
function whyExcluded({ store }: BotContext, said: Said, { initiator, approvers }: Action): string | null {
  if (said.user === initiator || store.links.find(said.user)?.login === store.links.find(initiator)?.login)
    return "You asked for it: somebody else must approve.";
  return approvers.includes(said.user) ? "You approved already." : null;
}

function approve(context: BotContext, said: Said, action: Action): Outcome {
  const approvers = [...action.approvers, said.user];
  context.store.actions.approve(action.id, approvers);
  audit(context, said, `approves ${action.detail.kind}`, about(action));
  const now = { ...action, approvers };
  return 1 + approvers.length >= action.needed ? go(context, now) : collectCard(context, now, null);
}

function go(context: BotContext, action: Action): Outcome {
  context.store.actions.move(action.id, "collecting", "wanted");
  return stateCard(context, { ...action, state: "wanted" });
}

/** Approve or reject under a run that waits: an action of the presser's, bound to what the button was made for. */
async function review(
  context: BotContext,
  said: Said,
  nonce: Nonce,
  { decision, run, environment, environmentId, sha, digest }: Press & { kind: "review" },
  key: string,
): Promise<Pressed> {
  const { store, now, bot } = context;
  const why = await whyNot(context, said.user);
  if (why !== null) {
    audit(context, said, `refused ${decision}`, { run, environment, sha, digest, why });
    return no(why);
  }
  const persons = bot.environments[stageOf(bot, environment) ?? ""]?.persons;
  if (persons === undefined) return no(`${environment} is not an environment of bot.yaml.`);
  if (
    decision === "approve" &&
    persons > 1 &&
    (await context.github.run(run)).actor.toLowerCase() === store.links.find(said.user)?.login.toLowerCase()
  ) {
    const starter = "You started this run: somebody else must approve.";
    audit(context, said, `refused ${decision}`, { run, environment, sha, digest, why: starter });
    return no(starter);
  }
  const detail = { kind: decision, run, environment, environmentId };
  // A card's text is not the bot's: what is about to be confirmed is said above it.
  const onCard = isCardKey(key) && isDangerous(context, detail);
  return {
    ...(onCard
      ? {
          toast: `Really ${plain(inWords(detail))}? Commit ${sha.slice(0, 7)}, report ${digest.slice(0, 12)}. Confirm with the button "Yes, ${decision}".`,
          alert: true,
        }
      : { toast: "" }),
    outcome: () => {
      // The run's starter is the first person; who presses is the second.
      const needed = decision === "approve" ? Math.max(1, persons - 1) : 1;
      const action = store.actions.add({
        detail,
        sha,
        digest,
        needed,
        initiator: said.user,
        messageKey: key,
        createdAt: now(),
        expiresAt: now() + bot.approvals.expireSeconds * 1000,
      });
      if (!store.nonces.use(nonce.id, said.user, now())) return askCard(context, action);
      audit(context, said, `asks ${decision}`, { action: action.id, ...detail, sha, digest });
      const outcome = isDangerous(context, detail) ? confirmCard(context, action) : confirm(context, said, action);
      return typeof outcome === "function" ? outcome() : outcome;
    },
  };
}
