import { repositoryIn } from "../../deploy/record/repository.ts";
import { apiUrlOf, fullName } from "../../github/runner.ts";
import { ask, broken, ok, warning, type DoctorDeps, type Finding } from "./finding.ts";

/** What the product reads on GitHub, and the fine-grained permission for it. */
const readings = [
  { path: "actions/runs?per_page=1", permission: "actions" },
  { path: "deployments?per_page=1", permission: "deployments" },
  { path: "pulls?per_page=1", permission: "pull-requests" },
] as const;

export async function githubToken({ root, env, fetch: transport }: DoctorDeps): Promise<Finding[]> {
  const name = "GITHUB_TOKEN";
  const token = env[name];
  const repository = await repositoryIn(root, env);
  if (!token)
    return [
      warning(
        name,
        "is not set",
        "the gate works without; deploying, rolling back, finding cards again and the bot need it: GITHUB_TOKEN=$(gh auth token)",
      ),
    ];
  if (repository === null)
    return [
      warning(
        name,
        "is set, but there is no repository to try it on",
        "add the remote, or set GITHUB_REPOSITORY=OWNER/NAME",
      ),
    ];
  const repositoryName = fullName(repository);
  const api = `${apiUrlOf(env).replace(/\/+$/, "")}/repos/${repositoryName}`;
  const get = (path: string) =>
    ask(transport, `${api}${path}`, {
      token,
      headers: { accept: "application/vnd.github+json", "user-agent": "sluice-doctor" },
    });
  const answer = await get("");
  if (!answer.reached) return [warning(name, `was not checked: ${answer.why}`, "try again with a network")];
  if (answer.status === 401)
    return [broken(name, "GitHub does not know it: wrong, expired or revoked", "make a new one, or `gh auth login`")];
  if (answer.status === 404)
    return [broken(name, `it does not see ${repositoryName}`, "give the token this repository, or correct the remote")];
  if (answer.status >= 400)
    return [
      warning(
        name,
        `GitHub answers ${answer.status}`,
        answer.status === 403 || answer.status === 429
          ? "a rate limit, or an organisation that wants SSO: try later, or authorize the token"
          : "try again later",
      ),
    ];
  const { push = false, admin = false } =
    (answer.body as { permissions?: { push?: boolean; admin?: boolean } } | null)?.permissions ?? {};
  const asked = await Promise.all(
    readings.map(async ({ path, permission }) => ({ permission, answer: await get(`/${path}`) })),
  );
  const refused = asked
    .filter((one) => one.answer.reached && one.answer.status === 403)
    .map(({ permission }) => permission);
  const role = admin ? "admin" : push ? "write" : "read";
  return [
    push || admin
      ? ok(name, `${repositoryName}: ${role}`)
      : warning(
          name,
          `${repositoryName}: it may only read`,
          "deploying, locks, cards and the bot write: contents, deployments, pull-requests and actions, each write",
        ),
    ...(refused.length === 0
      ? []
      : [
          warning(
            `${name} rights`,
            `it may not read ${refused.join(", ")}`,
            `give the token ${refused.map((one) => `${one}: write`).join(", ")}`,
          ),
        ]),
  ];
}
