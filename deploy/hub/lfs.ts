import { z } from "zod";
import type { TreeFile } from "../bundle/tree.ts";
import { DeployFailure } from "./failure.ts";
import type { Settings } from "./settings.ts";
import { HttpRefusal, NoAnswer, type Http } from "./http.ts";

type LfsDeps = { http: Http; settings: Settings; token: () => Promise<string | null> };

/** Called with the path of a file whose bytes are being sent, how many of them have left, and of how many. */
export type UploadProgress = (path: string, sent: number, size: number) => void;

const action = z.object({ href: z.string(), header: z.record(z.string(), z.string()).nullish() });
const batchSchema = z.object({
  objects: z.array(
    z.object({
      oid: z.string(),
      actions: z.object({ upload: action.nullish() }).nullish(),
      error: z.object({ message: z.string() }).nullish(),
    }),
  ),
});
type Action = z.infer<typeof action>;

const lfsType = "application/vnd.git-lfs+json";

/**
 * Stores files as LFS objects, whole or in parts, as the Hub asks. Objects that the Hub already has are not sent. When
 * sending one fails, the Hub is asked again whether it has the object, and for a fresh address.
 *
 * @param batchUrl NS/NAME.git/info/lfs/objects/batch of the repository
 * @throws DeployFailure if the Hub refuses to store one; HttpRefusal, NoAnswer if it cannot be sent
 */
export async function uploadLarge(
  files: readonly TreeFile[],
  batchUrl: string,
  deps: LfsDeps,
  progress: UploadProgress,
): Promise<void> {
  const unique = [...new Map(files.map((file) => [file.sha256, file])).values()];
  for (const { file, upload } of await offered(unique, batchUrl, deps)) {
    let address: Action | null = upload;
    for (let attempt = 1; address !== null; attempt += 1) {
      try {
        await send(file, address, deps, progress);
        address = null;
      } catch (error) {
        const passing = error instanceof NoAnswer || error instanceof HttpRefusal;
        if (!passing || attempt > deps.settings.retries) throw error;
        await deps.http.pause(attempt);
        // The address may have expired, and the bytes may have arrived although the answer was lost.
        address = (await offered([file], batchUrl, deps))[0]?.upload ?? null;
      }
    }
  }
}

/** The files that the Hub does not have yet, and where each is to be sent. */
async function offered(
  files: readonly TreeFile[],
  batchUrl: string,
  deps: LfsDeps,
): Promise<{ file: TreeFile; upload: Action }[]> {
  const answer = await deps.http.json(
    {
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
        objects: files.map(({ sha256, size }) => ({ oid: sha256, size })),
      }),
    },
    batchSchema,
  );
  return answer.objects.flatMap(({ oid, actions, error }) => {
    const file = files.find(({ sha256 }) => sha256 === oid);
    if (file === undefined) throw new NoAnswer("the Hub's LFS batch names an object that was not asked for");
    if (error != null) throw new DeployFailure("lfs", `the Hub will not store ${file.path}: ${error.message}`);
    return actions?.upload == null ? [] : [{ file, upload: actions.upload }];
  });
}

async function send(file: TreeFile, { href, header }: Action, deps: LfsDeps, progress: UploadProgress): Promise<void> {
  const headers = header ?? {};
  const partBytes = Number(headers["chunk_size"] ?? 0);
  const from = (start: number) => (sent: number) => {
    progress(file.path, start + sent, file.size);
  };
  progress(file.path, 0, file.size);
  if (partBytes > 0) await sendParts(file, href, headers, partBytes, deps, from);
  else await put(href, file.bytes, deps, from(0), false);
}

async function sendParts(
  file: TreeFile,
  href: string,
  header: Record<string, string>,
  partBytes: number,
  deps: LfsDeps,
  progressFrom: (start: number) => (sent: number) => void,
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
    const bytes = file.bytes.subarray(i * partBytes, (i + 1) * partBytes);
    const { headers } = await put(header[number]!, bytes, deps, progressFrom(i * partBytes), true);
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

/**
 * The URLs are signed, so no token is sent.
 *
 * @param repeatable false for a whole file: before it is sent again, the Hub is asked whether it has it
 */
function put(url: string, body: Uint8Array, deps: LfsDeps, progress: (sent: number) => void, repeatable: boolean) {
  return deps.http.call({
    method: "PUT",
    url,
    repeatable,
    body,
    timeoutMs: deps.settings["upload-timeout"],
    progress,
  });
}
