import { createHash } from "node:crypto";
import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { refuse, type ActionCall, type PlayedAction } from "./played-action.ts";

const signing = ["id-token", "attestations"];

async function run(call: ActionCall): Promise<void> {
  refuse(
    call,
    attest,
    Object.keys(attest.inputs).filter((name) => name !== "subject-path" && name !== "github-token"),
  );
  const permissions = call.permissionsOf(call.inputs["github-token"] ?? "");
  for (const name of signing)
    if (permissions?.[name] !== "write")
      throw new Error(
        `Failed to get ID token, or Resource not accessible by integration: the job needs ${name}: write`,
      );
  const patterns = (call.inputs["subject-path"] ?? "").split(/[\n,]/).map((line) => line.trim());
  const found: string[] = [];
  for (const pattern of patterns.filter((one) => one !== ""))
    for await (const path of glob(pattern, { cwd: call.workspace })) found.push(path);
  if (found.length === 0) throw new Error(`Could not find subject at path ${call.inputs["subject-path"] ?? ""}`);
  for (const path of found.toSorted()) {
    const digest = createHash("sha256")
      .update(await readFile(join(call.workspace, path)))
      .digest("hex");
    call.log(`attested ${path} sha256:${digest}`);
  }
}

/** actions/attest-build-provenance: nothing is signed here; the log names every file and its digest. */
export const attest: PlayedAction = {
  inputs: {
    "subject-path": "",
    "subject-digest": "",
    "subject-name": "",
    "subject-checksums": "",
    "predicate-type": "",
    predicate: "",
    "predicate-path": "",
    "push-to-registry": "false",
    "create-storage-record": "true",
    "show-summary": "true",
    "github-token": "",
  },
  run,
};
