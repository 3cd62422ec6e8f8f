import { EvaluationError } from "../../models/core/errors.ts";
import { commitOf, isShallow, type Git } from "./git.ts";
import type { Base } from "./event.ts";

/** Asks GitHub for the merge base of two commits or branches; rejects when GitHub cannot tell. */
export type FindMergeBase = (base: string, head: string) => Promise<string>;

export type CommitDeps = {
  git: Git;
  /** The same git, with the token for fetching if there is one; null when there is no remote to fetch from. */
  fetching: { git: Git; remote: string } | null;
  findMergeBase: FindMergeBase | null;
  note: (text: string) => void;
};

const fetchTimeoutMs = 120_000;
const optionalFetchTimeoutMs = 30_000;
/** The remote that a clone comes from. */
export const origin = "origin";

/**
 * Turns what the event says into a commit whose files can be read here.
 *
 * In a full clone, git finds the merge base by itself. In a shallow one, `git merge-base` may be silent or wrong, so
 * GitHub is asked for the merge base and that one commit is fetched.
 *
 * @returns the commit's SHA, present in the local repository
 * @throws EvaluationError when the commit cannot be fetched, with what to change in the workflow
 */
export async function resolveBase(base: Base, deps: CommitDeps): Promise<string> {
  const commit = base.kind === "commit" ? base.commit : await mergeBase(base.base, base.head, deps);
  await ensureCommit(commit, base.kind === "commit" ? base.why : "the merge base", deps);
  return commit;
}

/** Resolves a ref that a person wrote: known in this clone, or fetched by name. */
export async function resolveRef(ref: string, deps: CommitDeps): Promise<string> {
  for (const name of [ref, `origin/${ref}`]) {
    const known = await commitOf(deps.git, name);
    if (known !== null) return known;
  }
  const failure = await fetchCommit(ref, deps);
  const fetched = failure === null ? await commitOf(deps.git, "FETCH_HEAD") : null;
  if (fetched !== null) return fetched;
  throw unreachable(`the baseline ${ref}`, failure ?? "git fetched nothing");
}

async function mergeBase(base: string, head: string, { git, findMergeBase, note }: CommitDeps): Promise<string> {
  const [localBase, localHead] = await Promise.all([
    commitOf(git, base).then((found) => found ?? commitOf(git, `origin/${base}`)),
    commitOf(git, head),
  ]);
  if (localBase !== null && localHead !== null && !(await isShallow(git))) {
    const { code, stdout } = await git(["merge-base", localBase, localHead]);
    if (code === 0) return stdout.toString("utf8").trim();
  }
  if (findMergeBase === null)
    throw unreachable("the merge base", "the clone is shallow and there is no token to ask GitHub with");
  try {
    const found = await findMergeBase(base, head);
    note(`merge base ${found.slice(0, 7)}, as GitHub tells (the clone is shallow)`);
    return found;
  } catch (error) {
    throw unreachable(
      "the merge base",
      `the clone is shallow and GitHub would not say: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

async function ensureCommit(commit: string, what: string, deps: CommitDeps): Promise<void> {
  if ((await commitOf(deps.git, commit)) !== null) return;
  const failure = await fetchCommit(commit, deps);
  if (failure !== null || (await commitOf(deps.git, commit)) === null)
    throw unreachable(`${what} (${commit.slice(0, 7)})`, failure ?? "git fetched something else");
  deps.note(`fetched ${what}, ${commit.slice(0, 7)}`);
}

/**
 * Fetches the tags that a pattern names from the clone's origin, with the commits that they are of. A tag that is here
 * already stays as it is. Null when it worked or there is no origin, otherwise the reason.
 */
export async function fetchTags(pattern: string, deps: CommitDeps): Promise<string | null> {
  if (deps.fetching?.remote !== origin) return null;
  return fetchCommit(`refs/tags/${pattern}:refs/tags/${pattern}`, deps, optionalFetchTimeoutMs);
}

/** Fetches a commit. Null when it worked, otherwise the reason. */
async function fetchCommit(
  commit: string,
  { git, fetching }: CommitDeps,
  timeoutMs = fetchTimeoutMs,
): Promise<string | null> {
  if (fetching === null) return "it is not in this clone, and there is no remote to fetch it from";
  // In a full clone, --depth would cut off history that is already there.
  const depth = (await isShallow(git)) ? ["--depth=1"] : [];
  const { code, stderr } = await fetching.git(
    ["fetch", "--no-tags", "--no-recurse-submodules", "--quiet", ...depth, "--end-of-options", fetching.remote, commit],
    { timeoutMs },
  );
  return code === 0 ? null : `git fetch: ${stderr.trim().split("\n").at(-1) ?? `exit code ${code}`}`;
}

function unreachable(what: string, why: string): EvaluationError {
  return new EvaluationError({
    code: "baseline-unreachable",
    problem: `${what} is not here and could not be fetched`,
    received: why,
    expected: "a clone that holds the commit to compare with, or a token with contents: read",
    example: "- uses: actions/checkout@v7\n  with:\n    fetch-depth: 0",
    hint: "fetch-depth: 0 in the checkout step always works",
  });
}

/**
 * The environment that lets git fetch from the server with a token. The token travels in GIT_CONFIG_* variables,
 * because every process on the machine can read a command line. The first, empty value drops a header that
 * actions/checkout may have stored: GitHub refuses two Authorization headers.
 */
export function gitCredentials(serverUrl: string, token: string): Record<string, string> {
  const key = `http.${serverUrl.replace(/\/+$/, "")}/.extraheader`;
  const basic = Buffer.from(`x-access-token:${token}`).toString("base64");
  return {
    GIT_CONFIG_COUNT: "2",
    GIT_CONFIG_KEY_0: key,
    GIT_CONFIG_VALUE_0: "",
    GIT_CONFIG_KEY_1: key,
    GIT_CONFIG_VALUE_1: `AUTHORIZATION: basic ${basic}`,
  };
}
