import { readRelease } from "../../github/registry/release.ts";
import { mayHaveHappened } from "../hub/http.ts";
import type { GitHubRecords } from "./github-records.ts";

/**
 * The sha256 of the weights in a release tag's record. `sha256` is null if the record has none; the result is null if
 * there is no tag.
 */
export async function releasedAs(github: GitHubRecords, tag: string): Promise<{ sha256: string | null } | null> {
  const ref = await github.ref(`refs/tags/${tag}`);
  if (ref === null) return null;
  if (ref.type !== "tag") return { sha256: null };
  const { message } = await github.tagObject(ref.sha);
  return { sha256: readRelease(message)?.sha256 ?? null };
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
