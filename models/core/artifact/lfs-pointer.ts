/** What a Git LFS pointer says about the file in whose place it stands. */
export type LfsPointer = { sha256: string; bytes: number };

/**
 * Path of the file that a Git LFS pointer stands for. Its bytes have the pointer's SHA-256 and size.
 * @param place where the pointer was found, for the error
 * @throws EvaluationError `lfs-missing` and others when the file cannot be had
 */
export type LfsObjects = (pointer: LfsPointer, place: string) => Promise<string>;

/** A pointer is at most this long. */
export const LFS_POINTER_MAX_BYTES = 1024;

const spec = "version https://git-lfs.github.com/spec/";

/** Whether bytes are a Git LFS pointer: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md */
export function isLfsPointer(bytes: Uint8Array): boolean {
  return (
    bytes.length < LFS_POINTER_MAX_BYTES &&
    Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, spec.length)).toString("latin1") === spec
  );
}

/** Reads a Git LFS pointer; null when the bytes are not one, or are one that names no SHA-256 and size. */
export function parseLfsPointer(bytes: Uint8Array): LfsPointer | null {
  if (!isLfsPointer(bytes)) return null;
  const text = Buffer.from(bytes).toString("utf8");
  const sha256 = /^oid sha256:([0-9a-f]{64})$/m.exec(text)?.[1];
  const size = /^size (\d{1,15})$/m.exec(text)?.[1];
  return sha256 === undefined || size === undefined ? null : { sha256, bytes: Number(size) };
}
