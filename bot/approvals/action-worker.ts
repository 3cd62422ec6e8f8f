import type { BotContext } from "../context/context.ts";
import { errorLine } from "../context/log.ts";
import { isRefusal } from "../../github/api.ts";
import { explainFailure, isRateLimit } from "../github/explain.ts";
import type { Action, ActionState } from "../store/actions.ts";
import type { Clock } from "../telegram/clock.ts";
import { findDone, perform, recheck, type Done } from "./perform.ts";
import { decideCards, renderReply } from "./render-buttons.ts";
import { audit, auditDetail, briefState, stateCard } from "./request.ts";

export type ActionWorkerDeps = BotContext & { clock: Clock; signal: AbortSignal; kick: () => void };

const firstPauseMs = 1_000;
const maxPauseMs = 30_000;
const lookFirst = "Look at the runs before you ask again.";

/**
 * Carries out the decided actions. Each is on its own, so that none waits for another. For each it checks everything
 * again, stores "started", acts once and stores the result. If the outcome of a started action is unknown (after a
 * kill, or when GitHub's answer was lost), it asks GitHub whether the action happened. It repeats the action only if it
 * certainly did not. What GitHub cannot tell within a bounded time ends as "unsure".
 */
export class ActionWorker {
  private readonly running = new Map<string, Promise<void>>();
  private readonly deps: ActionWorkerDeps;

  constructor(deps: ActionWorkerDeps) {
    this.deps = deps;
  }

  /** Starts on the waiting actions; returns at once. */
  kick(): void {
    const { signal, store } = this.deps;
    if (signal.aborted) return;
    for (const { id } of store.actions.open()) {
      if (this.running.has(id)) continue;
      this.running.set(
        id,
        this.work(id).finally(() => {
          this.running.delete(id);
        }),
      );
    }
  }

  /** Resolves when no action is being carried out. */
  async settled(): Promise<void> {
    while (this.running.size > 0) await Promise.allSettled(this.running.values());
  }

  private async work(id: string): Promise<void> {
    const { store, signal, clock, log, now } = this.deps;
    for (let failures = 0; !signal.aborted;) {
      const action = store.actions.find(id);
      if (action === null || (action.state !== "wanted" && action.state !== "started")) return;
      try {
        await (action.state === "wanted" ? this.begin(action) : this.settle(action));
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        log.warn("action-waits", { action: id, error: errorLine(error) });
        if (this.giveUp(action, error)) return;
        const pauseMs = Math.min(maxPauseMs, firstPauseMs * 2 ** failures);
        const untilLateMs = action.state === "wanted" ? Math.max(0, action.expiresAt - now()) : maxPauseMs;
        await clock.sleep(Math.min(pauseMs, untilLateMs), signal).catch(() => undefined);
        failures += 1;
      }
    }
  }

  /** Ends an action whose check or look-up fails for good: with a refusal, or for too long. @returns whether it ended */
  private giveUp(action: Action, error: unknown): boolean {
    const { now, bot } = this.deps;
    const isFinal = isRefusal(error) && !isRateLimit(error);
    const { what, next } = explainFailure(error, "bot", now());
    if (action.state === "wanted") {
      // Nothing was done yet. Whatever else fails is tried again until the action expires.
      if (isFinal) this.end(action, "refused", `it could not be checked: ${what}. ${next}`);
      return isFinal;
    }
    const waitedMs = now() - (action.startedAt ?? 0);
    const settleMs = bot.approvals.settleSeconds * 1000;
    if (waitedMs < (isFinal ? settleMs : settleMs + bot.approvals.giveUpSeconds * 1000)) return false;
    this.end(action, "unsure", `${what} when asked whether it happened. ${lookFirst}`);
    return true;
  }

