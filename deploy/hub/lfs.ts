import type { TreeFile } from "../bundle/tree.ts";
import { DeployFailure } from "./failure.ts";
import type { Settings } from "./settings.ts";
import { NoAnswer, type Http } from "./http.ts";

type LfsDeps = { http: Http; settings: Settings; token: () => Promise<string | null> };

type Action = { href: string; header?: Record<string, string> };
type Batch = {
  objects: { oid: string; actions?: { upload?: Action; verify?: Action }; error?: { message: string } }[];
};

const lfsType = "application/vnd.git-lfs+json";

/**
 * Stores files as LFS objects, whole or in parts, as the Hub asks. Objects that the Hub already has are not sent.
 *
 * @param batchUrl NS/NAME.git/info/lfs/objects/batch of the repository
 * @param progress called with the path of each file whose bytes are sent
 * @throws DeployFailure if the Hub refuses to store one
 */
export async function uploadLarge(
  files: readonly TreeFile[],
  batchUrl: string,
  deps: LfsDeps,
  progress: (path: string) => void,
): Promise<void> {
  const unique = [...new Map(files.map((file) => [file.sha256, file])).values()];
  const answer = await deps.http.json<Batch>({
    method: "POST",
    url: batchUrl,
    repeatable: true,
    token: deps.token,
    headers: { "content-type": lfsType, accept: lfsType },
    body: JSON.stringify({
      operation: "upload",
      transfers: ["basic", "multipart"],
      hash_algo: "sha_256",
      ref: { name: "main" },
      objects: unique.map(({ sha256, size }) => ({ oid: sha256, size })),
    }),
  });
  for (const { oid, actions, error } of answer.objects) {
    const file = unique.find(({ sha256 }) => sha256 === oid);
    if (file === undefined) throw new NoAnswer("the Hub's LFS batch names an object that was not asked for");
    if (error !== undefined) throw new DeployFailure("lfs", `the Hub will not store ${file.path}: ${error.message}`);
    // No upload action means that the Hub already has these bytes.
    if (actions?.upload === undefined) continue;
    progress(file.path);
    const { href, header = {} } = actions.upload;
    const partBytes = Number(header["chunk_size"] ?? 0);
    if (partBytes > 0) await uploadParts(file, href, header, partBytes, deps);
    else await put(href, file.bytes, deps);
  }
}

async function uploadParts(
  file: TreeFile,
  href: string,
  header: Record<string, string>,
  partBytes: number,
  deps: LfsDeps,
): Promise<void> {
  const numbers = Object.keys(header)
    .filter((name) => /^\d+$/.test(name))
    .sort((a, b) => Number(a) - Number(b));
  if (numbers.length !== Math.ceil(file.size / partBytes))
    throw new NoAnswer(
      `the Hub offers ${numbers.length} parts for ${file.path}, which has ${Math.ceil(file.size / partBytes)}`,
    );
  const parts: { partNumber: number; etag: string }[] = [];
  for (const [i, number] of numbers.entries()) {
    const { headers } = await put(header[number]!, file.bytes.subarray(i * partBytes, (i + 1) * partBytes), deps);
    const etag = headers.get("etag");
    if (etag === null) throw new NoAnswer(`the storage gave no ETag for part ${number} of ${file.path}`);
    parts.push({ partNumber: Number(number), etag });
  }
  await deps.http.call({
    method: "POST",
    url: href,
    repeatable: true,
    headers: { "content-type": lfsType, accept: lfsType },
    body: JSON.stringify({ oid: file.sha256, parts }),
    timeoutMs: deps.settings["upload-timeout"],
  });
}

/** The URLs are signed, so no token is sent. */
function put(url: string, body: Uint8Array, deps: LfsDeps) {
  return deps.http.call({ method: "PUT", url, repeatable: true, body, timeoutMs: deps.settings["upload-timeout"] });
}
