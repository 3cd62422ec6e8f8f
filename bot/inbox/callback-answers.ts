import type { Clock } from "../telegram/clock.ts";

/** What a press is answered with, as a toast that only the person who pressed sees. "" ends the spinner silently. */
export type Toast = { text: string; alert: boolean };

export type CallbackAnswersDeps = {
  clock: Clock;
  signal: AbortSignal;
  /** Calls answerCallbackQuery. */
  send: (query: string, toast: Toast) => Promise<void>;
};

/** Telegram shows a spinner until a press is answered, and forgets the press after some seconds. */
const patienceMs = 700;
const maxRemembered = 1_000;

/**
 * Answers presses of buttons. Each is answered within a second, whatever GitHub, a Space or the person's other commands
 * do. A toast that comes too late has to become a message.
 */
export class CallbackAnswers {
  /** By query: whether it was answered. */
  private readonly answered = new Map<string, boolean>();
  private readonly deps: CallbackAnswersDeps;

  constructor(deps: CallbackAnswersDeps) {
    this.deps = deps;
  }

  /** Called when a press arrives. */
  arrived(query: string): void {
    if (this.answered.has(query)) return;
    this.answered.set(query, false);
    if (this.answered.size > maxRemembered) this.answered.delete(this.answered.keys().next().value as string);
    const { clock, signal } = this.deps;
    void clock.sleep(patienceMs, signal).then(
      () => {
        this.answer(query, { text: "", alert: false }, () => {});
      },
      () => undefined,
    );
  }

  /** @param tooLate called instead if the person cannot see the toast any more; never for an empty one */
  answer(query: string, toast: Toast, tooLate: () => void): void {
    const orTooLate = () => {
      if (toast.text !== "") tooLate();
    };
    if (this.answered.get(query) === true) return orTooLate();
    this.answered.set(query, true);
    void this.deps.send(query, toast).catch(orTooLate);
  }
}
