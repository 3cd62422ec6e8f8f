import { logLine } from "../runner/log.ts";
import { connect, once } from "../runner/step.ts";
import type { RepositoryApi } from "../../github/api.ts";
import { mergeBase } from "../../github/commits.ts";
import type { ReferenceDeps } from "../../eval/gate/references.ts";

/** A GitHub client, created when it is first needed. Most runs with a full clone never need one. */
export type Connection = () => Promise<RepositoryApi | null>;

export function connection(token: string | null, env: NodeJS.ProcessEnv): Connection {
  return once(() => connect(token, env));
}

/** The dependencies for finding the commits to compare with. */
export function referenceDeps(github: Connection, token: string | null, env: NodeJS.ProcessEnv): ReferenceDeps {
  const findMergeBase = async (base: string, head: string) => {
    const api = await github();
    if (api === null) throw new Error("GITHUB_REPOSITORY is not set");
    return mergeBase(api, base, head);
  };
  return { env, token, note: logLine, findMergeBase: token === null ? null : findMergeBase };
}
