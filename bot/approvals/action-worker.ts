import type { BotContext } from "../context/context.ts";
import { errorLine } from "../context/log.ts";
import { isRefusal, statusOf } from "../../github/api.ts";
import type { Action, ActionState } from "../store/actions.ts";
import type { Clock } from "../telegram/clock.ts";
import { findDone, perform, recheck, type Done } from "./perform.ts";
import { decideCards, renderReply } from "./render-buttons.ts";
import { audit, auditDetail, briefState, stateCard } from "./request.ts";

export type ActionWorkerDeps = BotContext & { clock: Clock; signal: AbortSignal; kick: () => void };

const firstPauseMs = 1_000;
const maxPauseMs = 30_000;

/**
 * Carries out the decided actions, one at a time. For each it checks everything again, stores "started", acts once and
 * stores the result. If the outcome of a started action is unknown (after a kill, or when GitHub's answer was lost), it
 * asks GitHub whether the action happened. It repeats the action only if it certainly did not.
 */
export class ActionWorker {
  private running: Promise<void> | null = null;
  private again = false;
  private failures = 0;
  private readonly deps: ActionWorkerDeps;

  constructor(deps: ActionWorkerDeps) {
    this.deps = deps;
  }

  /** Starts on the waiting actions; returns at once. */
  kick(): void {
    if (this.running !== null) {
      this.again = true;
      return;
    }
    if (this.deps.signal.aborted || this.deps.store.actions.open().length === 0) return;
    this.running = this.work().finally(() => {
      this.running = null;
      if (this.again) {
        this.again = false;
        this.kick();
      }
    });
  }

  /** Resolves when no action is being carried out. */
  async settled(): Promise<void> {
    await this.running;
  }

  private async work(): Promise<void> {
    const { store, signal, clock, log } = this.deps;
    while (!signal.aborted) {
      const [action] = store.actions.open();
      if (action === undefined) return;
      try {
        await (action.state === "wanted" ? this.begin(action) : this.settle(action));
        this.failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        log.warn("action-waits", { action: action.id, error: errorLine(error) });
        await clock.sleep(Math.min(maxPauseMs, firstPauseMs * 2 ** this.failures), signal).catch(() => undefined);
        this.failures += 1;
      }
    }
  }

  private async begin(action: Action): Promise<void> {
    const { store, now, log } = this.deps;
    if (action.expiresAt <= now()) return this.end(action, "refused", "it came too late: ask again");
    const why = await recheck(this.deps, action);
    if (why !== null) return this.end(action, "refused", why);
    store.actions.move(action.id, "wanted", "started", { startedAt: now() });
    try {
      const done = await perform(this.deps, action);
      this.end(action, "done", done.words, done.run);
    } catch (error) {
      log.warn("action-failed", { action: action.id, error: errorLine(error) });
      // A refusal means that nothing happened. If no answer came, the action may have happened: the next round finds
      // out.
      if (!isRefusal(error)) return;
      this.end(action, "failed", `GitHub answered ${statusOf(error) ?? ""}: ${errorLine(error)}`);
    }
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
    else this.end(action, "unsure", "GitHub did not say whether it began: look at the runs before you ask again");
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
