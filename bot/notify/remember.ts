import { placeDigest } from "../../github/registry/card.ts";
import { openPullRequests, pullRequestsOf } from "../../github/pulls.ts";
import { parseRepository } from "../../github/runner.ts";
import type { Head, Origin } from "./event.ts";
import { inDeployment, inPullRequest, type Memory } from "./memory.ts";

type FinderDeps = {
  token: string | null;
  origin: Origin;
  /** The candidate's commit. */
  commit: string | null;
  deploymentId: number | null;
  chat: string;
  topic: number | null;
  env: NodeJS.ProcessEnv;
  log: (text: string) => void;
  explain: (error: unknown) => string;
};

/** GitHub gets this long for each of three things: finding the place, looking up cards, storing them. */
const timeoutMs = 20_000;

/** Gives up on a promise after `timeoutMs`: a run must end even if a server answers byte by byte. */
async function within<T>(promise: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(new Error(`GitHub did not answer within ${timeoutMs / 1000} s`));
  }, timeoutMs);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function withTimeLimit({ recall, remember, write }: Memory): Memory {
  return { recall: (model) => within(recall(model)), remember, write: () => within(write()) };
}

/**
 * Where the cards are stored, the commit's pull request if one was found, and a note on what could not be looked up.
 */
type Found = { memory: Memory | null; pullRequest: number | null; note: string | null };

/**
 * Finds where a run's cards are stored. First choice is a pull request, either the event's or the one that merged the
 * commit, so that one card follows a candidate from the gate to production. Second choice is a GitHub Deployment.
 * Without either, or without a token, every run sends a new card.
 */
export async function findMemory({
  token,
  origin,
  commit,
  deploymentId,
  chat,
  topic,
  env,
  log,
  explain,
}: FinderDeps): Promise<Found> {
  const repository = parseRepository(origin.repository ?? "");
  if (token === null || repository === null) return { memory: null, pullRequest: null, note: null };
  // Octokit is loaded only when it is needed.
  const { connectStep } = await import("../../github/step.ts");
  const api = connectStep({ token, repository, env, log });
  const openPullRequestOf = async ({ owner, branch, commit: headSha }: Head) =>
    (await openPullRequests(api, `${owner}:${branch}`)).find((one) => one.headSha === headSha)?.number ?? null;
  const place = placeDigest(chat, topic);
  let { pullRequest } = origin;
  let note: string | null = null;
  const { head } = origin;
  if (pullRequest === null && (head !== null || commit !== null)) {
    try {
      pullRequest =
        head !== null
          ? await within(openPullRequestOf(head))
          : ((await within(pullRequestsOf(api, commit as string)))[0] ?? null);
    } catch (error) {
      note = `the commit's pull request could not be looked up: ${explain(error)}`;
    }
  }
  if (pullRequest !== null) return { memory: withTimeLimit(inPullRequest(api, pullRequest, place)), pullRequest, note };
  const deployment = deploymentId ?? origin.deploymentId;
  return {
    memory: deployment === null ? null : withTimeLimit(inDeployment(api, deployment, place)),
    pullRequest: null,
    note,
  };
}
