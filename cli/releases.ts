import type { ReleaseRecords } from "../eval/gate/releases.ts";
import { productionTagPrefix, productionTagTime } from "../github/registry/production.ts";
import { readRelease } from "../github/registry/release.ts";

/** What production served, by the tags that this clone has. The command line fetches nothing. */
export const releases: ReleaseRecords = {
  prefix: productionTagPrefix,
  timeOf: productionTagTime,
  read: readRelease,
  fetch: null,
  findMergeBase: null,
};
