import type { RepositoryApi } from "./api.ts";

const maxZipBytes = 16 * 1024 * 1024;
const maxArtifacts = 12;

/** The zips of a run's artifacts whose names begin with a text; none that is expired or larger than 16 MB. */
export async function artifactZips(
  { octokit, owner, repo }: RepositoryApi,
  { run, prefix }: { run: number; prefix: string },
): Promise<{ name: string; zip: Buffer }[]> {
  const { data } = await octokit.rest.actions.listWorkflowRunArtifacts({ owner, repo, run_id: run, per_page: 100 });
  const wanted = data.artifacts
    .filter(({ name, expired, size_in_bytes }) => name.startsWith(prefix) && !expired && size_in_bytes <= maxZipBytes)
    .slice(0, maxArtifacts);
  return Promise.all(
    wanted.map(async ({ id, name }) => {
      const zip = await octokit.rest.actions.downloadArtifact({ owner, repo, artifact_id: id, archive_format: "zip" });
      return { name, zip: Buffer.from(zip.data as ArrayBuffer) };
    }),
  );
}
