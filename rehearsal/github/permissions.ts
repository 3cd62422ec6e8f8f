import type { Access } from "../executor/platform.ts";
import type { Caller } from "./tokens.ts";
import { notFound, Refusal, type Repository, type RepositoryRequest, type Role } from "./world.ts";

type Need = {
  /** A job needs one of these permissions. null: no job's token may do this. */
  job: readonly string[] | null;
  access: Exclude<Access, "none">;
  /** The lowest role that a person needs. `app`: people's tokens may not do this. */
  person: Role | "app";
};

/** The permission that GitHub requires for each route of a repository. The first matching entry counts. */
const needs: readonly [methods: string, path: RegExp, job: readonly string[] | null, person?: Role | "app"][] = [
  ["GET", /^$/, ["metadata"]],
  ["GET", /^collaborators\/[^/]+\/permission$/, ["metadata"], "write"],
  ["PUT DELETE GET", /^collaborators/, null, "admin"],
  ["GET POST PATCH DELETE", /^hooks/, null, "admin"],
  ["GET PUT DELETE PATCH", /^branches\/[^/]+\/protection/, null, "admin"],
  ["GET", /^environments/, ["actions"]],
  ["PUT DELETE", /^environments/, null, "admin"],
  // Any reviewer may answer, whatever their role, but no app. The route itself checks who they are.
  ["POST", /^actions\/runs\/\d+\/pending_deployments$/, null, "read"],
  ["GET", /^actions\/(runs|workflows)\/[^/]+\/timing$/, null],
  ["GET POST PUT PATCH DELETE", /^actions\/(organization-)?(secrets|variables)(\/|$)/, null, "write"],
  ["GET POST PUT DELETE", /^actions\/runners(\/|$)/, null, "admin"],
  ["GET", /^actions\//, ["actions"]],
  ["POST PUT DELETE", /^actions\//, ["actions"], "write"],
  ["GET", /^commits\/[^/]+\/pulls$/, ["pull-requests"]],
  ["GET", /^commits\/[^/]+\/(status|statuses)$/, ["statuses"]],
  ["POST", /^statuses\//, ["statuses"], "write"],
  ["GET", /^(check-runs|check-suites|commits\/[^/]+\/check-(runs|suites))/, ["checks"]],
  ["POST PATCH", /^check-(runs|suites)/, ["checks"], "app"],
  ["GET", /^deployments/, ["deployments"]],
  ["POST", /^dispatches$/, ["contents"], "write"],
  ["POST DELETE", /^deployments/, ["deployments"], "write"],
  ["PUT", /^pulls\/\d+\/merge$/, ["contents"], "write"],
  ["PUT", /^pulls\/\d+\/update-branch$/, null, "write"],
  ["POST", /^pulls\/\d+\/(codespaces|comments\/\d+\/replies)$/, null],
  ["GET", /^pulls/, ["pull-requests"]],
  ["POST PATCH", /^pulls/, ["pull-requests"]],
  ["GET POST", /^issues$/, ["issues"]],
  ["GET", /^issues\/\d+(\/reactions)?$/, ["issues"]],
  // The comments of a pull request are those of its issue.
  ["GET", /^issues/, ["issues", "pull-requests"]],
  ["POST PATCH DELETE", /^issues/, ["issues", "pull-requests"]],
  ["GET", /^(git|commits|compare|contents|branches|tags|releases|readme)(\/|$)/, ["contents"]],
  ["POST PATCH PUT DELETE", /^(git|contents|releases|merges)(\/|$)/, ["contents"], "write"],
];

const ranks: readonly Role[] = ["read", "triage", "write", "maintain", "admin"];

function needOf(method: string, rest: string): Need {
  const found = needs.find(([methods, path]) => methods.split(" ").includes(method) && path.test(rest));
  if (found === undefined) throw notFound();
  const [, , job, person = "read"] = found;
  return { job, access: method === "GET" ? "read" : "write", person };
}

/** Whether a caller can see a private repository. A job's token never reaches into another one than its own. */
export const canSee = (repository: Repository, caller: Caller): boolean =>
  caller.kind === "job"
    ? caller.repository.toLowerCase() === repository.fullName.toLowerCase()
    : repository.roles.has(caller.login.toLowerCase());

/** @throws Refusal with GitHub's words if the caller may not do this */
export function requirePermission({ method, rest, caller, repository }: RepositoryRequest): void {
  const need = needOf(method, rest);
  if (repository.private && !canSee(repository, caller)) throw new Refusal(404, "Not Found");
  if (caller.kind === "anonymous") {
    if (need.access === "write") throw new Refusal(401, "Requires authentication");
    return;
  }
  if (caller.kind === "job") {
    const granted = (name: string): boolean =>
      name === "metadata" ||
      caller.permissions[name] === "write" ||
      (need.access === "read" && caller.permissions[name] === "read");
    const own = caller.repository.toLowerCase() === repository.fullName.toLowerCase();
    // Repositories other than the caller's own are public, so anybody may read them.
    if (!own && need.access === "read" && need.job !== null) return;
    if (!own || need.job === null || !need.job.some(granted))
      throw new Refusal(403, "Resource not accessible by integration");
    return;
  }
  if (need.person === "app") throw new Refusal(403, "You must authenticate via a GitHub App.");
  const role = repository.roles.get(caller.login.toLowerCase()) ?? "read";
  if (ranks.indexOf(role) < ranks.indexOf(need.person))
    throw new Refusal(
      need.person === "admin" ? 404 : 403,
      need.person === "admin"
        ? "Not Found"
        : `Must have ${need.person === "write" ? "push" : need.person} access to Repository.`,
    );
}
