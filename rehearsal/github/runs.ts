import { randomBytes } from "node:crypto";
import type { RunRecord } from "../executor/platform.ts";
import { dispatch, nameOf, raiseRepositoryDispatch, workflowAnswer } from "./dispatch.ts";
import { artifactAnswer, environmentLink, jobAnswer, runAnswer, workflowId } from "./run-answers.ts";
import {
  notFound,
  paged,
  Refusal,
  type Answer,
  type Repository,
  type RepositoryRequest,
  type Routes,
  userOf,
  type World,
} from "./world.ts";

function redirectTo(world: World, give: () => Promise<Answer>): Answer {
  const path = `/_download/${randomBytes(12).toString("hex")}`;
  world.downloads.set(path, give);
  return { status: 302, headers: { location: `${world.origin}${path}` } };
}

/** The executor's workflows, runs, jobs, artifacts and waiting environments, in GitHub's format. */
export const runRoutes: Routes = async (world, request) => {
  const { repository, method, rest, body, caller, query } = request;
  if (rest === "dispatches" && method === "POST") {
    const { event_type: type = "", client_payload: payload = {} } = body as {
      event_type?: string;
      client_payload?: Record<string, unknown>;
    };
    await raiseRepositoryDispatch(world, repository, { type, payload, by: caller.login });
    return { status: 204 };
  }
  if (!rest.startsWith("actions/")) return null;
  const path = rest.slice("actions/".length);
  const runs = (world.executor?.runs ?? []).filter(
    (run) => run.repository.toLowerCase() === repository.fullName.toLowerCase(),
  );

  const workflow = /^workflows\/([^/]+)(?:\/(\w+))?$/.exec(path);
  if (path === "workflows" || workflow !== null) {
    const home = (await repository.git.commitOf(repository.defaultBranch)) ?? "";
    const files =
      (await repository.git.resolve(`${home}:.github/workflows`)) === null
        ? []
        : (await repository.git.tree(`${home}:.github/workflows`))
            .map((row) => row.path)
            .filter((file) => /\.ya?ml$/.test(file));
    const described = async (file: string) =>
      workflowAnswer(world, repository, {
        id: workflowId(repository, file),
        file,
        name: (await nameOf(repository.git, home, file)) ?? file,
      });
    if (workflow === null)
      return { status: 200, body: { total_count: files.length, workflows: await Promise.all(files.map(described)) } };
    const file = files.find(
      (one) => one === decodeURIComponent(workflow[1] ?? "") || String(workflowId(repository, one)) === workflow[1],
    );
    if (file === undefined) throw notFound();
    if (method === "GET" && workflow[2] === undefined) return { status: 200, body: await described(file) };
    if (method === "GET" && workflow[2] === "runs")
      return listRuns(
        world,
        request,
        runs.filter(({ workflowFile }) => workflowFile === file),
      );
    if (method !== "POST" || workflow[2] !== "dispatches") return null;
    const {
      ref = "",
      inputs = {},
      return_run_details: details = false,
    } = body as { ref?: string; inputs?: Record<string, unknown>; return_run_details?: boolean };
    const run = await dispatch(world, repository, { file, ref, inputs, by: caller.login });
    return details
      ? {
          status: 200,
          body: {
            workflow_run_id: run.id,
            run_url: `${world.origin}/repos/${repository.fullName}/actions/runs/${run.id}`,
            html_url: `${world.origin}/${repository.fullName}/actions/runs/${run.id}`,
          },
        }
      : { status: 204 };
  }
  if (path === "runs" && method === "GET") return listRuns(world, request, runs);
  const artifact = /^artifacts(?:\/(\d+)(?:\/(zip))?)?$/.exec(path);
  if (artifact !== null) return artifacts(world, request, runs, artifact[1], artifact[2]);
  const job = /^jobs\/(\d+)(?:\/(logs))?$/.exec(path);
  if (job !== null && method === "GET") {
    const run = runs.find(({ jobs }) => jobs.some(({ id }) => id === Number(job[1])));
    const found = run?.jobs.find(({ id }) => id === Number(job[1]));
    if (run === undefined || found === undefined) throw notFound();
    return job[2] === undefined
      ? { status: 200, body: jobAnswer(world, repository, run, found) }
      : redirectTo(world, async () => ({
          status: 200,
          raw: found.log,
          headers: { "content-type": "text/plain; charset=utf-8" },
        }));
  }
  const one = /^runs\/(\d+)(?:\/attempts\/\d+)?(?:\/(\w+))?$/.exec(path);
  if (one === null) return null;
  const run = runs.find(({ id }) => id === Number(one[1]));
  if (run === undefined) throw notFound();
  switch (`${method} ${one[2] ?? ""}`) {
    case "GET ":
      return { status: 200, body: await runAnswer(world, repository, run) };
    case "GET jobs": {
      const { items, headers } = paged(world, request, run.jobs);
      return {
        status: 200,
        headers,
        body: { total_count: run.jobs.length, jobs: items.map((each) => jobAnswer(world, repository, run, each)) },
      };
    }
    case "GET artifacts": {
      const found = run.artifacts.filter(({ name }) => query.get("name") === null || query.get("name") === name);
      const { items, headers } = paged(world, request, found);
      return {
        status: 200,
        headers,
        body: {
          total_count: found.length,
          artifacts: items.map((each) => artifactAnswer(world, repository, run, each)),
        },
      };
    }
    case "GET pending_deployments":
      return { status: 200, body: pending(world, repository, run, caller.login) };
    case "GET approvals":
      return {
        status: 200,
        body: run.reviews.map(({ environment, state, user, comment }) => ({
          environments: repository.environments
            .filter(({ name }) => name === environment)
            .map((each) => environmentLink(world, repository, each)),
          state,
          user: userOf(world, user),
          comment,
        })),
      };
    case "POST pending_deployments":
      return review(world, request, run);
    case "POST cancel": {
      if (run.status === "completed") throw new Refusal(409, "Cannot cancel a workflow run that is completed.");
      world.executor?.cancel(run.id);
      return { status: 202, body: {} };
    }
    default:
      return null;
  }
};

