import type { JobRecord, RunRecord } from "../executor/platform.ts";
import { realOf, shadowOf } from "./shadows.ts";
import { botLogin } from "./tokens.ts";
import {
  notFound,
  paged,
  Refusal,
  type Answer,
  type Json,
  type Repository,
  type RepositoryRequest,
  type Routes,
  type World,
} from "./world.ts";

const maxAnnotations = 50;
const maxCharacters = 65_535;
/** Conclusions that the emulator accepts. */
const conclusions = new Set(["success", "failure", "neutral", "cancelled", "skipped", "timed_out", "action_required"]);

type CheckRun = Json & { id: number; head_sha: string; name: string; status: string; conclusion: string | null };

/** Check runs. The emulator stores them; limits that it does not know are enforced here. */
export const checkRoutes: Routes = async (world, request) => {
  const { repository, method, rest, body, query } = request;
  const api = `/repos/${repository.fullName}`;
  const of = /^commits\/([^/]+)\/check-runs$/.exec(rest);
  if (of !== null && method === "GET") {
    const sha = await repository.git.commitOf(decodeURIComponent(of[1] ?? ""));
    if (sha === null) throw new Refusal(422, `No commit found for SHA: ${of[1]}`);
    const wanted = (name: string, value: string | null) => query.get(name) === null || query.get(name) === value;
    const found = (await checkRunsOf(world, repository, sha, query.get("filter") ?? "latest")).filter(
      (run) => wanted("check_name", run.name) && wanted("status", run.status),
    );
    const { items, headers } = paged(world, request, found);
    return { status: 200, headers, body: { total_count: found.length, check_runs: items } };
  }
  if (!/^check-runs(\/|$)/.test(rest)) return null;
  if (rest === "check-runs" && method === "POST") {
    const head = await repository.git.commitOf(String(body["head_sha"]));
    if (head === null) throw new Refusal(422, `No commit found for SHA: ${String(body["head_sha"])}`);
    return writeCheck(world, request, "POST", `${api}/check-runs`, {
      ...body,
      head_sha: await shadowOf(world, repository, head),
    });
  }
  const one = /^check-runs\/(\d+)(\/annotations)?$/.exec(rest);
  if (one === null) return null;
  const id = Number(one[1]);
  if (one[2] !== undefined && method === "GET") {
    const { items, headers } = paged(world, request, annotationsOf(repository, id));
    return { status: 200, headers, body: items };
  }
  if (method === "PATCH") return writeCheck(world, request, "PATCH", `${api}/check-runs/${id}`, body);
  if (method !== "GET") return null;
  const answer = await world.emulate.call(botLogin, "GET", `${api}/check-runs/${id}`);
  if (answer.status !== 200) throw notFound();
  return { status: 200, body: completed(world, repository, answer.body as CheckRun) };
};

async function writeCheck(
  world: World,
  { repository, caller }: RepositoryRequest,
  method: string,
  path: string,
  body: Json,
): Promise<Answer> {
  const output = body["output"] as
    | { title?: string; summary?: string; text?: string; annotations?: Json[] }
    | undefined;
  const annotations = output?.annotations ?? [];
  if (annotations.length > maxAnnotations)
    throw new Refusal(
      422,
      `Invalid request.\n\nNo more than ${maxAnnotations} items are allowed; ${annotations.length} were supplied.`,
    );
  for (const field of ["summary", "text"] as const) {
    if ((output?.[field]?.length ?? 0) > maxCharacters)
      throw new Refusal(
        422,
        `Invalid request.\n\nOnly ${maxCharacters} characters are allowed; ${output?.[field]?.length} were supplied.`,
      );
  }
  if (output !== undefined && output.summary === undefined)
    throw new Refusal(422, 'Invalid request.\n\n"summary" wasn\'t supplied.');
  const answer = await world.emulate.call(caller.login, method, path, {
    ...body,
    ...(output === undefined ? {} : { output: { ...output, annotations: [] } }),
  });
  if (answer.status >= 300) return { status: answer.status, body: answer.body };
  const run = answer.body as CheckRun;
  // GitHub appends the annotations of a later request to the earlier ones.
  const href = `${world.origin}/${repository.fullName}/blob/${realOf(repository, run.head_sha)}`;
  annotationsOf(repository, run.id).push(
    ...annotations.map((one) => ({
      start_column: null,
      end_column: null,
      title: null,
      raw_details: null,
      blob_href: `${href}/${String(one["path"])}`,
      ...one,
    })),
  );
  return { status: answer.status, body: completed(world, repository, run) };
}

