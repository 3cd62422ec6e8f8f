import { createHash } from "node:crypto";
import { lstat, readFile } from "node:fs/promises";
import { join, posix } from "node:path";
import { ConfigurationError } from "../../models/core/errors.ts";
import { weightFiles } from "../../models/core/manifest/artifact-files.ts";
import { folderInside } from "../../models/core/graph/nodes.ts";
import { headFilesOf, localFilesOf, stepFilesOf } from "../../models/core/manifest/local-files.ts";
import type { LoadedManifest } from "../../models/core/predictor/load.ts";
import { isLfsPointer } from "../../models/core/artifact/lfs-pointer.ts";
import { secretIn } from "./secrets.ts";

/**
 * The paths in the model's folder that serving needs, relative to the folder. Data and training code are not deployed.
 */
function servedPaths({ manifest, composition }: LoadedManifest): { needed: string[]; optional: string[] } {
  const own = composition === undefined ? localFilesOf(manifest) : [];
  return { needed: [...new Set(["model.yaml", ...own])], optional: ["README.md"] };
}

/** The SHA-256 digests of weights and of the files of steps and heads that the manifest states, by path. */
function namedDigests({
  manifest: { artifact, preprocess, postprocess, segment },
  composition,
}: LoadedManifest): Map<string, string> {
  if (composition !== undefined) return new Map();
  const graph = segment === undefined ? [] : [segment.graph];
  const heads = [...stepFilesOf(preprocess), ...postprocess.flatMap(headFilesOf), ...graph].map(
    ({ path, sha256 }): [string, string] => [path, sha256],
  );
  const weights = weightFiles(artifact).map(({ path, sha256 }): [string, string] => [path, sha256]);
  return new Map([...heads, ...weights]);
}

/**
 * Reads the files that serve a model, as bytes that may be published. A composition's models come in `steps/ID`.
 *
 * @throws ConfigurationError for secrets, symbolic links, Git LFS pointers, executable files, and missing files
 */
export async function readModelFiles(loaded: LoadedManifest): Promise<{ path: string; bytes: Uint8Array }[]> {
  const { needed, optional } = servedPaths(loaded);
  const digests = namedDigests(loaded);
  const files: { path: string; bytes: Uint8Array }[] = [];
  for (const path of [...needed, ...optional]) {
    const place = join(loaded.dir, path);
    const facts = await lstat(place).catch(() => null);
    if (facts === null && optional.includes(path)) continue;
    const refuse = (code: string, problem: string, expected: string, hint?: string) =>
      new ConfigurationError({ code, place, problem, expected, ...(hint === undefined ? {} : { hint }) });
    if (facts === null) throw refuse("model-file", "the file is missing", "every file that model.yaml names");
    if (facts.isSymbolicLink())
      throw refuse(
        "symlink",
        "a symbolic link cannot be deployed: what it points at may differ where it is read",
        "a plain file",
      );
    if (!facts.isFile()) throw refuse("model-file", "not a plain file", "a plain file");
    if ((facts.mode & 0o111) !== 0)
      throw refuse(
        "executable",
        "the file is executable, and the Hub's commits keep no such bit",
        "a file without the executable bit",
        `chmod -x ${place}`,
      );
    const bytes = await readFile(place);
    if (isLfsPointer(bytes))
      throw refuse(
        "lfs-pointer",
        "a Git LFS pointer stands in the place of the file",
        "the file itself",
        "run `git lfs pull`; in a workflow, actions/checkout with `lfs: true`",
      );
    const named = digests.get(path);
    const digest = createHash("sha256").update(bytes).digest("hex");
    if (named !== undefined && named !== digest)
      throw new ConfigurationError({
        code: "artifact-digest",
        place,
        problem: "the file is not the one that the manifest names",
        expected: `sha256 ${named}`,
        received: `sha256 ${digest}`,
        hint: "put back the file, or, when the change is meant, the new sha256 into model.yaml, and run the gate",
      });
    const secret = secretIn(path, bytes);
    if (secret !== null)
      throw refuse(
        "secret",
        `the file must not be published: ${secret}`,
        "no secrets in a Space's tree",
        "remove it, revoke it, and keep it among the Space's secrets",
      );
    files.push({ path, bytes });
  }
  for (const [id, model] of loaded.composition?.models ?? [])
    for (const { path, bytes } of await readModelFiles(model))
      files.push({ path: posix.join(folderInside(id), path), bytes });
  return files;
}
