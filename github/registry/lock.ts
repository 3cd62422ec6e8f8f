import { z } from "zod";

// An environment is locked while the ref refs/sluice/lock/ENVIRONMENT exists. The ref points at an annotated tag whose
// message is the lock's note. Because the ref is neither a branch nor a tag, it starts no workflow and appears in no
// list.

const lockPrefix = "refs/sluice/lock";

export function lockRef(environment: string): string {
  return `${lockPrefix}/${environment.replaceAll(/[^\w.-]+/g, "-")}`;
}

const noteSchema = z.looseObject({
  holder: z.string(),
  reason: z.string(),
  at: z.string(),
  run: z.looseObject({ id: z.string(), attempt: z.int(), url: z.string() }).nullable().catch(null),
  request: z.string().nullable().default(null).catch(null),
});

/** Who holds a lock, since when (ISO 8601) and why. `request` is the id of the request to the bot. */
export type LockNote = {
  holder: string;
  reason: string;
  at: string;
  run: { id: string; attempt: number; url: string } | null;
  request: string | null;
};

/** The note in a lock's message, written by any version of Sluice; null if there is none. */
export function readLockNote(message: string): LockNote | null {
  try {
    const { holder, reason, at, run, request } = noteSchema.parse(JSON.parse(message));
    return { holder, reason, at, run, request };
  } catch {
    return null;
  }
}

export function writeLockNote({ holder, reason, at, run, request }: LockNote): string {
  return JSON.stringify({ schemaVersion: 1, holder, reason, at, run, ...(request === null ? {} : { request }) });
}
