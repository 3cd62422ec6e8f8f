import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { RunRecord } from "./platform.ts";
import { fileExpression } from "./globs.ts";
import { isTrue, refuse, type ActionCall, type PlayedAction } from "./played-action.ts";

/** The run to read from. Reading from another run requires a token that may read the repository's runs. */
function runOf(call: ActionCall): RunRecord {
  const token = call.inputs["github-token"] ?? "";
  const repository = call.inputs["repository"] || call.repository;
  if (token === "") return call.run;
  const permissions = call.permissionsOf(token);
  if (permissions === undefined) throw new Error("Unable to download artifact(s): Bad credentials");
  if (repository === call.repository && !["read", "write"].includes(permissions["actions"] ?? "none"))
    throw new Error("Unable to download artifact(s): Resource not accessible by integration");
  const id = Number(call.inputs["run-id"] || call.run.id);
  const run = call.findRun(id);
  if (run === undefined || run.repository !== repository)
    throw new Error(`Unable to download artifact(s): Not Found: run ${id} of ${repository}`);
  return run;
}

async function run(call: ActionCall): Promise<void> {
  refuse(call, downloadArtifact, ["artifact-ids", "digest-mismatch", "skip-decompress"]);
  const { artifacts } = runOf(call);
  const kept = artifacts.filter((one) => !one.expired);
  const name = call.inputs["name"] ?? "";
  const pattern = call.inputs["pattern"] ?? "";
  const found =
    name !== ""
      ? kept.filter((one) => one.name === name)
      : pattern !== ""
        ? kept.filter((one) => fileExpression(pattern).test(one.name))
        : kept;
  if (name !== "" && found.length === 0)
    throw new Error(`Unable to download artifact(s): Artifact not found for name: ${name}`);
  const path = resolve(call.workspace, (call.inputs["path"] ?? "").replace(/^~(?=\/|$)/, call.env["HOME"] ?? "~"));
  // Since v5, a single artifact is extracted into the path itself, however it was selected.
  const flat = name !== "" || isTrue(call, "merge-multiple") || found.length === 1;
  for (const artifact of found) {
    call.log(
      `- ${artifact.name} (ID: ${artifact.id}, Size: ${artifact.sizeBytes}, Expected Digest: ${artifact.digest})`,
    );
    const target = flat ? path : join(path, artifact.name);
    await mkdir(target, { recursive: true });
    await call.artifacts.extract(artifact, target);
  }
  call.log(`Total of ${found.length} artifact(s) downloaded`);
  call.output("download-path", path);
}

/** actions/download-artifact, of this run or of another one. */
export const downloadArtifact: PlayedAction = {
  inputs: {
    name: "",
    "artifact-ids": "",
    path: "",
    pattern: "",
    "merge-multiple": "false",
    "github-token": "",
    repository: "",
    "run-id": "",
    "digest-mismatch": "error",
    "skip-decompress": "false",
  },
  run,
};
