import { z } from "zod";
import { gitOid, type TreeFile } from "../bundle/tree.ts";
import { DeployFailure } from "../failure.ts";
import type { Settings } from "../settings.ts";
import type { Credentials } from "./credentials.ts";
import { HttpRefusal, NoAnswer, type Http } from "./http.ts";

const runtimeSchema = z.object({
  stage: z.string(),
  sha: z.string().nullish(),
  errorMessage: z.string().nullish(),
  domains: z.array(z.object({ domain: z.string() })).nullish(),
});
/** GET /api/spaces/NS/NAME/runtime. `sha` is null during the first build. */
export type Runtime = { stage: string; sha: string | null; errorMessage: string | null; domain: string | null };

const infoSchema = z.object({ id: z.string(), sha: z.string(), sdk: z.string().nullish(), private: z.boolean().nullish(), disabled: z.boolean().nullish() });
export type SpaceInfo = { head: string; sdk: string | null; private: boolean; disabled: boolean };

/** A file as the Hub lists it. `oid` is git's name of the blob (of the pointer, for LFS); `lfs.oid` the content's sha256. */
export type RemoteFile = { path: string; size: number; oid: string; lfs: { oid: string; size: number } | null };

export type CommitLine =
  | { key: "file"; value: { path: string; content: string; encoding: "base64" } }
  | { key: "lfsFile"; value: { path: string; algo: "sha256"; oid: string; size: number } }
  | { key: "deletedFile"; value: { path: string } };

export type SpaceEdges = { endpoint: string; name: string; http: Http; credentials: Credentials; settings: Settings };

/**
 * One Space of the Hub, on the wire. The official client is not used for it: it commits unchanged files again, cannot
 * write an LFS line without the bytes (which a roll-back needs), retries nothing and drops the rate limit's headers.
 */
export class Space {
  readonly name: string;
  readonly #edges: SpaceEdges;
  readonly #api: string;

  constructor(edges: SpaceEdges) {
    this.name = edges.name;
    this.#edges = edges;
    this.#api = `${edges.endpoint}/api/spaces/${edges.name}`;
  }

  async info(): Promise<SpaceInfo> {
    const found = infoSchema.parse(await this.#get(`${this.#api}/revision/main`));
    return { head: found.sha, sdk: found.sdk ?? null, private: found.private ?? false, disabled: found.disabled ?? false };
  }

  async runtime(): Promise<Runtime> {
    const { stage, sha, errorMessage, domains } = runtimeSchema.parse(await this.#get(`${this.#api}/runtime`));
    return { stage, sha: sha ?? null, errorMessage: errorMessage ?? null, domain: domains?.[0]?.domain ?? null };
  }

  /** Every file of a revision. */
  async tree(revision: string): Promise<RemoteFile[]> {
    const files: RemoteFile[] = [];
    let url: string | null = `${this.#api}/tree/${revision}?recursive=true&expand=false`;
    while (url !== null) {
      const { bytes, headers } = await this.#edges.http.call({ method: "GET", url, repeatable: true, token: this.#token });
      const entries = JSON.parse(bytes.toString("utf8")) as { type: string; path: string; size: number; oid: string; lfs?: { oid: string; size: number } }[];
      for (const { type, path, size, oid, lfs } of entries) if (type === "file") files.push({ path, size, oid, lfs: lfs === undefined ? null : { oid: lfs.oid.replace(/^sha256:/, ""), size: lfs.size } });
      url = /<([^>]+)>;\s*rel="next"/.exec(headers.get("link") ?? "")?.[1] ?? null;
    }
    return files;
  }

  /** A small file of a revision, whose bytes are those that the listing names; null when it is not there. */
  async read(revision: string, path: string, listed?: RemoteFile): Promise<Buffer | null> {
    const url = `${this.#edges.endpoint}/spaces/${this.name}/resolve/${revision}/${path.split("/").map(encodeURIComponent).join("/")}`;
    try {
      const { bytes } = await this.#edges.http.call({ method: "GET", url, repeatable: true, token: this.#token });
      if (listed !== undefined && listed.lfs === null && gitOid(bytes) !== listed.oid) throw new DeployFailure("hub-bytes", `the Hub's ${path} at ${revision.slice(0, 7)} is not what its listing names`);
      return bytes;
    } catch (error) {
      if (error instanceof HttpRefusal && error.status === 404) return null;
      throw error;
    }
  }

  /**
   * Uploads what the Hub wants as LFS and does not have yet, and says how each file must be committed.
   *
   * @returns the lines of the commit, in the files' order
   */
  async upload(files: readonly TreeFile[], progress: (path: string) => void): Promise<CommitLine[]> {
    const modes = new Map<string, string>();
    for (let from = 0; from < files.length; from += 100) {
      const chunk = files.slice(from, from + 100);
      const answer = await this.#post<{ files: { path: string; uploadMode: string }[] }>(`${this.#api}/preupload/main`, { files: chunk.map(({ path, size, bytes }) => ({ path, size, sample: Buffer.from(bytes.subarray(0, 512)).toString("base64") })) }, true);
      for (const { path, uploadMode } of answer.files) modes.set(path, uploadMode);
    }
    const large = files.filter(({ path }) => modes.get(path) === "lfs");
    if (large.length > 0) await this.#uploadLarge(large, progress);
    return files.map(({ path, bytes, size, sha256 }) => (modes.get(path) === "lfs"
      ? { key: "lfsFile", value: { path, algo: "sha256", oid: sha256, size } }
      : { key: "file", value: { path, content: Buffer.from(bytes).toString("base64"), encoding: "base64" } }));
  }

  async #uploadLarge(files: readonly TreeFile[], progress: (path: string) => void): Promise<void> {
    type Action = { href: string; header?: Record<string, string> };
    const unique = [...new Map(files.map((file) => [file.sha256, file])).values()];
    const answer = await this.#post<{ objects: { oid: string; actions?: { upload?: Action; verify?: Action }; error?: { message: string } }[] }>(
      `${this.#edges.endpoint}/spaces/${this.name}.git/info/lfs/objects/batch`,
      { operation: "upload", transfers: ["basic", "multipart"], hash_algo: "sha_256", ref: { name: "main" }, objects: unique.map(({ sha256, size }) => ({ oid: sha256, size })) },
      true, "application/vnd.git-lfs+json",
    );
    for (const { oid, actions, error } of answer.objects) {
      const file = unique.find(({ sha256 }) => sha256 === oid);
      if (file === undefined) throw new NoAnswer("the Hub's LFS batch names an object that was not asked for");
      if (error !== undefined) throw new DeployFailure("lfs", `the Hub will not store ${file.path}: ${error.message}`);
      // No action: the Hub has these bytes already.
      if (actions?.upload === undefined) continue;
      progress(file.path);
      const { href, header = {} } = actions.upload;
      const partBytes = Number(header["chunk_size"] ?? 0);
      if (partBytes > 0) await this.#uploadParts(file, href, header, partBytes);
      else await this.#put(href, file.bytes);
    }
  }

