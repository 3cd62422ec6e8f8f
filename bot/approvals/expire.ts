import type { BotContext } from "../context/command.ts";
import type { Action } from "../store/actions.ts";
import { stateCard } from "./request.ts";
import { paint } from "./render-buttons.ts";

/** Ends what nobody confirmed in time: it stands in the audit, and its buttons go. */
export function endLate(context: BotContext): void {
  const { store, now } = context;
  for (const { id, detail, sha, digest, messageKey } of store.actions.late(now())) {
    store.transaction(() => {
      const result = "nobody confirmed in time";
      if (!store.actions.move(id, "collecting", "cancelled", { result })) return;
      store.audit.add(now(), { user: null, login: null }, `${detail.kind} expired`, {
        action: id,
        ...detail,
        sha,
        digest,
        result,
      });
      const shown = store.messages.byKey(messageKey) ?? store.cards.find(messageKey);
      if (shown !== null)
        paint(
          context,
          messageKey,
          { chat: shown.chat, topic: null },
          stateCard(context, store.actions.find(id) as Action),
          messageKey,
        );
    });
  }
}
