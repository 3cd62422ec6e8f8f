import type { BotContext } from "../context/command.ts";
import { isRefusal, statusOf } from "../../github/api.ts";
import { inWords, type Log } from "../config/log.ts";
import type { Action, ActionState } from "../store/actions.ts";
import type { Clock } from "../telegram/clock.ts";
import { briefly, stateCard } from "./card.ts";
import { decideCards, paint } from "./render-buttons.ts";
import { findDone, perform, type Done } from "./perform.ts";
import { recheck } from "./recheck.ts";

export type ActorDeps = BotContext & { clock: Clock; signal: AbortSignal; log: Log; kick: () => void };

const firstPauseMs = 1_000;
const maxPauseMs = 30_000;

/**
 * Carries out what was agreed on, one action at a time: checks everything again, writes "started" down, acts once,
 * writes the result down. An action that was started and whose end is not known, after a kill or a lost answer, is
 * looked for on GitHub; it is done again only where it certainly has not happened.
 */
export class Actor {
  private running: Promise<void> | null = null;
  private again = false;
  private failures = 0;
  private readonly deps: ActorDeps;

  constructor(deps: ActorDeps) {
    this.deps = deps;
  }

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
        log.warn("action-waits", { action: action.id, error: inWords(error) });
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
      this.end(action, "done", await perform(this.deps, action));
    } catch (error) {
      log.warn("action-failed", { action: action.id, error: inWords(error) });
      // GitHub said no: nothing happened. Without an answer, it may have: the next round looks.
      if (!isRefusal(error)) return;
      this.end(action, "failed", `GitHub answered ${statusOf(error) ?? ""}: ${inWords(error)}`);
    }
  }

  private async settle(action: Action): Promise<void> {
    const { store, clock, signal, now, bot } = this.deps;
    const found = await findDone(this.deps, action);
    if (typeof found === "object") return this.end(action, "done", found);
    const waitMs = (action.startedAt ?? 0) + bot.approvals.settleSeconds * 1000 - now();
    if (waitMs > 0) {
      await clock.sleep(Math.min(waitMs, 2_000), signal);
      return;
    }
    if (found === "no") store.actions.move(action.id, "started", "wanted");
    else if (found === "taken") this.end(action, "failed", "somebody else did it meanwhile");
    else this.end(action, "unsure", "GitHub did not say whether it began: look at the runs before you ask again");
  }

  private end(action: Action, state: ActionState, result: string | Done): void {
    const { store, now, kick } = this.deps;
    const words = typeof result === "string" ? result : result.words;
    const run = typeof result === "string" ? null : result.run;
    store.transaction(() => {
      if (
        !store.actions.move(
          action.id,
          action.state === "wanted" && state !== "refused" ? "started" : action.state,
          state,
          { result: words },
        )
      )
        return;
      const people = { initiator: action.initiator, approvers: action.approvers.join(",") };
      store.audit.add(
        now(),
        { user: action.initiator, login: store.links.find(action.initiator)?.login ?? null },
        `${action.detail.kind} ${state}`,
        {
          action: action.id,
          ...action.detail,
          ...people,
          sha: action.sha,
          digest: action.digest,
          result: words,
          ...(run === null ? {} : { run: run.id }),
        },
      );
      if (run !== null) store.seen.set("action-run", run.id, action.id, now());
      const ended = { ...action, state, result: words };
      this.show(ended, run);
      // The same question may stand under cards of other chats.
      if (state === "done" && (action.detail.kind === "approve" || action.detail.kind === "reject"))
        decideCards(this.deps, action.detail.run, action.detail.environment, briefly(this.deps, ended) ?? "");
    });
    kick();
  }

  private show(action: Action, run: { id: number; url: string } | null): void {
    const shown = this.deps.store.messages.byKey(action.messageKey) ?? this.deps.store.cards.find(action.messageKey);
    if (shown === null) return;
    const reply = stateCard(this.deps, action, run === null ? null : { text: `run ${run.id}`, url: run.url });
    paint(this.deps, action.messageKey, { chat: shown.chat, topic: null }, reply, action.messageKey);
  }
}
