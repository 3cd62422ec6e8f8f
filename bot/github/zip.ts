import { crc32, inflateRawSync } from "node:zlib";

const endSignature = 0x06054b50;
const entrySignature = 0x02014b50;
const localSignature = 0x04034b50;
const mostEntries = 1_000;

/**
 * One file out of a zip archive that anybody may have made: every offset is checked, nothing is inflated beyond
 * `mostBytes`, and the checksum must hold. Archives of more than 4 GiB, split or encrypted ones are not read.
 *
 * @param name path inside the archive, or its last part
 * @returns null when there is no such file or the archive is not as it should be
 */
export function readZipEntry(zip: Buffer, name: string, mostBytes: number): Buffer | null {
  try {
    return read(zip, name, mostBytes);
  } catch {
    // An offset beyond the end, broken data, more bytes than allowed.
    return null;
  }
}

function read(zip: Buffer, name: string, mostBytes: number): Buffer | null {
  // The end record is 22 bytes, and a comment of at most 65,535 may follow it.
  let end = zip.length - 22;
  while (end >= Math.max(0, zip.length - 65_557) && zip.readUInt32LE(end) !== endSignature) end -= 1;
  if (end < 0 || zip.readUInt32LE(end) !== endSignature) return null;
  const count = Math.min(zip.readUInt16LE(end + 10), mostEntries);
  for (let i = 0, at = zip.readUInt32LE(end + 16); i < count; i += 1) {
    if (zip.readUInt32LE(at) !== entrySignature) return null;
    const [flags, method, checksum, packed, size] = [zip.readUInt16LE(at + 8), zip.readUInt16LE(at + 10), zip.readUInt32LE(at + 16), zip.readUInt32LE(at + 20), zip.readUInt32LE(at + 24)];
    const [nameLength, extraLength, commentLength, local] = [zip.readUInt16LE(at + 28), zip.readUInt16LE(at + 30), zip.readUInt16LE(at + 32), zip.readUInt32LE(at + 42)];
    const path = zip.toString("utf8", at + 46, at + 46 + nameLength);
    at += 46 + nameLength + extraLength + commentLength;
    if (path !== name && !path.endsWith(`/${name}`)) continue;
    if ((flags & 1) !== 0 || size > mostBytes || zip.readUInt32LE(local) !== localSignature) return null;
    const from = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
    if (from + packed > zip.length) return null;
    const data = zip.subarray(from, from + packed);
    const bytes = method === 0 ? data : method === 8 ? inflateRawSync(data, { maxOutputLength: mostBytes }) : null;
    return bytes !== null && bytes.length === size && crc32(bytes) === checksum ? bytes : null;
  }
  return null;
}