async function listRuns(world: World, request: RepositoryRequest, runs: readonly RunRecord[]): Promise<Answer> {
  const { repository, query } = request;
  const wanted = (name: string, ...values: (string | null)[]) =>
    query.get(name) === null || values.includes(query.get(name));
  const found = runs
    .filter(
      (run) =>
        wanted("head_sha", run.headSha) &&
        wanted("event", run.event) &&
        wanted("branch", run.headBranch) &&
        wanted("actor", run.actor) &&
        wanted("status", run.status, run.conclusion),
    )
    .toReversed();
  const { items, headers } = paged(world, request, found);
  return {
    status: 200,
    headers,
    body: {
      total_count: found.length,
      workflow_runs: await Promise.all(items.map((run) => runAnswer(world, repository, run))),
    },
  };
}

function artifacts(
  world: World,
  request: RepositoryRequest,
  runs: readonly RunRecord[],
  id: string | undefined,
  zip: string | undefined,
): Answer | null {
  const { repository, method, query } = request;
  if (method !== "GET") return null;
  const all = runs.flatMap((run) => run.artifacts.map((artifact) => ({ run, artifact })));
  if (id === undefined) {
    const found = all
      .filter(({ artifact }) => query.get("name") === null || query.get("name") === artifact.name)
      .toReversed();
    const { items, headers } = paged(world, request, found);
    return {
      status: 200,
      headers,
      body: {
        total_count: found.length,
        artifacts: items.map(({ run, artifact }) => artifactAnswer(world, repository, run, artifact)),
      },
    };
  }
  const found = all.find(({ artifact }) => artifact.id === Number(id));
  if (found === undefined) throw notFound();
  if (zip === undefined) return { status: 200, body: artifactAnswer(world, repository, found.run, found.artifact) };
  if (found.artifact.expired) throw new Refusal(410, "Artifact has expired");
  return redirectTo(world, async () => ({
    status: 200,
    raw: await world.readArtifact(found.artifact),
    headers: {
      "content-type": "application/zip",
      "content-disposition": `attachment; filename="${found.artifact.name}.zip"`,
    },
  }));
}

function pending(world: World, repository: Repository, run: RunRecord, login: string) {
  return run.pending.map(({ id, name, reviewers }) => {
    const environment = repository.environments.find((each) => each.id === id) ?? {
      id,
      name,
      createdAt: run.createdAt,
      updatedAt: run.updatedAt,
    };
    return {
      environment: environmentLink(world, repository, environment),
      wait_timer: 0,
      wait_timer_started_at: null,
      current_user_can_approve: reviewers.includes(login),
      reviewers: reviewers.map((reviewer) => ({ type: "User", reviewer: userOf(world, reviewer) })),
    };
  });
}

function review(world: World, { repository, body, caller }: RepositoryRequest, run: RunRecord): Answer {
  const {
    environment_ids: ids = [],
    state,
    comment = "",
  } = body as { environment_ids?: number[]; state?: "approved" | "rejected"; comment?: string };
  if (state !== "approved" && state !== "rejected")
    throw new Refusal(422, "Invalid request.\n\nstate is not one of approved, rejected.");
  const meant = run.pending.filter(({ id }) => ids.includes(id));
  if (meant.length === 0 || meant.length < ids.length)
    throw new Refusal(422, "No pending deployment requests to approve or reject");
  if (!meant.every(({ reviewers }) => reviewers.includes(caller.login)))
    throw new Refusal(403, "Current user is not a required reviewer");
  const own =
    meant.some(({ id }) => repository.environments.some((each) => each.id === id && each.preventSelfReview)) &&
    caller.login === run.actor;
  if (own) throw new Refusal(422, "Self-review is not allowed for this environment");
  world.executor?.review(run.id, ids, { state, user: caller.login, comment });
  return { status: 200, body: [] };
}
