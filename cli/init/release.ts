import { readFileSync } from "node:fs";
import { join, resolve, dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { repositoryIn } from "../../deploy/record/repository.ts";
import type { SuiteRelease } from "../../eval/init/workflows.ts";
import { fullName } from "../../github/runner.ts";
import { sluiceVersion } from "../../models/core/version.ts";

/** The release that this command line is of: an installed package names it, a clone has an origin. Null where neither does. */
export async function ownRelease(module: string, env: NodeJS.ProcessEnv): Promise<SuiteRelease | null> {
  const file = fileURLToPath(module);
  if (file.endsWith(".ts")) {
    const { GITHUB_REPOSITORY: _others, ...own } = env;
    const repository = await repositoryIn(resolve(dirname(file), "../.."), own).catch(() => null);
    return repository === null ? null : { repository: fullName(repository), version: sluiceVersion, commit: null };
  }
  const { sluice } = JSON.parse(readFileSync(join(dirname(file), "../package.json"), "utf8")) as {
    sluice?: { repository: string; commit?: string };
  };
  return sluice === undefined
    ? null
    : { repository: sluice.repository, version: sluiceVersion, commit: sluice.commit ?? null };
}
