import { DeployFailure } from "./failure.ts";
import { HttpRefusal, mayHaveHappened, type Http, type HttpDeps } from "./http.ts";
import { untilAnswered } from "./until-answered.ts";
import type { CommitLine, HubRepository } from "./repository.ts";

export type CommitPlan = {
  lines: readonly CommitLine[];
  parent: string;
  title: string;
  /** Must contain `mark`. */
  description: string;
  /** Words that no other commit has: by them the commit is found again when its answer was lost. */
  mark: string;
  /** Whether a revision already contains what this commit makes. */
  isDone: (head: string) => Promise<boolean>;
};

export type CommitDeps = Pick<HttpDeps, "sleep" | "signal" | "note" | "monotonic"> & {
  http: Http;
  retryMs: number;
  /** How long to ask what became of a commit, in milliseconds, while the Hub does not answer. */
  outageMs: number;
  /** How long a lost request may still take effect, in milliseconds. */
  settleMs: number;
  /** Called before the request is sent. */
  onSend?: () => void;
};

/** Somebody else committed in the meantime, and ours was not made. Theirs is not undone. */
export class HeadMoved extends DeployFailure {
  constructor(repository: string, head: string) {
    super(
      "head-moved",
      `somebody else committed to ${repository}: main is now ${head.slice(0, 7)}, which is not what this deployment made`,
    );
  }
}

/** Ours was made, and then somebody else committed on top of it. Theirs is not undone. */
export class Overtaken extends DeployFailure {
  readonly head: string;
  readonly commit: string;

  constructor(repository: string, commit: string, head: string) {
    super(
      "overtaken",
      `somebody else committed after ${commit.slice(0, 7)}: main of ${repository} is at ${head.slice(0, 7)}, which this deployment did not make: it is left as it is`,
    );
    this.head = head;
    this.commit = commit;
  }
}

/** The commit may have been made, and nobody could find out whether it was. */
export class CommitUnclear extends DeployFailure {
  readonly plan: CommitPlan;

  constructor(repository: string, plan: CommitPlan, cause: unknown) {
    super("commit-unclear", `whether the commit to ${repository} was made is not known (${(cause as Error).message})`, {
      cause,
    });
    this.plan = plan;
  }
}

const maxAttempts = 4;

/**
 * Makes a commit exactly once. If the answer is lost, it finds out what became of the request before it sends it again.
 * Every request names its parent, so two of them can never both succeed.
 *
 * @returns the commit's sha
 * @throws HeadMoved, HttpRefusal, NoAnswer: it was not made; Overtaken: it was made, and main has moved on;
 * CommitUnclear: nobody knows
 */
export async function commitOnce(repository: HubRepository, plan: CommitPlan, deps: CommitDeps): Promise<string> {
  let mayExist = false;
  for (let attempt = 1; ; attempt += 1) {
    let failure: unknown;
    deps.onSend?.();
    try {
      return await repository.commit(plan.lines, plan.parent, plan.title, plan.description);
    } catch (error) {
      if (deps.signal.aborted) throw new CommitUnclear(repository.name, plan, error);
      mayExist ||= mayHaveHappened(error);
      const conflict = error instanceof HttpRefusal && (error.status === 412 || error.status === 409);
      if (!mayExist && !conflict) throw error;
      failure = error;
      deps.note(`${(error as Error).message}; looking at HEAD before anything else`);
    }
    const last = attempt >= maxAttempts;
    const mustHaveMoved = failure instanceof HttpRefusal && failure.status === 412;
    if (failure instanceof HttpRefusal) await deps.sleep(failure.retryAfterMs, deps.signal).catch(() => {});
    const found = await commitAfter(repository, plan, { mustHaveMoved, settles: last && mayExist }, deps);
    if (found !== null) {
      deps.note(`the commit had been made: ${found.slice(0, 7)}`);
      return found;
    }
    if (last) throw failure;
  }
}

/**
 * What became of a commit that may have been made. An empty log, and a HEAD that lags behind, are not believed at once.
 *
 * @returns its sha; null if main is still at its parent
 * @throws HeadMoved, Overtaken, CommitUnclear
 */
export async function commitAfter(
  repository: HubRepository,
  plan: CommitPlan,
  { mustHaveMoved, settles }: { mustHaveMoved: boolean; settles: boolean },
  deps: CommitDeps,
): Promise<string | null> {
  const limits = { outageMs: deps.outageMs, refusalMs: deps.outageMs, pauseMs: deps.retryMs };
  const began = deps.monotonic();
  try {
    for (let look = 1; ; look += 1) {
      await deps.sleep(Math.min(30_000, deps.retryMs * look), deps.signal);
      const { head } = await untilAnswered(() => repository.info(), limits, deps);
      if (head !== plan.parent) return await untilAnswered(() => commitIn(repository, plan, head, deps), limits, deps);
      const settled = !settles || deps.monotonic() - began >= deps.settleMs;
      if (look >= (mustHaveMoved ? 6 : 3) && settled) return null;
    }
  } catch (error) {
    if (error instanceof DeployFailure) throw error;
    throw new CommitUnclear(repository.name, plan, error);
  }
}

/** The commit by its mark in the log, or else by what HEAD contains. @throws HeadMoved, Overtaken */
async function commitIn(repository: HubRepository, plan: CommitPlan, head: string, deps: CommitDeps): Promise<string> {
  const ours = (await wholeLog(repository, plan.parent, head, deps)).find(({ message }) => message.includes(plan.mark));
  if (ours === undefined) {
    if (await plan.isDone(head)) return head;
    throw new HeadMoved(repository.name, head);
  }
  if (ours.id === head) return head;
  const { head: now } = await repository.info();
  if (now === ours.id) return now;
  throw new Overtaken(repository.name, ours.id, now);
}

/** The log from HEAD down to the parent; what there is of it when it never gets whole. */
async function wholeLog(repository: HubRepository, parent: string, head: string, deps: CommitDeps) {
  for (let look = 1; ; look += 1) {
    const log = await repository.log();
    const isWhole = [head, parent].every((sha) => log.some(({ id }) => id === sha));
    if (isWhole || look >= 3) return log;
    await deps.sleep(deps.retryMs * look, deps.signal);
  }
}
