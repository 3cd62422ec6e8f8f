import type { Access, Permissions } from "./platform.ts";
import type { PermissionsText } from "./workflow.ts";

const known = [
  "actions",
  "attestations",
  "checks",
  "contents",
  "deployments",
  "discussions",
  "id-token",
  "issues",
  "models",
  "packages",
  "pages",
  "pull-requests",
  "repository-projects",
  "security-events",
  "statuses",
];
/** A repository's setting "read repository contents and packages", the default of new ones. */
const repositoryDefault: Permissions = { contents: "read", packages: "read" };
const rank: Record<Access, number> = { none: 0, read: 1, write: 2 };

/** What a `permissions:` key says; undefined when there is none. */
function written(text: PermissionsText | undefined): Permissions | undefined {
  if (text === undefined) return undefined;
  if (text === null) return {};
  if (text === "read-all" || text === "write-all") {
    const access = text === "read-all" ? "read" : "write";
    return Object.fromEntries(
      known.filter((name) => text === "write-all" || name !== "id-token").map((name) => [name, access]),
    );
  }
  return Object.fromEntries(
    Object.entries(text as Record<string, string>).filter(([, access]) => access !== "none"),
  ) as Permissions;
}

/** The job's key counts, else its workflow's, else the caller's, else the repository's default. */
export function permissionsOf(
  workflow: PermissionsText | undefined,
  job: PermissionsText | undefined,
  caller: Permissions | null,
): Permissions {
  return written(job) ?? written(workflow) ?? caller ?? repositoryDefault;
}

/** "id-token: write" and the like, as far as they go beyond what the caller may give. */
export function beyond(asked: Permissions, allowed: Permissions): string[] {
  return Object.entries(asked)
    .filter(([name, access]) => rank[access] > rank[allowed[name] ?? "none"])
    .map(([name, access]) => `${name}: ${access}`);
}

/** A fork's pull request reads at most, and gets no identity. */
export function withoutWrite(permissions: Permissions): Permissions {
  return Object.fromEntries(
    Object.entries(permissions)
      .filter(([name]) => name !== "id-token")
      .map(([name, access]) => [name, access === "write" ? "read" : access]),
  );
}
