import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { describe, expect, it } from "vitest";
import type { Permissions } from "../../../rehearsal/executor/platform.ts";
import { permissionsOf } from "../../../rehearsal/executor/permissions.ts";
import { readWorkflow } from "../../../rehearsal/executor/workflow.ts";
import { requirePermission } from "../../../rehearsal/github/permissions.ts";
import type { Caller } from "../../../rehearsal/github/tokens.ts";
import type { Repository, RepositoryRequest } from "../../../rehearsal/github/world.ts";

// The stand-in may refuse more than GitHub, never less. GitHub's own descriptions are @octokit/app-permissions (which
// permission a route needs), @octokit/openapi (which routes an app may use at all) and the schema in
// @actions/workflow-parser (names of permissions, activity types).

const require = createRequire(import.meta.url);
const read = (file: string) => JSON.parse(readFileSync(require.resolve(file), "utf8")) as never;

type Route = { method: string; template: string };
const published = (
  read("@octokit/app-permissions/generated/api.github.com.json") as {
    permissions: Record<string, { read: string[]; write: string[] }>;
  }
).permissions;
const described = (
  read("@octokit/openapi/generated/api.github.com.json") as {
    paths: Record<string, Record<string, { "x-github"?: { enabledForGitHubApps?: boolean } }>>;
  }
).paths;
const root = "/repos/{owner}/{repo}";

/** An address of a route, with a value for each of its parameters. */
const restOf = (template: string) =>
  template
    .slice(root.length + 1)
    .replaceAll(/\{(\w+)\}/g, (_, name: string) => (/_id$|number$/.test(name) ? "7" : "x"));

const octo = { fullName: "octo/models", private: true, roles: new Map() } as unknown as Repository;
const job = (permissions: Permissions, repository = "octo/models"): Caller => ({
  kind: "job",
  login: "github-actions[bot]",
  repository,
  permissions,
  runId: 1,
  jobId: 1,
  token: "ghs_x",
});

function allowed({ method, template }: Route, caller: Caller): boolean {
  try {
    requirePermission({ method, rest: restOf(template), caller, repository: octo } as RepositoryRequest);
    return true;
  } catch {
    return false;
  }
}

const everything = permissionsOf("write-all", undefined, null);
const without = (...names: string[]): Permissions =>
  Object.fromEntries(Object.entries(everything).filter(([name]) => !names.includes(name)));
const only = (name: string, access: "read" | "write"): Permissions => ({ [name]: access });

/** The routes of a repository, each with the permissions of which it needs one. What anybody may read is left out. */
const routes = [
  ...Map.groupBy(
    Object.entries(published).flatMap(([permission, { read: reads, write: writes }]) =>
      [
        ...reads.map((route) => ({ route, access: "read" })),
        ...writes.map((route) => ({ route, access: "write" })),
      ].map((one) => ({ ...one, permission: permission.replaceAll("_", "-") })),
    ),
    ({ route }) => route,
  ),
].flatMap(([route, needs]) => {
  const [method = "", template = ""] = route.split(" ");
  // "Single file" is no permission of a job.
  const isOther = needs.every(({ permission }) => permission === "single-file");
  const isOpen = !template.startsWith(`${root}/`) || needs.some(({ permission }) => permission === "metadata");
  const permissions = needs.map(({ permission }) => permission);
  return isOpen || isOther
    ? []
    : [{ method, template, permissions, writes: needs.every(({ access }) => access === "write") }];
});

