import { isLoopback } from "../../models/core/loopback.ts";
import type { Git } from "./git.ts";

/** Where a repository's LFS server is, without user and password; or why nothing is asked. */
export type LfsEndpoint = { url: URL } | { none: string };

/**
 * The address of the LFS API, in the order of git-lfs (https://github.com/git-lfs/git-lfs/blob/main/docs/api/server-discovery.md):
 * git's own settings `lfs.url` and `remote.origin.lfsurl`, then the file `.lfsconfig`, then the remote's address. The
 * `.lfsconfig` is the base's: the candidate's own could send the request, and its token, to another server.
 *
 * @param base commit whose `.lfsconfig` counts; null for none
 */
export async function lfsEndpoint(
  git: Git,
  base: string | null,
  env: Readonly<Record<string, string | undefined>>,
): Promise<LfsEndpoint> {
  const read = async (...args: string[]) => {
    const { code, stdout } = await git(args);
    return code === 0 ? stdout.toString("utf8").trim() : "";
  };
  const keys = ["lfs.url", "remote.origin.lfsurl"];
  for (const source of base === null ? [[]] : [[], ["--blob", `${base}:.lfsconfig`]]) {
    for (const key of keys) {
      const found = await read("config", ...source, "--get", key);
      if (found !== "") return checked(found);
    }
  }
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: name } = env;
  const remote = (await read("remote", "get-url", "origin")) || (server && name ? `${server}/${name}` : "");
  if (remote === "") return { none: "the clone has no remote `origin`" };
  // git@host:owner/name and ssh://git@host/owner/name: the server answers LFS at https as well.
  const address = remote
    .replace(/^(?:ssh:\/\/)?[\w.-]+@([\w.-]+)(?::\d+)?[:/](?!\/)/, "https://$1/")
    .replace(/\/+$/, "");
  return checked(`${address.endsWith(".git") ? address : `${address}.git`}/info/lfs`);
}

function checked(text: string): LfsEndpoint {
  const url = URL.parse(text);
  if (url === null || !isSecure(url)) return { none: "its address is neither https nor on this machine" };
  url.username = "";
  url.password = "";
  url.pathname = url.pathname.replace(/\/+$/, "");
  return { url };
}

/** Whether nobody on the way can read what is sent: https, or this machine. */
export function isSecure(url: URL): boolean {
  return url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url.hostname));
}
