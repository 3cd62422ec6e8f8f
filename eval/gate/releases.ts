import type { FindMergeBase } from "./commits.ts";

/** What a release tag records about a version. */
type ReleasedVersion = { model: string; version: string; sha256: string | null };

/** The records of proved versions, MODEL@VERSION, which the deployment writes. */
export type ReleaseRecords = {
  /** What the message of a tag records; null when it records no release. */
  read: (message: string) => ReleasedVersion | null;
  /** Brings the tags of a model into the clone; gives why it could not. Null when there is nowhere to fetch from. */
  fetch: ((model: string) => Promise<string | null>) | null;
  /** Asked only when the clone is shallow; null when GitHub cannot be asked. */
  findMergeBase: FindMergeBase | null;
};
