import type { UploadProgress } from "./hub/lfs.ts";

const everyMs = 5000;
const mebibyte = 1_048_576;

/**
 * Tells of an upload when it begins and every five seconds after that: how much has left, and how fast.
 *
 * @param monotonic milliseconds on a clock that is never set
 * @param where said after the path, for example " to octo/births"
 */
export function uploadNotes(note: (text: string) => void, monotonic: () => number, where = ""): UploadProgress {
  let last = { at: 0, sent: 0 };
  return (path, sent, size) => {
    const at = monotonic();
    if (sent === 0) {
      note(`uploading ${path}${where}, ${(size / mebibyte).toFixed(1)} MiB`);
      last = { at, sent };
    } else if (at - last.at >= everyMs) {
      const perSecond = ((sent - last.sent) / mebibyte / (at - last.at)) * 1000;
      note(
        `uploading ${path}${where}: ${(sent / mebibyte).toFixed(1)} of ${(size / mebibyte).toFixed(1)} MiB, ${perSecond.toFixed(2)} MiB/s`,
      );
      last = { at, sent };
    }
  };
}
