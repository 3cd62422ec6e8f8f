import { Failure, request } from "./api.js";

/**
 * Uploads a file by the tus protocol (https://tus.io), piece by piece. After a failure it goes on where the server
 * stands, first by itself and then when it is asked to.
 */

const PIECE_BYTES = 1024 * 1024;
const PIECE_MS = 120_000;
const ATTEMPTS = 5;
const FIRST_PAUSE_MS = 300;
const TUS = { "tus-resumable": "1.0.0" };

/** @param {string} text */
const base64 = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

/** @param {File} file @returns {Promise<string>} the upload's id */
export async function createUpload(file) {
  const metadata = [
    ["filename", file.name],
    ["filetype", file.type],
  ]
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `${name} ${base64(value ?? "")}`);
  const { headers } = await request("uploads", {
    method: "POST",
    headers: { ...TUS, "upload-length": String(file.size), "upload-metadata": metadata.join(",") },
    text: true,
  });
  return headers.get("location")?.split("/").at(-1) ?? "";
}

/** @param {string} id */
export const deleteUpload = (id) =>
  request(`uploads/${encodeURIComponent(id)}`, { method: "DELETE", headers: TUS, text: true });

/**
 * Sends what the server lacks of the file.
 * @param {string} id @param {File} file @param {AbortSignal} signal
 * @param {(sent: number) => void} progress called with all that the server has
 * @throws {Failure} when several attempts in a row failed, or it was paused
 */
export async function sendFile(id, file, signal, progress) {
  const path = `uploads/${encodeURIComponent(id)}`;
  let failures = 0;
  /** @type {number | null} */
  let offset = null;
  for (;;) {
    try {
      if (offset === null) {
        const { headers } = await request(path, { method: "HEAD", headers: TUS, text: true, signal });
        offset = Number(headers.get("upload-offset"));
      }
      progress(offset);
      if (offset >= file.size) return;
      const { headers } = await request(path, {
        method: "PATCH",
        headers: { ...TUS, "content-type": "application/offset+octet-stream", "upload-offset": String(offset) },
        send: file.slice(offset, offset + PIECE_BYTES),
        text: true,
        timeoutMs: PIECE_MS,
        signal,
      });
      offset = Number(headers.get("upload-offset"));
      failures = 0;
    } catch (error) {
      const again = error instanceof Failure && (error.transient || error.status === 409);
      failures += 1;
      if (!again || failures >= ATTEMPTS) throw error;
      // Nobody knows what arrived, so the server is asked.
      offset = null;
      await pause(error.retryAfterMs ?? FIRST_PAUSE_MS * 2 ** failures, signal);
    }
  }
}

/** @param {number} ms @param {AbortSignal} signal */
function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new Failure("cancelled", "Paused."));
    });
  });
}