  async #uploadParts(file: TreeFile, href: string, header: Record<string, string>, partBytes: number): Promise<void> {
    const numbers = Object.keys(header).filter((name) => /^\d+$/.test(name)).sort((a, b) => Number(a) - Number(b));
    if (numbers.length !== Math.ceil(file.size / partBytes)) throw new NoAnswer(`the Hub offers ${numbers.length} parts for ${file.path}, which has ${Math.ceil(file.size / partBytes)}`);
    const parts: { partNumber: number; etag: string }[] = [];
    for (const [i, number] of numbers.entries()) {
      const { headers } = await this.#put(header[number]!, file.bytes.subarray(i * partBytes, (i + 1) * partBytes));
      const etag = headers.get("etag");
      if (etag === null) throw new NoAnswer(`the storage gave no ETag for part ${number} of ${file.path}`);
      parts.push({ partNumber: Number(number), etag });
    }
    await this.#edges.http.call({ method: "POST", url: href, repeatable: true, headers: { "content-type": "application/vnd.git-lfs+json", accept: "application/vnd.git-lfs+json" }, body: JSON.stringify({ oid: file.sha256, parts }), timeoutMs: this.#edges.settings["upload-timeout"] });
  }

  /** Signed URLs: no token goes there. */
  #put(url: string, body: Uint8Array) {
    return this.#edges.http.call({ method: "PUT", url, repeatable: true, body, timeoutMs: this.#edges.settings["upload-timeout"] });
  }

  /**
   * One commit on main, sent once.
   *
   * @throws HttpRefusal 412 when main is no longer at `parent`; NoAnswer when nobody knows whether it happened
   */
  async commit(lines: readonly CommitLine[], parent: string, title: string, description: string): Promise<string> {
    const body = [{ key: "header", value: { summary: title, description, parentCommit: parent } }, ...lines].map((line) => JSON.stringify(line)).join("\n");
    const { commitOid } = await this.#edges.http.json<{ commitOid?: string }>({ method: "POST", url: `${this.#api}/commit/main`, repeatable: false, token: this.#token, headers: { "content-type": "application/x-ndjson" }, body, timeoutMs: this.#edges.settings["upload-timeout"] });
    if (commitOid === undefined) throw new NoAnswer("the Hub's answer to the commit names none");
    return commitOid;
  }

  /** Starts the Space anew; `factory` builds the image without its cache. Not every token may. */
  async restart(factory: boolean): Promise<void> {
    await this.#edges.http.call({ method: "POST", url: `${this.#api}/restart${factory ? "?factory=true" : ""}`, repeatable: false, token: this.#token });
  }

  /** Where the log of a build or of the running app can be followed as server-sent events. */
  logUrl(kind: "build" | "run"): string {
    return `${this.#api}/logs/${kind}`;
  }

  /** What a client of a private Space must send; null for a public one. */
  get token(): () => Promise<string | null> {
    return this.#edges.credentials.token;
  }

  readonly #token = () => this.#edges.credentials.token();

  #get(url: string): Promise<unknown> {
    return this.#edges.http.json({ method: "GET", url, repeatable: true, token: this.#token });
  }

  #post<T>(url: string, body: unknown, repeatable: boolean, type = "application/json"): Promise<T> {
    return this.#edges.http.json<T>({ method: "POST", url, repeatable, token: this.#token, headers: { "content-type": type, accept: type }, body: JSON.stringify(body) });
  }
}
