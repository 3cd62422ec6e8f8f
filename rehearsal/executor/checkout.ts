import { existsSync } from "node:fs";
import { appendFile, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { commitOf, git } from "./git.ts";
import { isTrue, refuse, type ActionCall, type PlayedAction } from "./played-action.ts";

// Compressing a model takes longer than the rest of a job, and the pack stays on this disk.
const unpacked = "git -c pack.window=0 -c pack.compression=0 -c core.compression=0 upload-pack";
const sha1 = /^[0-9a-f]{40}$/;

/** A commit to check out, and its names in the clone. */
type Target = { sha: string; local: string; branch: string | null; shown: string };

async function targetOf(call: ActionCall, repository: string, directory: string): Promise<Target> {
  const ref = call.inputs["ref"] ?? "";
  const own = repository === call.repository;
  const asked = ref !== "" ? ref : own ? call.ref : `refs/heads/${call.platform.defaultBranch(repository)}`;
  const sha = ref === "" && own ? call.sha : await commitOf(directory, asked);
  if (sha1.test(asked)) return { sha, local: "", branch: null, shown: "" };
  const branch = asked.startsWith("refs/heads/")
    ? asked.slice(11)
    : asked.startsWith("refs/")
      ? null
      : await git(directory, ["rev-parse", "--verify", "--quiet", `refs/heads/${asked}`]).then(
          () => asked,
          () => null,
        );
  if (branch !== null) return { sha, local: `refs/remotes/origin/${branch}`, branch, shown: asked };
  if (asked.startsWith("refs/pull/"))
    return { sha, local: asked.replace("refs/", "refs/remotes/"), branch: null, shown: asked };
  return { sha, local: asked.startsWith("refs/") ? asked : `refs/tags/${asked}`, branch: null, shown: asked };
}

const patternsOf = (text: string) =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);

/**
 * As actions/checkout does since v7: refuses to check out a fork's code in a job that has the base repository's token
 * and secrets.
 */
function refuseFork(call: ActionCall, repository: string, sha: string): void {
  const from = call.event["workflow_run"] as
    | { event?: string; head_sha?: string; head_repository?: { full_name?: string; fork?: boolean } }
    | undefined;
  if (
    call.eventName !== "workflow_run" ||
    from?.event !== "pull_request" ||
    from.head_repository?.fork !== true ||
    isTrue(call, "allow-unsafe-pr-checkout")
  )
    return;
  const theirs =
    repository === from.head_repository.full_name ||
    sha === from.head_sha ||
    (call.inputs["ref"] ?? "").startsWith("refs/pull/");
  if (theirs)
    throw new Error(
      "Refusing to check out fork pull request code from a 'workflow_run' workflow. This workflow runs with the base repository's GITHUB_TOKEN, secrets, default-branch cache scope, and runner access. To opt in, set 'allow-unsafe-pr-checkout: true' on the actions/checkout step.",
    );
}

