import { buffer } from "node:stream/consumers";
import { crc32 } from "node:zlib";
import { fromBufferPromise } from "yauzl";

const maxEntries = 1_000;

/**
 * Reads one file from a zip archive of unknown origin. Nothing is inflated beyond `maxBytes`, and the checksum must
 * match.
 *
 * @param name path inside the archive, or its last part
 * @returns null if there is no such file or the archive is malformed
 */
export async function readZipEntry(zip: Buffer, name: string, maxBytes: number): Promise<Buffer | null> {
  try {
    const archive = await fromBufferPromise(zip, { validateEntrySizes: true, strictFileNames: true });
    let seen = 0;
    for await (const entry of archive.eachEntry()) {
      seen += 1;
      if (seen > maxEntries) return null;
      if (entry.fileName !== name && !entry.fileName.endsWith(`/${name}`)) continue;
      if (entry.uncompressedSize > maxBytes) return null;
      // The stream fails if it holds more than the directory says.
      const bytes = await buffer(await archive.openReadStreamPromise(entry));
      return crc32(bytes) === entry.crc32 ? bytes : null;
    }
    return null;
  } catch {
    return null;
  }
}
