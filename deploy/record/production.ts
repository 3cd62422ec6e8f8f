import { isProduction, productionTag, productionTagTime } from "../../github/registry/production.ts";
import { readRelease, releaseMessage } from "../../github/registry/release.ts";
import type { Deployed } from "../bundle/deployed.ts";
import type { GitHubRecords } from "./github-records.ts";
import { tagRelease } from "./release.ts";

/**
 * Writes down that production serves a version, proved: a tag of the commit that the version was made from. Nothing is
 * written for another stage, nor when the newest tag says so already.
 *
 * @param environment MODEL-STAGE
 */
export async function tagProduction(
  github: GitHubRecords,
  environment: string,
  { files: _files, ...deployed }: Deployed,
  now: Date,
): Promise<void> {
  const { model, source } = deployed;
  if (!isProduction(model.id, environment) || source.commit === null) return;
  const newest = await newestRelease(github, environment, model.id, now);
  if (newest?.version === model.version && newest.sha256 === model.sha256) return;
  const record = JSON.stringify(deployed, null, 1);
  const message = releaseMessage(model.id, model.version, record, source.commit);
  await tagRelease(github, productionTag(environment, now), message, source.commit);
}

async function newestRelease(github: GitHubRecords, environment: string, model: string, now: Date) {
  const times = (await github.refs(`refs/tags/${environment}@`)).flatMap(({ ref, sha, type }) => {
    const time = productionTagTime(model, ref.slice("refs/tags/".length));
    return time === null || type !== "tag" || time > now ? [] : [{ time: time.getTime(), sha }];
  });
  const newest = times.toSorted((a, b) => b.time - a.time)[0];
  return newest === undefined ? null : readRelease((await github.tagObject(newest.sha)).message);
}
