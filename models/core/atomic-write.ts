import writeFile from "write-file-atomic";

/** Writes a file beside `path`, then renames it: a reader sees the old content or the new, never a part. */
export async function writeFileAtomic(path: string, data: string | Uint8Array): Promise<void> {
  await writeFile(path, typeof data === "string" ? data : Buffer.from(data.buffer, data.byteOffset, data.byteLength));
}
