import { z } from "zod";
import { gitOid, type TreeFile } from "../bundle/tree.ts";
import { DeployFailure } from "./failure.ts";
import type { Settings } from "./settings.ts";
import type { Credentials } from "./credentials.ts";
import { HttpRefusal, NoAnswer, type Call, type Http, type JsonReply } from "./http.ts";
import { uploadLarge, type UploadProgress } from "./lfs.ts";

const infoSchema = z.object({
  id: z.string(),
  sha: z.string(),
  sdk: z.string().nullish(),
  private: z.boolean().nullish(),
  disabled: z.boolean().nullish(),
});
export type RepositoryInfo = { head: string; sdk: string | null; private: boolean; disabled: boolean };

/**
 * A file as the Hub lists it. `oid` is the git object id of the blob (for LFS, of the pointer), `lfs.oid` the sha256 of
 * the content.
 */
export type RemoteFile = { path: string; size: number; oid: string; lfs: { oid: string; size: number } | null };
/** A file with the commit that last changed it, if the Hub was asked for that. */
type FoundFile = RemoteFile & { lastCommit: string | null };

const logSchema = z.array(z.object({ id: z.string(), title: z.string(), message: z.string().nullish() }));
/** A commit of main, as the Hub's log tells it. `message`: what stands below the title. */
type LogEntry = { id: string; title: string; message: string };

export type CommitLine =
  | { key: "file"; value: { path: string; content: string; encoding: "base64" } }
  | { key: "lfsFile"; value: { path: string; algo: "sha256"; oid: string; size: number } }
  | { key: "deletedFile"; value: { path: string } };

export type RepositoryDeps = {
  endpoint: string;
  name: string;
  http: Http;
  credentials: Credentials;
  settings: Settings;
};

const preuploadSchema = z.object({ files: z.array(z.object({ path: z.string(), uploadMode: z.string() })) });
const maxListings = 4;

const listedFile = z.object({
  type: z.string().optional(),
  path: z.string(),
  size: z.number(),
  oid: z.string(),
  lfs: z.object({ oid: z.string(), size: z.number() }).nullish(),
  lastCommit: z.object({ id: z.string().optional() }).nullish(),
});
type ListedFile = z.infer<typeof listedFile>;
const remote = ({ path, size, oid, lfs }: ListedFile): RemoteFile => ({
  path,
  size,
  oid,
  lfs: lfs == null ? null : { oid: lfs.oid.replace(/^sha256:/, ""), size: lfs.size },
});

/**
 * One git repository on the Hub, accessed over HTTP. The official client is not used because it commits unchanged files
 * again, cannot reference an LFS object without its bytes (which a roll-back needs), retries nothing and drops the
 * rate-limit headers.
 */
export class HubRepository {
  /** NS/NAME. */
  readonly name: string;
  readonly kind: "model" | "space";
  protected readonly deps: RepositoryDeps;
  protected readonly api: string;
  /** The base URL of its files and its LFS endpoint. */
  readonly #web: string;

  constructor(kind: "model" | "space", deps: RepositoryDeps) {
    this.name = deps.name;
    this.kind = kind;
    this.deps = deps;
    this.api = `${deps.endpoint}/api/${kind}s/${deps.name}`;
    this.#web = `${deps.endpoint}/${kind === "space" ? "spaces/" : ""}${deps.name}`;
  }

  async info(): Promise<RepositoryInfo> {
    const found = await this.get(`${this.api}/revision/main`, infoSchema);
    return {
      head: found.sha,
      sdk: found.sdk ?? null,
      private: found.private ?? false,
      disabled: found.disabled ?? false,
    };
  }

