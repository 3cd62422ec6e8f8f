import type { FindMergeBase } from "./commits.ts";

/** What the message of a tag records about a version. `commit`: that it was made from; null when it does not say. */
type RecordedVersion = {
  model: string;
  version: string;
  sha256: string | null;
  commit: string | null;
  verdict: string | null;
  /** The rows that judged it; null where the record names none. */
  dataset: { digest: string } | null;
};

/** How tags say which versions production served. The deployment writes them. */
export type ProductionTags = {
  /** How the names of a model's tags begin. */
  prefix: (model: string) => string;
  /** When the version was proved, by the tag's name; null for any other tag. */
  timeOf: (model: string, tag: string) => Date | null;
  /** What the message of a tag records; null when it records no version. */
  read: (message: string) => RecordedVersion | null;
};

/** The records of what production served, and how to get at them. */
export type ReleaseRecords = ProductionTags & {
  /** Brings the tags of a model into the clone; gives why it could not. Null when there is nowhere to fetch from. */
  fetch: ((model: string) => Promise<string | null>) | null;
  /** Asked only when the clone is shallow; null when GitHub cannot be asked. */
  findMergeBase: FindMergeBase | null;
};
