import { posix } from "node:path";
import { ConfigurationError } from "../../models/core/errors.ts";
import { treeDigest } from "../../models/core/tree-digest.ts";
import { CANDIDATE_DIR, controlKey, digestOf, ROLLOUT_FILE, rolloutId } from "../../models/core/rollout/plan.ts";
import { writtenSettings, type RolloutSettings } from "../../models/core/rollout/settings.ts";
import { DEPLOYED_FILE, GOLDEN_FILE, type Deployed } from "./deployed.ts";
import { deployedFile, treeFile, type Tree } from "./tree.ts";

/** Files that say which version a tree is, and the model's own. Everything else is the server's, and is shared. */
const isVersions = (path: string): boolean =>
  path.startsWith("models/") || path === "README.md" || path === GOLDEN_FILE || path === DEPLOYED_FILE;

/**
 * The tree of a Space that holds both: the live version where it was, under the candidate's server, and below
 * `candidate/` what makes the candidate's own tree. To the outside it is the live version: it is proved, recorded and
 * gone back to as such. Pure.
 *
 * @param live the tree that serves now; files of it that are unchanged need no bytes
 * @param secret what the key of the roll-out is made from
 * @throws ConfigurationError where the two cannot stand side by side
 */
export function withCandidate(live: Tree, candidate: Tree, settings: RolloutSettings, secret: string): Tree {
  const { model } = live.deployed;
  const next = candidate.deployed;
  const refuse = (problem: string, expected: string, received: string) =>
    new ConfigurationError({
      code: "rollout-candidate",
      place: `a roll-out of ${model.id}`,
      problem,
      expected,
      received,
    });
  if (next.model.id !== model.id) throw refuse("the Space serves another model", next.model.id, model.id);
  if (next.model.version === model.version)
    throw refuse("the candidate is the version that serves already", "another version", model.version);
  if (next.weights !== undefined)
    throw refuse("the candidate's weights lie in a model repository", "weights in the tree", next.weights.hub);
  const describe = ({ source, ...of }: Deployed) => ({
    version: of.model.version,
    sha256: of.model.sha256,
    commit: source.commit,
  });
  const record = candidate.files.find(({ path }) => path === DEPLOYED_FILE)!;
  const { rollout: _before, ...own } = live.deployed;
  // Files of an earlier roll-out are no part of the live version.
  const { files: _files, ...identity } = own;
  const id = rolloutId(JSON.stringify(identity), treeDigest(record.bytes));
  const key = controlKey(secret, id);
  const plan = {
    schemaVersion: 1,
    id,
    model: model.id,
    baseline: describe(live.deployed),
    candidate: describe(next),
    controlSha256: digestOf(key),
    settings: writtenSettings(settings),
  };
  const files = [
    ...candidate.files.map((file) =>
      isVersions(file.path) ? { ...file, path: posix.join(CANDIDATE_DIR, file.path) } : file,
    ),
    ...live.files.filter(({ path }) => isVersions(path) && path !== DEPLOYED_FILE),
    treeFile(ROLLOUT_FILE, Buffer.from(`${JSON.stringify(plan, null, 1)}\n`)),
  ].toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const deployed: Deployed = {
    ...own,
    server: next.server,
    rollout: {
      id,
      candidate: { model: next.model, source: next.source, verdict: next.verdict },
    },
    files: Object.fromEntries(files.map(({ path, sha256 }) => [path, sha256])),
  };
  return {
    files: [...files, deployedFile(deployed)],
    deployed,
    golden: live.golden,
    candidate: { golden: candidate.golden, version: next.model.version, key },
  };
}
