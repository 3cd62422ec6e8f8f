import { apiKey, Failure, request } from "./api.js";
import { readEvents } from "./event-stream.js";

/**
 * Calls about jobs.
 * @typedef {{ code: string, problem: string, rows: number, first: number[] }} ProblemGroup
 * @typedef {{
 *   id: string, model: string, version: string | null, name: string | null, format: string, created: string, ended: string | null,
 *   state: "queued" | "running" | "succeeded" | "failed" | "cancelled", expires: string, attempts: number,
 *   progress: { rows: number, failed: number, total: number | null }, problems: ProblemGroup[],
 *   error: { code: string, detail: string } | null, resultBytes: number, inputBytes: number, revision: number,
 *   links: { result: string | null },
 * }} Job
 * @typedef {{ id: string, size: number, received: number, name: string | null, complete: boolean }} UploadFacts
 */

const RETRY_MS = 2000;
const DOWNLOAD_MS = 600_000;
const LONG_MS = 24 * 3_600_000;

/** @param {Job} job */
export const hasEnded = (job) => job.state !== "queued" && job.state !== "running";

/** @returns {Promise<{ jobs: Job[], uploads: UploadFacts[] } | null>} null where nobody owns a list */
export async function listJobs() {
  try {
    return (await request("jobs")).data;
  } catch (error) {
    if (error instanceof Failure && error.status === 403) return null;
    throw error;
  }
}

/** @param {string} id @returns {Promise<Job>} */
export const readJob = async (id) => (await request(`jobs/${encodeURIComponent(id)}`)).data;

/** @param {string} model @param {string} upload @param {string} format "" when the server shall see it @returns {Promise<Job>} */
export const startJob = async (model, upload, format) =>
  (
    await request(`models/${encodeURIComponent(model)}/jobs`, {
      body: { upload, ...(format === "" ? {} : { format }) },
    })
  ).data;

/** Cancels a job that has not ended, deletes one that has. @param {string} id */
export const removeJob = (id) => request(`jobs/${encodeURIComponent(id)}`, { method: "DELETE", text: true });

/** @param {Job} job @param {"csv" | "jsonl"} format @returns {Promise<string>} */
export const readResult = async (job, format) =>
  (
    await request(`jobs/${encodeURIComponent(job.id)}/result?format=${format}&partial=true`, {
      text: true,
      accept: "*/*",
      timeoutMs: DOWNLOAD_MS,
    })
  ).data;

/**
 * Follows a job until it has ended or `signal` says so. A connection that breaks is made again, from the last event on.
 * @param {Job} job @param {AbortSignal} signal @param {(job: Job) => void} changed @param {() => void} deleted
 */
export async function followJob(job, signal, changed, deleted) {
  let seen = job;
  while (!signal.aborted && !hasEnded(seen)) {
    try {
      const headers = new Headers({ accept: "text/event-stream", "last-event-id": String(seen.revision) });
      if (apiKey.value !== "") headers.set("authorization", `Bearer ${apiKey.value}`);
      const response = await fetch(new URL(`jobs/${encodeURIComponent(job.id)}/events`, document.baseURI), {
        headers,
        cache: "no-store",
        signal: AbortSignal.any([signal, AbortSignal.timeout(LONG_MS)]),
      });
      if (response.status === 404) return deleted();
      if (response.ok && response.body !== null)
        await readEvents(response.body, (event, data) => {
          if (event === "deleted") deleted();
          else if (event === "state" || event === "progress") changed((seen = JSON.parse(data)));
        });
    } catch {
      // The connection broke, or nobody looks any more. Below it is tried again.
    }
    if (!signal.aborted && !hasEnded(seen)) await pause(RETRY_MS);
  }
}

/** @param {number} ms */
const pause = (ms) =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
