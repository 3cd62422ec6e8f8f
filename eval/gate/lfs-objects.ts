import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { realpath } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import type { LfsPointer } from "../../models/core/artifact/lfs-pointer.ts";
import { EvaluationError } from "../../models/core/errors.ts";
import type { Git } from "./git.ts";

/**
 * Path of the file that a Git LFS pointer stands for. Its bytes have the pointer's SHA-256 and size.
 * @param place where the pointer was found, for the error
 * @throws EvaluationError `lfs-missing` when the file is nowhere
 */
export type LfsObjects = (pointer: LfsPointer, place: string) => Promise<string>;

/** The LFS objects of a repository: from its own store, which git-lfs fills. */
export function lfsObjectsOf(git: Git, root: string): LfsObjects {
  return async (pointer, place) => {
    const { sha256 } = pointer;
    const kept = join(await lfsStore(git, root), sha256.slice(0, 2), sha256.slice(2, 4), sha256);
    if (await isObject(kept, pointer)) return kept;
    throw new EvaluationError({
      code: "lfs-missing",
      place,
      problem: "a Git LFS pointer stands in the place of the file, and the file is not in this clone",
      expected: `the file with sha256 ${sha256}`,
      received: "only the pointer",
      example: "- uses: actions/checkout@v7\n  with:\n    lfs: true",
      hint: "outside a workflow: `git lfs pull`",
    });
  };
}

/** `objects` in git's folder, or in the folder that the setting `lfs.storage` names. */
async function lfsStore(git: Git, root: string): Promise<string> {
  const text = async (...args: string[]) => {
    const { code, stdout } = await git(args);
    return code === 0 ? stdout.toString("utf8").trim() : "";
  };
  const common = resolve(root, (await text("rev-parse", "--git-common-dir")) || ".git");
  const storage = await text("config", "--get", "lfs.storage");
  return join(storage === "" ? join(common, "lfs") : resolve(common, storage), "objects");
}

/** Whether a file is there and has the pointer's bytes. */
export async function isObject(path: string, pointer: LfsPointer): Promise<boolean> {
  const hash = createHash("sha256");
  let bytes = 0;
  try {
    await pipeline(
      createReadStream(await realpath(path)),
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          bytes += chunk.length;
          yield chunk;
        }
      },
      hash,
    );
  } catch {
    return false;
  }
  return bytes === pointer.bytes && hash.digest("hex") === pointer.sha256;
}
