import { uncancelled, type Context } from "./context.ts";
import { releaseLock, takeLock } from "./record/lock.ts";
import type { Recorder } from "./recorder.ts";
import { sluiceCommand } from "../models/core/invocation.ts";

/**
 * Does something while it holds the environment's lock, and gives the lock back whatever happens, cancellation included.
 * Without GitHub there is no lock to take.
 *
 * @param recorderOf keeps in the receipt that the lock could not be given back; null while there is none
 * @throws Locked naming the holder; what `act` throws
 */
export async function withLock<Result>(
  context: Context,
  recorderOf: () => Recorder | null,
  act: () => Promise<Result>,
): Promise<Result> {
  const { github, commit, environment, timeline, actor, reason, run, deps } = context;
  const at = new Date(deps.now()).toISOString();
  const lock =
    github === null || commit === null
      ? null
      : await takeLock(github, environment, { holder: actor, reason, at, run }, commit);
  if (lock !== null) timeline.stage("lock", environment);
  try {
    return await act();
  } finally {
    const { github: records } = uncancelled(context);
    if (lock !== null && records !== null) {
      const what = `the lock of ${environment} could not be given back; ${sluiceCommand()} unlock ${environment}`;
      const recorder = recorderOf();
      // Without a recorder the deployment failed before it began, and that error is the one to hear of.
      if (recorder === null)
        await releaseLock(records, lock).catch((error: unknown) => {
          timeline.note(`${what} (${(error as Error).message})`);
        });
      else await recorder.attempt(what, () => releaseLock(records, lock));
    }
    timeline.close();
  }
}
