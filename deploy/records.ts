import { z } from "zod";
import type { Verified } from "./plan.ts";
import { HttpRefusal, NoAnswer } from "./hub/http.ts";
import type { DeploymentRow, GitHubRecords } from "./record/github.ts";
import { DEPLOY_TASK, payloadSchema, type Payload } from "./record/payload.ts";

/** How far back a proved revision is looked for: each row costs one request. */
const maxDeployments = 20;

export type Past = { row: DeploymentRow; payload: Payload };

/** Our Deployments of an environment, newest first. */
export async function pastDeployments(github: GitHubRecords, environment: string | null, most = 100): Promise<Past[]> {
  const rows = await github.deployments({ task: DEPLOY_TASK, ...(environment === null ? {} : { environment }) }, most);
  return rows.flatMap((row) => {
    const payload = payloadSchema.safeParse(row.payload);
    return payload.success ? [{ row, payload: payload.data }] : [];
  });
}

/** Revisions of a Space that were proved live once, newest first, each once. */
export async function verifiedRevisions(
  github: GitHubRecords,
  environment: string,
  space: string,
  wanted = 3,
): Promise<Verified[]> {
  const found: Verified[] = [];
  for (const { row, payload } of (await pastDeployments(github, environment)).slice(0, maxDeployments)) {
    if (payload.space !== space || found.some(({ commit }) => commit === payload.spaceCommit)) continue;
    if (!(await wasProved(github, row.id))) continue;
    found.push({
      commit: payload.spaceCommit,
      model: payload.model.id,
      version: payload.model.version,
      source: `GitHub Deployment ${row.id}`,
    });
    if (found.length >= wanted) break;
  }
  return found;
}

/** A later deployment makes an earlier one inactive; that it was a success once is what counts. */
export async function wasProved(github: GitHubRecords, deployment: number): Promise<boolean> {
  return (await github.statuses(deployment)).some(({ state }) => state === "success");
}

/** The Deployment for a revision of a Space: the one that an interrupted run left behind, or a new one. */
export async function openDeployment(
  github: GitHubRecords,
  environment: string,
  payload: Payload,
  commit: string,
  description: string,
): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    const there = (await pastDeployments(github, environment, 30)).find(
      (past) =>
        past.payload.space === payload.space &&
        past.payload.spaceCommit === payload.spaceCommit &&
        past.payload.kind === payload.kind,
    );
    if (there !== undefined) return there.row.id;
    try {
      return await github.createDeployment({
        ref: commit,
        environment,
        task: DEPLOY_TASK,
        description,
        payload,
        production: /prod/i.test(environment),
      });
    } catch (error) {
      const unclear = error instanceof NoAnswer || (error instanceof HttpRefusal && error.status >= 500);
      if (!unclear || attempt >= 3) throw error;
      await github.pause(attempt);
    }
  }
}

/** The sha256 that a release tag's receipt names; null where the tag carries none. */
export async function releaseOf(github: GitHubRecords, tag: string): Promise<{ sha256: string | null } | null> {
  const ref = await github.ref(`refs/tags/${tag}`);
  if (ref === null) return null;
  if (ref.type !== "tag") return { sha256: null };
  const { message } = await github.tagObject(ref.sha);
  return { sha256: receiptIn(message)?.model.sha256 ?? null };
}

const released = z.looseObject({ model: z.looseObject({ sha256: z.string() }), verdict: z.unknown().optional() });

/** The receipt in a release tag's message: the JSON after its first line. */
export function receiptIn(message: string): z.infer<typeof released> | null {
  const from = message.indexOf("{");
  if (from < 0) return null;
  try {
    return released.parse(JSON.parse(message.slice(from)));
  } catch {
    return null;
  }
}

/** Makes the annotated tag MODEL@VERSION; leaves one that is there alone. @returns whether it is new */
export async function tagRelease(
  github: GitHubRecords,
  tag: string,
  message: string,
  commit: string,
): Promise<boolean> {
  if ((await github.ref(`refs/tags/${tag}`)) !== null) return false;
  const object = await github.createTagObject(tag, message, commit);
  try {
    return await github.createRef(`refs/tags/${tag}`, object);
  } catch (error) {
    const unclear = error instanceof NoAnswer || (error instanceof HttpRefusal && error.status >= 500);
    if (!unclear) throw error;
    await github.pause(1);
    if ((await github.ref(`refs/tags/${tag}`)) !== null) return true;
    return github.createRef(`refs/tags/${tag}`, object);
  }
}
