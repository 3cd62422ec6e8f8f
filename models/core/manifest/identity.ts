import { artifactDigest } from "./artifact-files.ts";
import { rulesIdentity } from "../rules/identity.ts";
import type { Manifest } from "./manifest.ts";

/** What a model is told by in verdicts, receipts and deployed trees. */
export function modelIdentity({ id, version, task, artifact, rules }: Manifest) {
  return { id, version, task, sha256: artifactDigest(artifact), ...rulesIdentity({ rules }) };
}
