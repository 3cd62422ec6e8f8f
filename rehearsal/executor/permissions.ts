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
/** The repository setting "read repository contents and packages", the default for new repositories. */
const repositoryDefault: Permissions = { contents: "read", packages: "read" };
const rank: Record<Access, number> = { none: 0, read: 1, write: 2 };

/** The permissions in a `permissions:` key; undefined if there is no key. */
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

/** The job's key counts, otherwise its workflow's, otherwise the caller's, otherwise the repository's default. */
export function permissionsOf(
  workflow: PermissionsText | undefined,
  job: PermissionsText | undefined,
  caller: Permissions | null,
): Permissions {
  return written(job) ?? written(workflow) ?? caller ?? repositoryDefault;
}

/** The requested permissions, such as "id-token: write", that exceed what the caller may give. */
export function beyond(asked: Permissions, allowed: Permissions): string[] {
  return Object.entries(asked)
    .filter(([name, access]) => rank[access] > rank[allowed[name] ?? "none"])
    .map(([name, access]) => `${name}: ${access}`);
}

/** The permissions of a fork's pull request: at most read access, and no ID token. */
export function withoutWrite(permissions: Permissions): Permissions {
  return Object.fromEntries(
    Object.entries(permissions)
      .filter(([name]) => name !== "id-token")
      .map(([name, access]) => [name, access === "write" ? "read" : access]),
  );
}
