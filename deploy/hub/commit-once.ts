import { DeployFailure } from "./failure.ts";
import type { HttpDeps } from "./http.ts";
import { HttpRefusal, NoAnswer } from "./http.ts";
import type { CommitLine, HubRepository } from "./repository.ts";

type CommitPlan = {
  lines: readonly CommitLine[];
  parent: string;
  title: string;
  description: string;
  /** Whether a revision already contains what this commit makes. */
  isDone: (head: string) => Promise<boolean>;
};

/** Somebody else committed in the meantime. Their commit is not undone. */
export class HeadMoved extends DeployFailure {
  constructor(repository: string, head: string) {
    super(
      "head-moved",
      `somebody else committed to ${repository}: main is now ${head.slice(0, 7)}, which is not what this deployment made`,
    );
  }
}

const maxAttempts = 4;

/**
 * Makes a commit exactly once. If the answer is lost, it looks at HEAD before sending again. Every request names its
 * parent, so two of them can never both succeed.
 *
 * @returns the commit's sha
 * @throws HeadMoved, HttpRefusal if the Hub refuses, NoAnswer if it does not answer
 */
export async function commitOnce(
  repository: HubRepository,
  plan: CommitPlan,
  deps: Pick<HttpDeps, "sleep" | "signal" | "note"> & { retryMs: number },
): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    let failure: unknown;
    try {
      return await repository.commit(plan.lines, plan.parent, plan.title, plan.description);
    } catch (error) {
      deps.signal.throwIfAborted();
      const unclear =
        error instanceof NoAnswer || (error instanceof HttpRefusal && (error.status >= 500 || error.status === 429));
      const overtaken = error instanceof HttpRefusal && (error.status === 412 || error.status === 409);
      if (!unclear && !overtaken) throw error;
      failure = error;
      deps.note(`${(error as Error).message}; looking at HEAD before anything else`);
    }
    const head = await headAfter(
      repository,
      plan.parent,
      failure instanceof HttpRefusal && failure.status === 412,
      deps,
    );
    if (head !== plan.parent) {
      if (await plan.isDone(head)) {
        deps.note(`the commit had been made: ${head.slice(0, 7)}`);
        return head;
      }
      throw new HeadMoved(repository.name, head);
    }
    if (attempt >= maxAttempts) throw failure;
  }
}

/** Reads HEAD, repeatedly for a while if it must have moved, because a replica may lag behind. */
async function headAfter(
  repository: HubRepository,
  parent: string,
  mustHaveMoved: boolean,
  deps: Pick<HttpDeps, "sleep" | "signal"> & { retryMs: number },
): Promise<string> {
  let head = parent;
  for (let attempt = 1; attempt <= (mustHaveMoved ? 6 : 3); attempt += 1) {
    await deps.sleep(deps.retryMs * attempt, deps.signal);
    head = (await repository.info()).head;
    if (head !== parent) return head;
  }
  return head;
}