  private async begin(action: Action): Promise<void> {
    const { store, now, log } = this.deps;
    if (this.isTooLate(action)) return;
    const why = await recheck(this.deps, action);
    if (why !== null) return this.end(action, "refused", why);
    // The check may have taken long.
    if (this.isTooLate(action)) return;
    store.actions.move(action.id, "wanted", "started", { startedAt: now() });
    try {
      const done = await perform(this.deps, action);
      this.end(action, "done", done.words, done.run);
    } catch (error) {
      log.warn("action-failed", { action: action.id, error: errorLine(error) });
      // A refusal means that nothing happened. If no answer came, the action may have happened: the next round finds
      // out.
      if (!isRefusal(error)) return;
      const token = store.links.token(action.initiator) === null ? "bot" : "person";
      const { what, next } = explainFailure(error, token, now());
      // Locks are taken and released one by one.
      const isWhole = action.detail.kind !== "lock" && action.detail.kind !== "unlock";
      const effect = isWhole ? "Nothing was done." : "A part of it may be done: /status.";
      this.end(action, "failed", `${what}: ${errorLine(error)}. ${effect} ${next}`);
    }
  }

  private isTooLate(action: Action): boolean {
    const late = action.expiresAt <= this.deps.now();
    if (late) this.end(action, "refused", "it came too late: ask again");
    return late;
  }

  private async settle(action: Action): Promise<void> {
    const { store, clock, signal, now, bot } = this.deps;
    const found = await findDone(this.deps, action);
    if (typeof found === "object") return this.end(action, "done", found.words, found.run);
    const waitMs = (action.startedAt ?? 0) + bot.approvals.settleSeconds * 1000 - now();
    if (waitMs > 0) {
      await clock.sleep(Math.min(waitMs, 2_000), signal);
      return;
    }
    if (found === "no") store.actions.move(action.id, "started", "wanted");
    else if (found === "taken") this.end(action, "failed", "somebody else did it meanwhile");
    else this.end(action, "unsure", `GitHub did not say whether it began. ${lookFirst}`);
  }

  private end(action: Action, state: ActionState, result: string, run: Done["run"] = null): void {
    const { store, now, kick } = this.deps;
    // `action` is a copy from before the start, so its state may still say "wanted". A refused action never started.
    const from = action.state === "wanted" && state !== "refused" ? "started" : action.state;
    store.transaction(() => {
      if (!store.actions.move(action.id, from, state, { result })) return;
      audit(this.deps, action.initiator, `${action.detail.kind} ${state}`, {
        ...auditDetail(action),
        initiator: action.initiator,
        approvers: action.approvers.join(","),
        result,
        ...(run === null ? {} : { run: run.id }),
      });
      if (run !== null) store.seen.set("action-run", run.id, action.id, now());
      const ended = { ...action, state, result };
      renderState(this.deps, ended, run);
      // The same question may stand under cards in other chats.
      if (state === "done" && (action.detail.kind === "approve" || action.detail.kind === "reject"))
        decideCards(this.deps, action.detail.run, action.detail.environment, briefState(this.deps, ended) ?? "");
    });
    kick();
  }
}

/** Marks requests that nobody confirmed in time as expired, and removes their buttons. */
export function expireRequests(context: BotContext): void {
  const { store, now } = context;
  for (const action of store.actions.late(now())) {
    store.transaction(() => {
      const result = "nobody confirmed in time";
      if (!store.actions.move(action.id, "collecting", "cancelled", { result })) return;
      audit(context, null, `${action.detail.kind} expired`, { ...auditDetail(action), result });
      renderState(context, store.actions.find(action.id) as Action, null);
    });
  }
}

/** Updates the message that asked for an action so that it shows the action's state. */
function renderState(context: BotContext, action: Action, run: Done["run"]): void {
  const { store } = context;
  const key = action.messageKey;
  const message = store.messages.byKey(key) ?? store.cards.find(key);
  if (message === null) return;
  const reply = stateCard(context, action, run === null ? null : { text: `run ${run.id}`, url: run.url });
  renderReply(context, key, { chat: message.chat, topic: null }, reply, key);
}
