import type { GitHubRecords } from "./record/github-records.ts";
import { readRelease } from "../github/registry/release.ts";
import { pastDeployments } from "./record/deployments.ts";

type VersionHistory = {
  version: string;
  sha256: string | null;
  commit: string;
  releasedBy: string;
  releasedAt: string;
  verdict: string | null;
  /** The environments in which this version is the last proved one. */
  live: string[];
};
type DeploymentHistory = {
  at: string;
  environment: string;
  kind: string;
  version: string;
  state: string;
  by: string;
  reason: string;
  space: string;
  spaceCommit: string;
};
type History = { model: string; versions: VersionHistory[]; deployments: DeploymentHistory[] };

const maxShown = 30;

/** What GitHub has recorded about a model: its release tags and our Deployments, newest first. */
export async function historyOf(github: GitHubRecords, model: string): Promise<History> {
  const deployments: DeploymentHistory[] = [];
  const live = new Map<string, string>();
  const past = (await pastDeployments(github, null))
    .filter(({ payload }) => payload.model.id === model)
    .slice(0, maxShown);
  for (const { deployment, payload } of past) {
    const states = await github.states(deployment.id);
    const state = states.includes("success") ? "success" : (states[0] ?? "pending");
    if (state === "success" && !live.has(deployment.environment))
      live.set(deployment.environment, payload.model.version);
    deployments.push({
      at: deployment.createdAt,
      environment: deployment.environment,
      kind: payload.kind,
      version: payload.model.version,
      state,
      by: payload.actor,
      reason: payload.reason,
      space: payload.space,
      spaceCommit: payload.spaceCommit,
    });
  }
  const versions: VersionHistory[] = [];
  for (const { ref, sha, type } of await github.refs(`refs/tags/${model}@`)) {
    const version = ref.slice(`refs/tags/${model}@`.length);
    const environments = [...live].filter(([, one]) => one === version).map(([environment]) => environment);
    if (type !== "tag") {
      versions.push({
        version,
        sha256: null,
        commit: sha,
        releasedBy: "unknown",
        releasedAt: "",
        verdict: null,
        live: environments,
      });
      continue;
    }
    const { message, tagger, date, commit } = await github.tagObject(sha);
    const release = readRelease(message);
    versions.push({
      version,
      sha256: release?.sha256 ?? null,
      commit,
      releasedBy: tagger,
      releasedAt: date,
      verdict: release?.verdict ?? null,
      live: environments,
    });
  }
  return {
    model,
    versions: versions.toSorted((a, b) => b.version.localeCompare(a.version, "en", { numeric: true })),
    deployments,
  };
}

export function describeHistory({ model, versions, deployments }: History): string {
  const lines = [
    versions.length === 0
      ? `${model}: no version was released yet`
      : `${model}: ${versions.length} version${versions.length === 1 ? "" : "s"}`,
  ];
  for (const { version, sha256, commit, releasedBy, releasedAt, verdict, live } of versions)
    lines.push(
      `  ${version}  ${verdict ?? "no verdict"}  sha256 ${sha256?.slice(0, 12) ?? "unknown"}  commit ${commit.slice(0, 7)}  ${releasedAt} by ${releasedBy}${live.length === 0 ? "" : `  live in ${live.join(", ")}`}`,
    );
  if (deployments.length > 0) lines.push("deployments, newest first:");
  for (const { at, environment, kind, version, state, by, reason, space, spaceCommit } of deployments)
    lines.push(
      `  ${at}  ${environment}  ${kind} ${version}  ${state}  ${space}@${spaceCommit.slice(0, 7)}  by ${by}${reason === "" ? "" : `: ${reason}`}`,
    );
  return lines.join("\n");
}
