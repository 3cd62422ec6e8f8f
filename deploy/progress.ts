/**
 * How far a deployment or a roll-back has come, and which states may follow each. Before anything was sent, an error may
 * end it: nothing was changed. From `maybe-sent` on it ends only in a state that says what serves, or that nobody could
 * find out. docs/deploy.md draws this table.
 */
export const progressions = {
  "nothing-sent": ["maybe-sent", "committed"],
  "maybe-sent": ["nothing-sent", "committed", "overtaken", "unknown"],
  committed: ["building", "undoing", "overtaken", "unknown"],
  building: ["proving", "undoing", "overtaken", "unknown"],
  proving: ["building", "live", "undoing", "overtaken", "unknown"],
  undoing: ["undone", "failed", "overtaken", "unknown"],
  live: [],
  undone: [],
  failed: [],
  overtaken: [],
  unknown: [],
} as const;

export type ProgressState = keyof typeof progressions;

/** The state of one deployment. */
export class Progress {
  #state: ProgressState = "nothing-sent";

  get state(): ProgressState {
    return this.#state;
  }

  /** Whether an error may end the deployment here. */
  get mayEnd(): boolean {
    return this.#state === "nothing-sent" || progressions[this.#state].length === 0;
  }

  /** @throws Error for a state that cannot follow */
  enter(next: ProgressState): void {
    if (next === this.#state) return;
    if (!(progressions[this.#state] as readonly ProgressState[]).includes(next))
      throw new Error(`a deployment cannot go from ${this.#state} to ${next}`);
    this.#state = next;
  }
}
