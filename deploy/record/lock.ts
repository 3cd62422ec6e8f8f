import { z } from "zod";
import { DeployFailure } from "../hub/failure.ts";
import { HttpRefusal, NoAnswer } from "../hub/http.ts";
import type { GitHubRecords } from "./github.ts";

const holderSchema = z.object({
  schemaVersion: z.literal(1),
  holder: z.string(),
  reason: z.string(),
  at: z.string(),
  run: z.object({ id: z.string(), attempt: z.int(), url: z.string() }).nullable(),
});
/** Who holds a lock, and why. */
export type Holder = z.infer<typeof holderSchema>;

export type HeldLock = { environment: string; tag: string };

/** Outside of branches and tags: no workflow is started by it, no list shows it. */
export function lockRef(environment: string): string {
  return `refs/sluice/lock/${environment.replaceAll(/[^\w.-]+/g, "-")}`;
}

export class Locked extends DeployFailure {
  constructor(environment: string, holder: Holder | null) {
    const who =
      holder === null
        ? "somebody (its note cannot be read)"
        : `${holder.holder} since ${holder.at}${holder.run === null ? "" : `, ${holder.run.url}`}: ${holder.reason}`;
    super(
      "locked",
      `${environment} is locked by ${who}. When that is over and the lock was left behind: npx sluice unlock ${environment}`,
    );
  }
}

/**
 * Takes an environment's lock: creating a git ref is atomic on GitHub. The ref points at an annotated tag whose message
 * names the holder. A later attempt of the very same workflow run takes over what its earlier attempt left behind.
 *
 * @param commit any commit of the repository, for the tag to point at
 * @throws Locked naming the holder
 */
export async function takeLock(
  github: GitHubRecords,
  environment: string,
  holder: Holder,
  commit: string,
): Promise<HeldLock> {
  const ref = lockRef(environment);
  const tag = await github.createTagObject(`sluice-lock-${environment}`, JSON.stringify(holder), commit);
  const held = (sha: string): HeldLock => ({ environment, tag: sha });
  for (let attempt = 1; ; attempt += 1) {
    let unclear: unknown = null;
    try {
      if (await github.createRef(ref, tag)) return held(tag);
    } catch (error) {
      if (!(error instanceof NoAnswer) && !(error instanceof HttpRefusal && error.status >= 500)) throw error;
      unclear = error;
      await github.pause(attempt);
    }
    const there = await github.ref(ref);
    if (there?.sha === tag) return held(tag);
    if (there !== null) {
      const other = await readHolder(github, there.sha);
      if (holder.run !== null && other?.run?.id === holder.run.id && other.run.attempt < holder.run.attempt)
        return held(there.sha);
      throw new Locked(environment, other);
    }
    // Released between two looks, or never made.
    if (attempt >= 4)
      throw unclear ?? new DeployFailure("locked", `the lock of ${environment} changes hands too fast; try again`);
  }
}

/** Gives a lock back, unless it is somebody else's by now. */
export async function releaseLock(github: GitHubRecords, { environment, tag }: HeldLock): Promise<void> {
  const there = await github.ref(lockRef(environment));
  if (there?.sha === tag) await github.deleteRef(lockRef(environment));
}

/** The holder of an environment's lock; null when it is free, "unreadable" when its note is not ours. */
export async function lockHolder(github: GitHubRecords, environment: string): Promise<Holder | "unreadable" | null> {
  const there = await github.ref(lockRef(environment));
  return there === null ? null : ((await readHolder(github, there.sha)) ?? "unreadable");
}

/** Removes a lock, whoever holds it. False when there was none. */
export function breakLock(github: GitHubRecords, environment: string): Promise<boolean> {
  return github.deleteRef(lockRef(environment));
}

async function readHolder(github: GitHubRecords, sha: string): Promise<Holder | null> {
  try {
    const { message } = await github.tagObject(sha);
    return holderSchema.parse(JSON.parse(message));
  } catch (error) {
    if (error instanceof NoAnswer || (error instanceof HttpRefusal && error.status !== 404)) throw error;
    return null;
  }
}
