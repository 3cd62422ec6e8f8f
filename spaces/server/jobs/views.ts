import { hasEnded, type JobNotes, type JobView, type UploadView } from "./job.ts";
import { KeyLost, type Sealer } from "./seal.ts";
import type { JobRow, UploadRow } from "./store.ts";

const time = (at: number) => new Date(at).toISOString();
const notesPlace = (id: string) => `notes:${id}`;
const namePlace = (id: string) => `name:${id}`;

export const KEY_LOST = {
  code: "key-lost",
  detail: "what was kept of this job cannot be read any more: the server has another key now",
} as const;

export const sealNotes = (sealer: Sealer, id: string, notes: JobNotes): Buffer =>
  sealer.seal(Buffer.from(JSON.stringify(notes)), notesPlace(id));

/** Null when no key opens them any more. */
export function openNotes(sealer: Sealer, job: Pick<JobRow, "id" | "notes">): JobNotes | null {
  try {
    return JSON.parse(sealer.open(job.notes, notesPlace(job.id)).toString("utf8")) as JobNotes;
  } catch (error) {
    if (error instanceof KeyLost) return null;
    throw error;
  }
}

export const sealName = (sealer: Sealer, id: string, name: string): Buffer =>
  sealer.seal(Buffer.from(name), namePlace(id));

export function openName(sealer: Sealer, upload: Pick<UploadRow, "id" | "name">): string | null {
  if (upload.name === null) return null;
  try {
    return sealer.open(upload.name, namePlace(upload.id)).toString("utf8");
  } catch (error) {
    if (error instanceof KeyLost) return null;
    throw error;
  }
}

export function viewOf(job: JobRow, sealer: Sealer): JobView {
  const notes = openNotes(sealer, job);
  const self = `/jobs/${job.id}`;
  return {
    id: job.id,
    model: job.model,
    version: job.version,
    name: notes?.name ?? null,
    state: job.state,
    format: job.format,
    created: time(job.createdAt),
    started: job.startedAt === null ? null : time(job.startedAt),
    ended: job.endedAt === null ? null : time(job.endedAt),
    expires: time(job.expiresAt),
    attempts: job.attempts,
    restarts: job.restarts,
    progress: { rows: job.doneRows, failed: job.failedRows, total: job.totalRows },
    problems: (notes?.problems ?? []).toSorted((a, b) => b.rows - a.rows),
    error: notes === null ? KEY_LOST : notes.error,
    inputBytes: job.inputBytes,
    resultBytes: job.resultBytes,
    revision: job.revision,
    links: {
      self,
      events: `${self}/events`,
      result: hasEnded(job.state) && job.state !== "cancelled" && notes !== null ? `${self}/result` : null,
    },
  };
}

export const uploadViewOf = (upload: UploadRow, sealer: Sealer): UploadView => ({
  id: upload.id,
  size: upload.size,
  received: upload.received,
  name: openName(sealer, upload),
  contentType: upload.contentType,
  expires: time(upload.expiresAt),
  complete: upload.received === upload.size,
});
