import type { CommitStatus, Json, Repository, Routes, World } from "./world.ts";
import { notFound, paged, Refusal, userOf } from "./world.ts";

/** The repository itself, its collaborators' permissions, branch protection and commit statuses. */
export const repositoryRoutes: Routes = async (world, request) => {
  const { repository, method, rest, body, caller } = request;
  if (rest === "" && method === "GET")
    return { status: 200, body: { network_count: 0, subscribers_count: 0, ...repository.resource } };
  const permission = /^collaborators\/([^/]+)\/permission$/.exec(rest);
  if (permission !== null && method === "GET") {
    const login = decodeURIComponent(permission[1] ?? "");
    const user = world.users.get(login.toLowerCase());
    if (user === undefined) throw new Refusal(404, `${login} is not a user`);
    const role = repository.roles.get(login.toLowerCase()) ?? "read";
    const coarse = role === "maintain" ? "write" : role === "triage" ? "read" : role;
    return {
      status: 200,
      body: { permission: coarse, role_name: role, user: { ...user, role_name: role, permissions: rights(role) } },
    };
  }
  const protection = /^branches\/([^/]+)\/protection$/.exec(rest);
  if (protection !== null && method === "GET") {
    const answer = await world.emulate.call(repository.owner, "GET", `/repos/${repository.fullName}/${rest}`);
    if (answer.status !== 200) throw new Refusal(404, "Branch not protected");
    // Rules that are not set are omitted, not null.
    return {
      status: 200,
      body: Object.fromEntries(Object.entries(answer.body as Json).filter(([, value]) => value !== null)),
    };
  }
  const post = /^statuses\/([0-9a-f]{40})$/.exec(rest);
  if (post !== null && method === "POST") {
    const sha = await repository.git.commitOf(post[1] ?? "");
    if (sha === null) throw new Refusal(422, `No commit found for SHA: ${post[1]}`);
    const {
      state = "",
      context = "default",
      description = null,
      target_url: targetUrl = null,
    } = body as { state?: string; context?: string; description?: string | null; target_url?: string | null };
    if (!["error", "failure", "pending", "success"].includes(state))
      throw new Refusal(422, "Validation Failed", [{ resource: "Status", field: "state", code: "invalid" }]);
    if ((description?.length ?? 0) > 140)
      throw new Refusal(422, "Validation Failed", [
        {
          resource: "Status",
          field: "description",
          code: "custom",
          message: "description is too long (maximum is 140 characters)",
        },
      ]);
    const made: CommitStatus = {
      id: world.nextId(),
      sha,
      state,
      context,
      description,
      targetUrl,
      creator: caller.login,
      createdAt: world.now().toISOString(),
    };
    repository.statuses.push(made);
    return { status: 201, body: statusAnswer(world, repository, made) };
  }
  const of = /^commits\/([^/]+)\/(status|statuses)$/.exec(rest);
  if (of === null || method !== "GET") return null;
  const sha = await repository.git.commitOf(decodeURIComponent(of[1] ?? ""));
  if (sha === null) throw notFound();
  const all = repository.statuses.filter((status) => status.sha === sha).toReversed();
  if (of[2] === "statuses") {
    const { items, headers } = paged(world, request, all);
    return { status: 200, headers, body: items.map((status) => statusAnswer(world, repository, status)) };
  }
  const latest = all.filter((status, i) => all.findIndex(({ context }) => context === status.context) === i);
  const state = latest.some((one) => one.state === "failure" || one.state === "error")
    ? "failure"
    : latest.length === 0 || latest.some((one) => one.state === "pending")
      ? "pending"
      : "success";
  const url = `${world.origin}/repos/${repository.fullName}/commits/${sha}`;
  return {
    status: 200,
    body: {
      state,
      statuses: latest.map((status) => statusAnswer(world, repository, status)),
      sha,
      total_count: latest.length,
      repository: repository.resource,
      commit_url: url,
      url: `${url}/status`,
    },
  };
};

const rights = (role: string) => {
  const rank = ["read", "triage", "write", "maintain", "admin"].indexOf(role);
  return { pull: true, triage: rank >= 1, push: rank >= 2, maintain: rank >= 3, admin: rank >= 4 };
};

function statusAnswer(
  world: World,
  { fullName }: Repository,
  { id, sha, state, context, description, targetUrl, creator, createdAt }: CommitStatus,
): Json {
  const user = userOf(world, creator);
  return {
    id,
    node_id: `SC_${id}`,
    url: `${world.origin}/repos/${fullName}/statuses/${sha}`,
    avatar_url: user["avatar_url"],
    state,
    description,
    target_url: targetUrl,
    context,
    created_at: createdAt,
    updated_at: createdAt,
    creator: user,
  };
}
