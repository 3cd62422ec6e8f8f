import { readRelease, releaseTag } from "../../github/registry/release.ts";
import { mayHaveHappened } from "../hub/http.ts";
import { pastDeployments, wasProved } from "./deployments.ts";
import type { GitHubRecords } from "./github-records.ts";

/** What GitHub knows of a version that was released before. */
export type Released = {
  /** Where the release tag points; null if there is none (any more). */
  tagged: string | null;
  /** Where it was made for, by the receipt in its message or by the Deployments of the version; empty if unknown. */
  madeFor: readonly string[];
  /** The weights it was made for, by the same; null if unknown. */
  sha256: string | null;
  /** Which record says so, for messages. */
  source: string;
};

/** What is known of a version's release; null if it was never released. */
export async function releasedAs(github: GitHubRecords, model: string, version: string): Promise<Released | null> {
  const tag = releaseTag(model, version);
  const ref = await github.confirmedRef(`refs/tags/${tag}`);
  const object = ref?.type === "tag" ? await github.tagObject(ref.sha) : null;
  const receipt = object === null ? null : readRelease(object.message);
  const tagged = object?.commit ?? ref?.sha ?? null;
  if (receipt !== null && receipt.sha256 !== null && receipt.commit !== null)
    return { tagged, madeFor: [receipt.commit], sha256: receipt.sha256, source: "the tag's receipt" };
  // A tag that was moved or deleted has lost its receipt. The Deployments have not.
  const proved = [];
  for (const past of await pastDeployments(github, null)) {
    const { model: one, kind } = past.payload;
    // A roll-out is recorded at its candidate's commit.
    if (
      kind !== "rollout" &&
      one.id === model &&
      one.version === version &&
      (await wasProved(github, past.deployment.id))
    )
      proved.push(past);
  }
  const [first] = proved;
  if (first === undefined)
    return ref === null ? null : { tagged, madeFor: [], sha256: receipt?.sha256 ?? null, source: "the tag's receipt" };
  return {
    tagged,
    madeFor: [...new Set(proved.map(({ deployment }) => deployment.sha))],
    sha256: receipt?.sha256 ?? first.payload.model.sha256,
    source: `GitHub Deployment ${first.deployment.id}`,
  };
}

/** Creates the annotated tag MODEL@VERSION, unless it exists. @returns whether it is new */
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
    if (!mayHaveHappened(error)) throw error;
    await github.pause(1);
    if ((await github.ref(`refs/tags/${tag}`)) !== null) return true;
    return github.createRef(`refs/tags/${tag}`, object);
  }
}
