import type { Platform, Review, RunRecord } from "./platform.ts";

type Waiter = { name: string; jobKey: string; resolve: (answer: "approved" | "rejected" | "cancelled") => void };

/** The jobs of one run that wait for a person to review their environment. */
export class Reviews {
  readonly #run: RunRecord;
  readonly #platform: Platform;
  #waiters: Waiter[] = [];
  constructor(run: RunRecord, platform: Platform) {
    this.#run = run;
    this.#platform = platform;
  }

  /** Adds the job to the waiting ones at once; resolves with the answer. */
  wait(name: string, jobKey: string, signal: AbortSignal): Promise<"approved" | "rejected" | "cancelled"> {
    const { id, reviewers } = this.#platform.environment(this.#run.repository, name);
    const pending = this.#run.pending.find((one) => one.id === id);
    this.#run.pending = [
      ...this.#run.pending.filter((one) => one.id !== id),
      { id, name, reviewers, jobKeys: [...(pending?.jobKeys ?? []), jobKey] },
    ];
    return new Promise((resolve) => {
      const waiter: Waiter = { name, jobKey, resolve };
      this.#waiters.push(waiter);
      signal.addEventListener(
        "abort",
        () => {
          this.#settle((one) => one === waiter, "cancelled");
        },
        { once: true },
      );
      if (signal.aborted) this.#settle((one) => one === waiter, "cancelled");
    });
  }

  /** @throws Error if the run does not wait for one of the environments, or the person may not review it */
  review(environmentIds: readonly number[], { state, user, comment }: Omit<Review, "environment">): void {
    const pending = environmentIds.map((id) => {
      const found = this.#run.pending.find((one) => one.id === id);
      if (found === undefined)
        throw new Error(
          `run ${this.#run.id} does not wait for the environment ${id}; it waits for ${this.#run.pending.map((one) => `${one.id} (${one.name})`).join(", ") || "none"}`,
        );
      const { preventSelfReview } = this.#platform.environment(this.#run.repository, found.name);
      if (!found.reviewers.includes(user))
        throw new Error(`${user} is not a required reviewer of the environment ${found.name}`);
      if (preventSelfReview && user === this.#run.actor)
        throw new Error(`${user} triggered the run and may not review the environment ${found.name}`);
      return found;
    });
    for (const { name } of pending) {
      this.#run.reviews.push({ environment: name, state, user, comment });
      this.#settle((one) => one.name === name, state);
    }
  }

  #settle(chosen: (waiter: Waiter) => boolean, answer: "approved" | "rejected" | "cancelled"): void {
    const settled = this.#waiters.filter(chosen);
    this.#waiters = this.#waiters.filter((one) => !settled.includes(one));
    this.#run.pending = this.#run.pending
      .map((one) => ({
        ...one,
        jobKeys: this.#waiters.filter((waiter) => waiter.name === one.name).map((waiter) => waiter.jobKey),
      }))
      .filter((one) => one.jobKeys.length > 0);
    for (const { resolve } of settled) resolve(answer);
  }
}