async function run(call: ActionCall): Promise<void> {
  refuse(call, checkout, [
    "ssh-key",
    "ssh-known-hosts",
    "filter",
    "lfs",
    "submodules",
    "set-safe-directory",
    "github-server-url",
  ]);
  const repository = call.inputs["repository"] || call.repository;
  const path = resolve(call.workspace, call.inputs["path"] ?? "");
  if (relative(call.workspace, path).startsWith(".."))
    throw new Error(`Repository path '${path}' is not under '${call.workspace}'`);
  const directory = call.platform.gitDirectory(repository);
  // Reading one's own repository requires a permission, as if it were private. Another one can be read if it is public,
  // or with a person's token for it: a job's own token never reaches into another repository.
  const token = call.inputs["token"] ?? "";
  const readable =
    repository === call.repository
      ? call.permissionsOf(token)?.["contents"] !== undefined
      : call.platform.isReadable(repository, token);
  if (!readable)
    throw new Error(`Not Found: the repository ${repository}: the token has no contents: read, or cannot see it`);
  if (!existsSync(directory)) throw new Error(`Not Found: the repository ${repository}`);
  const depth = Number(call.inputs["fetch-depth"] || 1);
  const sparse = patternsOf(call.inputs["sparse-checkout"] ?? "");
  const target = await targetOf(call, repository, directory);
  refuseFork(call, repository, target.sha);

  call.log(`Syncing repository: ${repository}`);
  await mkdir(path, { recursive: true });
  for (const name of await readdir(path)) await rm(join(path, name), { recursive: true, force: true });
  const here = (...args: string[]) => git(path, args, { HOME: call.env["HOME"] ?? "" });
  await here("init", "-q", "-b", "main", "--template=");
  await mkdir(join(path, ".git/info"));
  await appendFile(
    join(path, ".git/config"),
    `[remote "origin"]\n\turl = ${call.platform.serverUrl}/${repository}\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n[gc]\n\tauto = 0\n`,
  );
  const refspec = target.local === "" ? target.sha : `+${target.sha}:${target.local}`;
  const url = `file://${directory}`;
  if (depth <= 0) {
    // Objects come from the repository on disk through alternates, so nothing is copied. The refs are those of a full
    // clone.
    await appendFile(join(path, ".git/objects/info/alternates"), `${join(directory, "objects")}\n`);
    await here(
      "fetch",
      "-q",
      "--no-tags",
      url,
      "+refs/heads/*:refs/remotes/origin/*",
      "+refs/tags/*:refs/tags/*",
      ...(target.branch === null ? [refspec] : []),
    );
    // The branch may have moved on since the event.
    if (target.branch !== null) await here("update-ref", target.local, target.sha);
  } else if (sparse.length > 0) {
    // With sparse-checkout, the real action fetches blobs on demand. Here they come through alternates too.
    await appendFile(join(path, ".git/objects/info/alternates"), `${join(directory, "objects")}\n`);
    await writeFile(join(path, ".git/shallow"), `${target.sha}\n`);
    if (target.local !== "") await here("update-ref", target.local, target.sha);
  } else {
    await here(
      "fetch",
      "-q",
      "--no-tags",
      `--depth=${depth}`,
      `--upload-pack=${unpacked}`,
      url,
      refspec,
      ...(isTrue(call, "fetch-tags") ? ["+refs/tags/*:refs/tags/*"] : []),
    );
  }
  if (sparse.length > 0)
    await here("sparse-checkout", "set", isTrue(call, "sparse-checkout-cone-mode") ? "--cone" : "--no-cone", ...sparse);
  await (target.branch === null
    ? here("checkout", "-q", "--force", "--detach", target.sha)
    : here("checkout", "-q", "--force", "-B", target.branch, target.local));
  if (isTrue(call, "persist-credentials")) {
    const basic = Buffer.from(`x-access-token:${call.inputs["token"] ?? ""}`).toString("base64");
    call.mask(basic);
    await here("config", "--local", `http.${call.platform.serverUrl}/.extraheader`, `AUTHORIZATION: basic ${basic}`);
  }
  call.log(`HEAD is now at ${target.sha.slice(0, 7)}${sparse.length > 0 ? `, of it: ${sparse.join(", ")}` : ""}`);
  call.output("ref", target.shown);
  call.output("commit", target.sha);
}

/** actions/checkout: makes real clones of the platform's repositories. */
export const checkout: PlayedAction = {
  inputs: {
    repository: "",
    ref: "",
    token: "",
    "ssh-key": "",
    "ssh-known-hosts": "",
    "ssh-strict": "true",
    "ssh-user": "git",
    "persist-credentials": "true",
    path: "",
    clean: "true",
    filter: "",
    "sparse-checkout": "",
    "sparse-checkout-cone-mode": "true",
    "fetch-depth": "1",
    "fetch-tags": "false",
    "show-progress": "true",
    lfs: "false",
    submodules: "false",
    "set-safe-directory": "true",
    "github-server-url": "",
    "allow-unsafe-pr-checkout": "false",
  },
  run,
};
