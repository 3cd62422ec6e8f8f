import { testSetWear } from "../stats/test-set-wear.ts";
import type { ModelVerdict } from "../schema/verdict.ts";
import type { Git } from "./git.ts";
import { tagsMatching } from "./proved-version.ts";
import type { ReleaseRecords } from "./releases.ts";

/** Tags beyond these are not read: the count is a lower bound anyway. */
const maxTags = 500;

/**
 * How worn the test set is, by the receipts in the tags that this clone has: different weights that the same rows have
 * judged, this candidate among them. Who may push a tag can only make it look more worn.
 *
 * @param rows that were judged
 * @returns null where no tag tells of another candidate
 */
export async function wearOf(
  model: string,
  sha256: string,
  dataset: { digest: string; rows: number },
  { git, releases }: { git: Git; releases: ReleaseRecords | undefined },
): Promise<NonNullable<ModelVerdict["wear"]> | null> {
  if (releases === undefined || dataset.rows < 1) return null;
  const patterns = [`${model}@*`, `${releases.prefix(model)}*`];
  const tags = (await Promise.all(patterns.map((pattern) => tagsMatching(git, pattern)))).flat();
  const weights = new Set([sha256]);
  for (const { tag, type } of tags.slice(0, maxTags)) {
    if (type !== "tag") continue;
    const { stdout } = await git(["cat-file", "tag", `refs/tags/${tag}`]);
    const text = stdout.toString("utf8");
    const record = releases.read(text.slice(text.indexOf("\n\n") + 2));
    if (record?.model === model && record.sha256 !== null && record.dataset?.digest === dataset.digest)
      weights.add(record.sha256);
  }
  if (weights.size < 2) return null;
  const { candidates, rows, optimism, adaptiveOptimism } = testSetWear(weights.size, dataset.rows);
  return { candidates, rows, optimism, adaptiveOptimism };
}
