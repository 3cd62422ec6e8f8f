import { z } from "zod";
import { ConfigurationError } from "../../models/core/errors.ts";

const sha = z.string().regex(/^[0-9a-f]{40}$|^[0-9a-f]{64}$/);
const allZeros = /^0+$/;

const repository = z.object({ default_branch: z.string().min(1) });
const pullRequestEvent = z.object({
  pull_request: z.object({
    number: z.int().positive(),
    base: z.object({ sha, ref: z.string(), repo: z.object({ full_name: z.string() }).nullable() }),
    head: z.object({ sha, ref: z.string(), repo: z.object({ full_name: z.string() }).nullable() }),
  }),
});
const mergeGroupEvent = z.object({ merge_group: z.object({ base_sha: sha, head_sha: sha }) });
const pushEvent = z.object({ before: sha, after: sha, ref: z.string(), repository });
const anyEvent = z.object({ repository });

/** The commit that a run starts from, as the event names it, before anything is looked up. */
export type Base = { kind: "merge-base"; base: string; head: string } | { kind: "commit"; commit: string; why: string };

/** The pull request that a report belongs to. */
export type PullRequest = { number: number; fork: boolean };

/** What the event says about this run. */
export type RunContext = {
  event: string;
  baseline: Base;
  /** Where thresholds are read from: never from the change that is judged. */
  policy: Base;
  pullRequest: PullRequest | null;
  /** Why there is no pull request to comment on; null when there is one. */
  silence: string | null;
};

/**
 * Reads the event that started the workflow.
 *
 * Pull request: the merge base tells what the change left alone, because the base branch may have moved on (see
 * `standingBase` in find-baseline.ts). Baselines and thresholds are the base branch's own, so that neither the pull
 * request nor its age can loosen them. Merge group: its base, for both. Push:
 * the commit before it, for both. Manual or scheduled run: the merge base with the default branch.
 *
 * @param name GITHUB_EVENT_NAME
 * @param payload the parsed GITHUB_EVENT_PATH
 * @param commit GITHUB_SHA, which is checked out unless the workflow says otherwise
 * @param ref GITHUB_REF
 * @throws ConfigurationError for events on which a gate must not run, and for payloads that lack what is needed
 */
export function readEvent(name: string, payload: unknown, commit: string, ref: string): RunContext {
  switch (name) {
    case "pull_request": {
      const { pull_request: pr } = parse(pullRequestEvent, payload, name);
      const fork = pr.head.repo?.full_name !== pr.base.repo?.full_name;
      return {
        event: name,
        baseline: { kind: "merge-base", base: pr.base.sha, head: pr.head.sha },
        policy: { kind: "commit", commit: pr.base.sha, why: `base branch ${pr.base.ref}` },
        pullRequest: { number: pr.number, fork },
        silence: null,
      };
    }
    case "merge_group": {
      const { merge_group: group } = parse(mergeGroupEvent, payload, name);
      const base: Base = { kind: "commit", commit: group.base_sha, why: "base of the merge group" };
      return {
        event: name,
        baseline: base,
        policy: base,
        pullRequest: null,
        silence: "a merge group has no pull request of its own",
      };
    }
    case "push": {
      const push = parse(pushEvent, payload, name);
      const silence = "a push has no pull request to comment on";
      if (!allZeros.test(push.before)) {
        const base: Base = { kind: "commit", commit: push.before, why: "the commit before the push" };
        return { event: name, baseline: base, policy: base, pullRequest: null, silence };
      }
      const base = againstDefaultBranch(push.repository.default_branch, push.after, push.ref);
      return { event: name, baseline: base, policy: base, pullRequest: null, silence };
    }
    case "pull_request_target":
    case "issue_comment":
    case "workflow_run":
      // These events run with the base repository's rights. Evaluating a stranger's files there would hand over those
      // rights.
      throw new ConfigurationError({
        code: "event",
        problem: `the gate must not run on ${name}: it would read a contributor's files with the repository's own rights`,
        place: "on:",
        expected: "pull_request, merge_group, push or workflow_dispatch",
        received: name,
        example: "on: [pull_request, merge_group]",
        hint: "to comment on pull requests from forks, publish from a second workflow with actions/gate/report",
      });
    default: {
      const {
        repository: { default_branch },
      } = parse(anyEvent, payload, name);
      const base = againstDefaultBranch(default_branch, commit, ref);
      return {
        event: name,
        baseline: base,
        policy: base,
        pullRequest: null,
        silence: `${name} has no pull request to comment on`,
      };
    }
  }
}

function againstDefaultBranch(branch: string, commit: string, ref: string): Base {
  return ref === `refs/heads/${branch}`
    ? { kind: "commit", commit, why: `${branch} itself` }
    : { kind: "merge-base", base: branch, head: commit };
}

function parse<Shape extends z.ZodType>(schema: Shape, payload: unknown, name: string): z.infer<Shape> {
  const parsed = schema.safeParse(payload);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0] as z.core.$ZodIssue;
  throw new ConfigurationError({
    code: "event-payload",
    problem: `the ${name} event does not say what the gate needs`,
    place: `GITHUB_EVENT_PATH, ${issue.path.join(".")}`,
    expected: issue.message,
    hint: "run the action from a GitHub workflow, or give `baseline` as a git ref and start it by workflow_dispatch",
  });
}