describe("a job's token", () => {
  it("is described for the routes that are played here", () => {
    expect(routes.length).toBeGreaterThan(150);
    const played = routes.filter((route) => allowed(route, job(everything)));
    for (const name of ["actions", "checks", "contents", "deployments", "issues", "pull-requests", "statuses"])
      expect(played.flatMap(({ permissions }) => permissions)).toContain(name);
  });

  it("without the permission that a route needs is refused, whatever else it may do", () => {
    const lenient = routes.filter((route) => allowed(route, job(without(...route.permissions))));
    expect(
      lenient.map(({ method, template, permissions }) => `${method} ${template}: ${permissions.join(" or ")}`),
    ).toEqual([]);
  });

  it("that may only read writes nothing", () => {
    const lenient = routes.filter(
      (route) => route.writes && allowed(route, job(permissionsOf("read-all", undefined, null))),
    );
    expect(lenient.map(({ method, template }) => `${method} ${template}`)).toEqual([]);
  });

  it("reaches into no other private repository", () => {
    const lenient = routes.filter((route) => allowed(route, job(everything, "octo/other")));
    expect(lenient.map(({ method, template }) => `${method} ${template}`)).toEqual([]);
  });

  it("is refused where GitHub takes no app", () => {
    const closed = Object.entries(described).flatMap(([template, methods]) =>
      Object.entries(methods)
        .filter(([, one]) => template.startsWith(`${root}/`) && one["x-github"]?.enabledForGitHubApps === false)
        .map(([method]) => ({ method: method.toUpperCase(), template })),
    );
    expect(closed.length).toBeGreaterThan(5);
    expect(closed.filter((route) => allowed(route, job(everything)))).toEqual([]);
  });
});

it("`contents: read` is the permission of the default token: it reads files and nothing else", () => {
  const readable = routes.filter((route) => allowed(route, job(only("contents", "read"))));
  expect(readable.filter(({ permissions }) => !permissions.includes("contents"))).toEqual([]);
  expect(new Set(readable.map(({ method }) => method))).toEqual(new Set(["GET"]));
});

type Definitions = Record<string, { mapping?: { properties?: Record<string, unknown> }; "allowed-values"?: string[] }>;
const parser = new URL("workflow-v1.0.min.json", import.meta.resolve("@actions/workflow-parser"));
const { definitions } = JSON.parse(readFileSync(parser, "utf8")) as { definitions: Definitions };

describe("a workflow's permissions", () => {
  const names = Object.keys(definitions["permissions-mapping"]?.mapping?.properties ?? {}).toSorted();

  it("write-all grants no name that GitHub does not know", () => {
    expect(names.length).toBeGreaterThan(10);
    expect(Object.keys(everything).filter((name) => !names.includes(name))).toEqual([]);
  });

  it.each([
    ["a name that does not exist", "{ content: read }"],
    ["an access that does not exist", "{ contents: admin }"],
    ["write access to what can only be granted or not", "{ models: write }"],
  ])("is refused: %s", async (_, permissions) => {
    const file = `on: push\npermissions: ${permissions}\njobs: { one: { runs-on: ubuntu-24.04, steps: [{ run: 'true' }] } }\n`;
    expect((await readWorkflow("one.yml", file)).errors).not.toEqual([]);
  });
});

describe("an event's activity types", () => {
  it.each(["pull_request", "workflow_run", "merge_group", "issue_comment", "release"])(
    "%s: those that GitHub knows are read, another one is refused",
    async (event) => {
      const types = definitions[`${event.replaceAll("_", "-")}-activity-type`]?.["allowed-values"] ?? [];
      expect(types.length).toBeGreaterThan(0);
      const errors = async (some: readonly string[]) =>
        (
          await readWorkflow(
            "one.yml",
            `on: { ${event}: { types: [${some.join(", ")}]${event === "workflow_run" ? ", workflows: [a]" : ""} } }\njobs: { one: { runs-on: ubuntu-24.04, steps: [{ run: 'true' }] } }\n`,
          )
        ).errors;
      expect(await errors(types)).toEqual([]);
      expect(await errors(["merged_by_magic"])).not.toEqual([]);
    },
  );

  it("an event that does not exist is refused", async () => {
    const file = "on: pull_requests\njobs: { one: { runs-on: ubuntu-24.04, steps: [{ run: 'true' }] } }\n";
    expect((await readWorkflow("one.yml", file)).errors).not.toEqual([]);
  });
});
