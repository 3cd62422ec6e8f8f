import { lockRef, readLockNote, writeLockNote, type LockNote } from "../../github/registry/lock.ts";
import { DeployFailure } from "../hub/failure.ts";
import { HttpRefusal, mayHaveHappened, NoAnswer } from "../hub/http.ts";
import type { GitHubRecords } from "./github-records.ts";
import { sluiceCommand } from "../../models/core/invocation.ts";

/** Who takes a lock, and why. */
export type Holder = Omit<LockNote, "request">;

type HeldLock = { environment: string; tag: string };

export class Locked extends DeployFailure {
  constructor(environment: string, holder: Holder | null) {
    const who =
      holder === null
        ? "somebody (its note cannot be read)"
        : `${holder.holder} since ${holder.at}${holder.run === null ? "" : `, ${holder.run.url}`}${holder.reason.trim() === "" ? "" : `: ${holder.reason}`}`;
    super(
      "locked",
      `${environment} is locked by ${who}. When that is over and the lock was left behind: ${sluiceCommand()} unlock ${environment}`,
    );
  }
}

const maxAttempts = 4;

/**
 * Takes an environment's lock. Creating its ref is atomic on GitHub. A later attempt of the same workflow run takes
 * over the lock that an earlier attempt left behind.
 *
 * @param commit any commit of the repository, because the tag must point at one
 * @throws Locked naming the holder
 */
export async function takeLock(
  github: GitHubRecords,
  environment: string,
  holder: Holder,
  commit: string,
): Promise<HeldLock> {
  const ref = lockRef(environment);
  const note = writeLockNote({ ...holder, request: null });
  const tag = await github.createTagObject(`sluice-lock-${environment}`, note, commit);
  const held = (sha: string): HeldLock => ({ environment, tag: sha });
  for (let attempt = 1; ; attempt += 1) {
    let unclear: unknown = null;
    try {
      if (await github.createRef(ref, tag)) return held(tag);
    } catch (error) {
      if (!mayHaveHappened(error)) throw error;
      unclear = error;
      await github.pause(attempt);
    }
    const found = await github.ref(ref);
    if (found?.sha === tag) return held(tag);
    if (found !== null) {
      const other = await readHolder(github, found.sha);
      if (holder.run !== null && other?.run?.id === holder.run.id && other.run.attempt < holder.run.attempt)
        return held(found.sha);
      throw new Locked(environment, other);
    }
    // The lock was released before it could be read, or was never created.
    if (attempt >= maxAttempts)
      throw unclear ?? new DeployFailure("locked", `the lock of ${environment} changes hands too fast; try again`);
  }
}

/** Releases a lock, unless somebody else holds it by now. */
export async function releaseLock(github: GitHubRecords, { environment, tag }: HeldLock): Promise<void> {
  const found = await github.ref(lockRef(environment));
  if (found?.sha === tag) await github.deleteRef(lockRef(environment));
}

/** The holder of an environment's lock; null if it is free, "unreadable" if its note is not one of ours. */
export async function lockHolder(github: GitHubRecords, environment: string): Promise<Holder | "unreadable" | null> {
  const found = await github.ref(lockRef(environment));
  return found === null ? null : ((await readHolder(github, found.sha)) ?? "unreadable");
}

/** Removes a lock, whoever holds it. @returns false if there was none */
export function breakLock(github: GitHubRecords, environment: string): Promise<boolean> {
  return github.deleteRef(lockRef(environment));
}

/** Reads a lock's holder; null if the ref does not point at one of our notes. */
async function readHolder(github: GitHubRecords, sha: string): Promise<Holder | null> {
  try {
    return readLockNote((await github.tagObject(sha)).message);
  } catch (error) {
    if (error instanceof NoAnswer || (error instanceof HttpRefusal && error.status !== 404)) throw error;
    return null;
  }
}
