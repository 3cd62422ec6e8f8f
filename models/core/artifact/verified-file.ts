import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { EvaluationError } from "../errors.ts";
import { cachedContent } from "./cache-dir.ts";
import { linkOnPath, routeInside } from "./plain-path.ts";
import { isLfsPointer, parseLfsPointer } from "./lfs-pointer.ts";

/**
 * Bytes and their SHA-256, checked against the manifest where it names one. They are hashed in memory, so the bytes
 * that were checked are the bytes that run.
 */
export type VerifiedFile = { bytes: Uint8Array; sha256: string; source: string };

/**
 * Reads a file inside a model's folder. Where a Git LFS pointer stands in its place, the file that it points to is read
 * from the cache, if it is there.
 *
 * @param sha256 expected digest; null: not checked, unless there is a pointer.
 * @param cacheDir the cache's folder; null: no pointer is followed.
 * @throws EvaluationError when the path leads out of the folder or over a symbolic link, or the file is missing, too
 *   large or not the expected one.
 */
export async function localFile(
  dir: string,
  path: string,
  sha256: string | null,
  maxBytes: number,
  cacheDir: string | null,
): Promise<VerifiedFile> {
  const place = join(dir, path);
  const outside = (received: string) =>
    new EvaluationError({
      code: "artifact-outside",
      place,
      problem: "the path leads out of the model's folder",
      expected: `a path inside ${dir}`,
      received,
      example: "path: model.onnx",
    });
  const route = isAbsolute(path) ? null : routeInside(dir, path);
  if (route === null) throw outside(path);
  const link = await linkOnPath(dir, route);
  if (link !== null)
    throw new EvaluationError({
      code: "artifact-link",
      place,
      problem: "there is a symbolic link on the path: what it points at may change without a change here",
      expected: "a regular file",
      received: `${link.link}, a symbolic link to ${link.target}`,
      example: routeInside(dir, link.target) === null ? "path: model.onnx" : `path: ${link.target}`,
    });
  const missing = (error: NodeJS.ErrnoException) =>
    new EvaluationError(
      {
        code: "artifact-missing",
        place,
        problem:
          error.code === "ENOENT" || error.code === "ENOTDIR" ? "the file is missing" : "the file cannot be read",
        expected: `a file at ${path}, relative to model.yaml`,
        received: error.code ?? error.message,
      },
      { cause: error },
    );
  const facts = await stat(place).catch((error: NodeJS.ErrnoException) => {
    throw missing(error);
  });
  if (!facts.isFile())
    throw new EvaluationError({
      code: "artifact-missing",
      place,
      problem: "not a file",
      expected: "a regular file",
      received: facts.isDirectory() ? "a folder" : "something else",
    });
  if (facts.size > maxBytes) throw tooLarge(place, facts.size, maxBytes);
  const bytes = await readFile(place).catch((error: NodeJS.ErrnoException) => {
    throw missing(error);
  });
  const pointer = parseLfsPointer(bytes);
  if (pointer === null) return verify(bytes, sha256, place);
  if (pointer.bytes > maxBytes) throw tooLarge(place, pointer.bytes, maxBytes);
  const pointed = cacheDir === null ? null : await readFile(cachedContent(cacheDir, pointer.sha256)).catch(() => null);
  if (pointed === null) throw onlyPointer(place, sha256 ?? pointer.sha256, bytes.length);
  verify(pointed, pointer.sha256, `the cached file of ${place}`);
  return verify(pointed, sha256, place);
}

/** @throws EvaluationError when the bytes are a Git LFS pointer or have another digest than `sha256`. */
export function verify(bytes: Uint8Array, sha256: string | null, place: string): VerifiedFile {
  const received = createHash("sha256").update(bytes).digest("hex");
  if (sha256 === null || received === sha256) return { bytes, sha256: received, source: place };
  if (isLfsPointer(bytes)) throw onlyPointer(place, sha256, bytes.length);
  throw new EvaluationError({
    code: "artifact-digest",
    place,
    problem: "the file is not the one that the manifest names",
    expected: `sha256 ${sha256}`,
    received: `sha256 ${received} (${bytes.length} bytes)`,
    hint: "put back the file, or, when the change is meant, the new sha256 into model.yaml",
  });
}

function onlyPointer(place: string, sha256: string, pointerBytes: number): EvaluationError {
  return new EvaluationError({
    code: "artifact-lfs-pointer",
    place,
    problem: "a Git LFS pointer stands in the place of the file",
    expected: `the file with sha256 ${sha256}`,
    received: `${pointerBytes} bytes of pointer`,
    hint: "run `git lfs pull`; in a workflow, actions/checkout with `lfs: true`",
  });
}

export function tooLarge(place: string, size: number, maxBytes: number): EvaluationError {
  return new EvaluationError({
    code: "artifact-too-large",
    place,
    problem: "the file is too large",
    expected: `at most ${maxBytes} bytes`,
    received: `${size} bytes`,
  });
}