/** The check runs of a real commit, in GitHub's format. */
async function checkRunsOf(world: World, repository: Repository, sha: string, filter = "latest"): Promise<CheckRun[]> {
  const shadow = repository.shadows.of.get(sha);
  if (shadow === undefined) return [];
  const { check_runs: runs } = await world.emulate.must<{ check_runs: CheckRun[] }>(
    botLogin,
    "GET",
    `/repos/${repository.fullName}/commits/${shadow}/check-runs?filter=${filter}`,
  );
  return runs.map((run) => completed(world, repository, run));
}

function completed(world: World, repository: Repository, run: CheckRun): CheckRun {
  const url = `${world.origin}/repos/${repository.fullName}/check-runs/${run.id}`;
  const sha = realOf(repository, run.head_sha);
  return {
    ...run,
    head_sha: sha,
    html_url: `${world.origin}/${repository.fullName}/runs/${run.id}`,
    output: {
      ...(run["output"] as Json),
      annotations_count: annotationsOf(repository, run.id).length,
      annotations_url: `${url}/annotations`,
    },
  };
}

const kept = new WeakMap<Repository, Map<number, Json[]>>();

function annotationsOf(repository: Repository, id: number): Json[] {
  const all = kept.get(repository) ?? new Map<number, Json[]>();
  kept.set(repository, all);
  const own = all.get(id) ?? [];
  all.set(id, own);
  return own;
}

/** Creates and updates a job's check run as GitHub Actions does. @param made job of a run → its check run and state */
export async function followCheck(
  world: World,
  repository: Repository,
  run: RunRecord,
  job: JobRecord,
  made: Map<string, { id: number; state: string }>,
): Promise<void> {
  const key = `${run.id}/${run.attempt}/${job.id}`;
  const status = job.status === "waiting" ? "queued" : job.status;
  const state = `${status}/${job.conclusion}`;
  const known = made.get(key);
  if (known?.state === state) return;
  const page = `${world.origin}/${run.repository}/actions/runs/${run.id}/job/${job.id}`;
  const fields = {
    name: job.name,
    status,
    started_at: job.startedAt ?? run.createdAt,
    details_url: page,
    external_id: `${run.id}/${job.key}`,
    ...(status === "completed"
      ? {
          conclusion: conclusions.has(job.conclusion ?? "") ? job.conclusion : "failure",
          completed_at: job.completedAt ?? run.updatedAt,
        }
      : {}),
  };
  const api = `/repos/${repository.fullName}/check-runs`;
  const { id } =
    known === undefined
      ? await world.emulate.must<CheckRun>(botLogin, "POST", api, {
          ...fields,
          head_sha: await shadowOf(world, repository, run.headSha),
        })
      : await world.emulate.must<CheckRun>(botLogin, "PATCH", `${api}/${known.id}`, fields);
  made.set(key, { id, state });
  if (status !== "completed") return;
  annotationsOf(repository, id).splice(
    0,
    Infinity,
    ...job.annotations.map(({ level, title, message, path, line }) => ({
      path: path ?? ".github",
      blob_href: `${world.origin}/${run.repository}/blob/${run.headSha}/${path ?? ".github"}`,
      start_line: line ?? 1,
      end_line: line ?? 1,
      start_column: null,
      end_column: null,
      annotation_level: level,
      title: title === "" ? null : title,
      message,
      raw_details: null,
    })),
  );
}

/**
 * Why a commit may not be merged: GitHub's words for the first required check that is not green; null if all are green.
 */
export async function missingCheck(
  world: World,
  repository: Repository,
  branch: string,
  sha: string,
): Promise<string | null> {
  const runs = await checkRunsOf(world, repository, sha);
  for (const name of repository.required.get(branch) ?? []) {
    const run = runs.find((one) => one.name === name);
    const status = repository.statuses.findLast((one) => one.sha === sha && one.context === name);
    if (run === undefined && status?.state === "success") continue;
    if (run === undefined)
      return `Required status check "${name}" is ${status === undefined ? "expected" : status.state === "pending" ? "in progress" : "failing"}.`;
    if (run.status !== "completed") return `Required status check "${name}" is in progress.`;
    if (!["success", "neutral", "skipped"].includes(run.conclusion ?? ""))
      return `Required status check "${name}" is failing.`;
  }
  return null;
}
