import { createHash } from "node:crypto";
import { readFile, realpath, stat } from "node:fs/promises";
import { isAbsolute, join, relative, resolve, sep } from "node:path";
import { EvaluationError } from "../errors.ts";
import { isLfsPointer } from "./lfs-pointer.ts";

/**
 * Bytes and their SHA-256, checked against the manifest where it names one. They are hashed in memory, so the bytes
 * that were checked are the bytes that run.
 */
export type VerifiedFile = { bytes: Uint8Array; sha256: string; source: string };

/**
 * Reads a file inside a model's folder.
 *
 * @param sha256 expected digest; null: not checked.
 * @throws EvaluationError when the path or a symbolic link leads out of the folder, or the file is missing, too large
 *   or not the expected one.
 */
export async function localFile(
  dir: string,
  path: string,
  sha256: string | null,
  maxBytes: number,
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
  if (isAbsolute(path) || !inside(resolve(dir), resolve(dir, path))) throw outside(path);
  const real = await realpath(place).catch((error: NodeJS.ErrnoException) => {
    throw new EvaluationError(
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
  });
  if (!inside(await realpath(dir), real)) throw outside(`${path}, a symbolic link to ${real}`);
  const facts = await stat(real);
  if (!facts.isFile())
    throw new EvaluationError({
      code: "artifact-missing",
      place,
      problem: "not a file",
      expected: "a regular file",
      received: facts.isDirectory() ? "a folder" : "something else",
    });
  if (facts.size > maxBytes) throw tooLarge(place, facts.size, maxBytes);
  const bytes = await readFile(real).catch((error: NodeJS.ErrnoException) => {
    throw new EvaluationError(
      {
        code: "artifact-missing",
        place,
        problem: "the file cannot be read",
        expected: "a readable file",
        received: error.code ?? error.message,
      },
      { cause: error },
    );
  });
  return verify(bytes, sha256, place);
}

/** @throws EvaluationError when the bytes are a Git LFS pointer or have another digest than `sha256`. */
export function verify(bytes: Uint8Array, sha256: string | null, place: string): VerifiedFile {
  const received = createHash("sha256").update(bytes).digest("hex");
  if (sha256 === null || received === sha256) return { bytes, sha256: received, source: place };
  if (isLfsPointer(bytes))
    throw new EvaluationError({
      code: "artifact-lfs-pointer",
      place,
      problem: "a Git LFS pointer stands in the place of the file",
      expected: `the file with sha256 ${sha256}`,
      received: `${bytes.length} bytes of pointer`,
      hint: "run `git lfs pull`; in a workflow, actions/checkout with `lfs: true`",
    });
  throw new EvaluationError({
    code: "artifact-digest",
    place,
    problem: "the file is not the one that the manifest names",
    expected: `sha256 ${sha256}`,
    received: `sha256 ${received} (${bytes.length} bytes)`,
    hint: "put back the file, or, when the change is meant, the new sha256 into model.yaml",
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

function inside(dir: string, path: string): boolean {
  const route = relative(dir, path);
  return route !== "" && route !== ".." && !route.startsWith(`..${sep}`) && !isAbsolute(route);
}
