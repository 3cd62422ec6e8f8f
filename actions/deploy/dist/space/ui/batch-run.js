import { Failure } from "./api.js";

/**
 * Sends many rows in chunks: two requests at a time, with pauses when the server asks for them. Rows that were answered
 * stay answered.
 * @template T
 * @typedef {{ from: number, rows: readonly T[] }} Chunk
 */

export const CHUNK_ROWS = 200;
export const CHUNK_BYTES = 400_000;
const AT_ONCE = 2;
const MAX_ATTEMPTS = 8;
/** The longest pause that is made without asking the user. */
const MAX_PAUSE_MS = 60_000;

/**
 * @template {Record<string, unknown>} T
 * @param {readonly T[]} rows
 * @param {number} [maxRows] limit of the server per request
 * @returns {Chunk<T>[]} chunks of at most that many rows and about CHUNK_BYTES of JSON; never an empty one
 */
export function chunksOf(rows, maxRows = CHUNK_ROWS) {
  /** @type {Chunk<T>[]} */
  const chunks = [];
  let from = 0;
  let bytes = 0;
  rows.forEach((row, i) => {
    const own = JSON.stringify(row).length;
    if (i > from && (i - from >= Math.min(CHUNK_ROWS, maxRows) || bytes + own > CHUNK_BYTES)) {
      chunks.push({ from, rows: rows.slice(from, i) });
      from = i;
      bytes = 0;
    }
    bytes += own;
  });
  if (rows.length > from) chunks.push({ from, rows: rows.slice(from) });
  return chunks;
}

/**
 * @template {Record<string, unknown>} T
 * @template R
 * @param {readonly Chunk<T>[]} chunks
 * @param {(rows: readonly T[], signal: AbortSignal) => Promise<R>} send
 * @param {{
 *   signal: AbortSignal, done: (chunk: Chunk<T>, result: R) => void, paused?: (ms: number, why: Failure) => void,
 *   sleep?: (ms: number, signal: AbortSignal) => Promise<void>,
 * }} deps
 * @returns {Promise<void>}
 * @throws {Failure} the first failure that repeating does not fix, or when cancelled
 */
export async function runChunks(chunks, send, { signal, done, paused, sleep = pause }) {
  const queue = [...chunks];
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  const lane = async () => {
    for (let chunk = queue.shift(); chunk !== undefined; chunk = queue.shift()) {
      for (let attempt = 1; ; attempt += 1) {
        try {
          const result = await send(chunk.rows, both);
          done(chunk, result);
          break;
        } catch (error) {
          if (!(error instanceof Failure) || !error.transient || both.aborted || attempt >= MAX_ATTEMPTS) throw error;
          const ms = Math.min(MAX_PAUSE_MS, error.retryAfterMs ?? 500 * 2 ** (attempt - 1));
          paused?.(ms, error);
          await sleep(ms, both);
        }
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
  } finally {
    stop.abort();
  }
}

/** @param {number} ms @param {AbortSignal} signal @returns {Promise<void>} rejects with a Failure when cancelled */
function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const cancelled = () => {
      clearTimeout(timer);
      reject(new Failure("cancelled", "Cancelled."));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", cancelled);
      resolve();
    }, ms);
    if (signal.aborted) cancelled();
    else signal.addEventListener("abort", cancelled, { once: true });
  });
}