  /**
   * Every file of a revision. No revision of ours is without files, so an empty listing is asked for again.
   *
   * @throws NoAnswer if the listing stays empty
   */
  async tree(revision: string): Promise<RemoteFile[]> {
    for (let attempt = 1; ; attempt += 1) {
      const files: RemoteFile[] = [];
      let url: string | null = `${this.api}/tree/${revision}?recursive=true&expand=false`;
      while (url !== null) {
        const page: JsonReply<ListedFile[]> = await this.deps.http.jsonReply(this.#lookUp(url), z.array(listedFile));
        for (const one of page.said) if (one.type === "file") files.push(remote(one));
        url = nextPage(page.headers);
      }
      if (files.length > 0) return files;
      if (attempt >= maxListings)
        throw new NoAnswer(`the Hub lists no file of ${this.name} at ${revision.slice(0, 7)}`);
      await this.deps.http.pause(attempt);
    }
  }

  /** The newest commits of main, newest first; empty if the Hub does not show them. */
  async log(): Promise<LogEntry[]> {
    const found = await this.get(`${this.api}/commits/main?limit=50`, logSchema).catch((error: unknown) => {
      if (error instanceof HttpRefusal && error.status < 500 && error.status !== 429) return [];
      throw error;
    });
    return found.map(({ id, title, message }) => ({ id, title, message: message ?? "" }));
  }

  /** The named files that a revision contains. */
  async find(revision: string, paths: readonly string[]): Promise<FoundFile[]> {
    const found = await this.deps.http.json(
      { ...this.#posting(`${this.api}/paths-info/${revision}`, { paths, expand: true }), confirm: true },
      z.array(listedFile),
    );
    return found
      .filter(({ type }) => type === "file")
      .map((one) => ({ ...remote(one), lastCommit: one.lastCommit?.id ?? null }));
  }

  /** A small file of a revision; null if it does not exist. Its bytes must match the listing. */
  async read(revision: string, path: string, listed?: RemoteFile): Promise<Buffer | null> {
    const url = `${this.#web}/resolve/${revision}/${path.split("/").map(encodeURIComponent).join("/")}`;
    try {
      const { bytes } = await this.deps.http.call(this.#lookUp(url));
      if (listed !== undefined && listed.lfs === null && gitOid(bytes) !== listed.oid)
        throw new DeployFailure(
          "hub-bytes",
          `the Hub's ${path} at ${revision.slice(0, 7)} is not what its listing names`,
        );
      return bytes;
    } catch (error) {
      if (error instanceof HttpRefusal && error.status === 404) return null;
      throw error;
    }
  }

  /**
   * Uploads the files that the Hub stores as LFS and does not have yet.
   *
   * @param progress called with the path of each file whose bytes are sent, and how many of them have left
   * @returns how each file must be committed: the lines of the commit, in the order of the files
   */
  async upload(files: readonly TreeFile[], progress: UploadProgress): Promise<CommitLine[]> {
    const modes = new Map<string, string>();
    for (let from = 0; from < files.length; from += 100) {
      const chunk = files.slice(from, from + 100);
      const answer = await this.deps.http.json(
        this.#posting(`${this.api}/preupload/main`, {
          files: chunk.map(({ path, size, bytes }) => ({
            path,
            size,
            sample: Buffer.from(bytes.subarray(0, 512)).toString("base64"),
          })),
        }),
        preuploadSchema,
      );
      for (const { path, uploadMode } of answer.files) modes.set(path, uploadMode);
    }
    const large = files.filter(({ path }) => modes.get(path) === "lfs");
    if (large.length > 0)
      await uploadLarge(
        large,
        `${this.#web}.git/info/lfs/objects/batch`,
        { ...this.deps, token: this.token },
        progress,
      );
    return files.map(({ path, bytes, size, sha256 }) =>
      modes.get(path) === "lfs"
        ? { key: "lfsFile", value: { path, algo: "sha256", oid: sha256, size } }
        : { key: "file", value: { path, content: Buffer.from(bytes).toString("base64"), encoding: "base64" } },
    );
  }

  /**
   * Makes one commit on main. The request is sent once.
   *
   * @throws HttpRefusal 412 if main is no longer at `parent`; NoAnswer if it is unknown whether the commit was made
   */
  async commit(lines: readonly CommitLine[], parent: string, title: string, description: string): Promise<string> {
    const body = [{ key: "header", value: { summary: title, description, parentCommit: parent } }, ...lines]
      .map((line) => JSON.stringify(line))
      .join("\n");
    const { commitOid } = await this.deps.http.json<{ commitOid?: string }>({
      method: "POST",
      url: `${this.api}/commit/main`,
      repeatable: false,
      token: this.token,
      headers: { "content-type": "application/x-ndjson" },
      body,
      timeoutMs: this.deps.settings["upload-timeout"],
    });
    if (commitOid === undefined) throw new NoAnswer("the Hub's answer to the commit names none");
    return commitOid;
  }

  /** The token that clients of a private repository must send; null for none. */
  readonly token = (): Promise<string | null> => this.deps.credentials.token();

  protected get<T>(url: string, schema: z.ZodType<T>): Promise<T> {
    return this.deps.http.json(this.#lookUp(url), schema);
  }

  #lookUp(url: string): Call {
    return { method: "GET", url, repeatable: true, confirm: true, token: this.token };
  }

  #posting(url: string, body: unknown): Call {
    return {
      method: "POST",
      url,
      repeatable: true,
      token: this.token,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    };
  }
}

/** The address of a listing's next page; null on the last one. */
function nextPage(headers: Headers): string | null {
  return /<([^>]+)>;\s*rel="next"/.exec(headers.get("link") ?? "")?.[1] ?? null;
}
