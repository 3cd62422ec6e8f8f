import type { Ask, Outcome, BotContext } from "../context/command.ts";
import type { ActionDetail } from "../store/actions.ts";
import { askCard } from "./request.ts";

export type Proposal = { detail: ActionDetail; sha: string; digest: string; needed: number };

/** Writes an action down and asks for the first tap. Nothing is done before somebody taps. */
export function propose(
  context: BotContext,
  { said, key }: Pick<Ask, "said" | "key">,
  { detail, sha, digest, needed }: Proposal,
): Outcome {
  return () => {
    const { store, now, bot } = context;
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
    store.audit.add(
      now(),
      { user: said.user, login: store.links.find(said.user)?.login ?? null },
      `asks ${detail.kind}`,
      { action: action.id, ...detail, sha, digest },
    );
    return askCard(context, action);
  };
}
