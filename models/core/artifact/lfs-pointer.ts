/** What a Git LFS pointer says about the file in whose place it stands. */
export type LfsPointer = { sha256: string; bytes: number };

/** A pointer, and where it was found, for the error. */
export type PlacedPointer = { pointer: LfsPointer; place: string };

/**
 * Paths of the files that Git LFS pointers stand for, in their order. Their bytes have the pointers' SHA-256 and size.
 * @throws EvaluationError `lfs-missing` and others when one cannot be had
 */
export type LfsObjects = (pointers: readonly PlacedPointer[]) => Promise<string[]>;

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
