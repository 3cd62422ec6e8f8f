import { posix } from "node:path";
import { readBaseModels, type BaseModel } from "./base-models.ts";
import type { EvaluationContext } from "./context.ts";
import { isShallow, readAt, type Git } from "./git.ts";
import { parse } from "yaml";

/** A version that was deployed and proved. `without`: a folder inside `folder` that is none of it. */
export type ProvedVersion = { tag: string; commit: string; folder: string; without: string | null };

/** The newest tags of a model that are looked at. */
const maxTags = 20;

/**
 * The last version of a model that a deployment proved: the annotated tag MODEL@VERSION with its receipt.
 *
 * Whoever may push a tag could otherwise choose the baseline. So a tag is believed only when its commit belongs to the
 * history of `base`, which was let through, and when the model there has the very weights that the receipt names. Of
 * several, the one whose commit comes last in history counts, and not the one that was written last: an old version's
 * tag, written again, changes nothing.
 *
 * @param id the model's id at the base
 * @returns `note`: why tags that there are do not count; null when there is nothing to say
 */
export async function provedVersion(
  id: string,
  base: string,
  context: EvaluationContext,
): Promise<{ version: ProvedVersion | null; note: string | null }> {
  const { git, deps } = context;
  const { releases } = deps;
  if (releases === undefined) return { version: null, note: null };
  const failure = releases.fetch === null ? null : await releases.fetch(id);
  const refused: string[] = failure === null ? [] : [`they could not be fetched (${failure})`];
  let best: ProvedVersion | null = null;
  for (const { tag, commit } of await releaseTags(git, id)) {
    const later = best === null || (commit !== best.commit && (await isAncestor(git, best.commit, commit)));
    if (!later) continue;
    const ancestor = await isInHistory(commit, base, context);
    if (ancestor !== true) {
      refused.push(`${tag} ${ancestor === null ? "may not be" : "is not"} in the base branch's history`);
      continue;
    }
    const found = await modelOfTag(id, tag, commit, context);
    if (typeof found === "string") refused.push(`${tag}: ${found}`);
    else best = found;
  }
  const note =
    refused.length === 0
      ? null
      : `Tags of proved versions of ${id} that do not count: ${refused.slice(0, 3).join("; ")}${refused.length > 3 ? ` and ${refused.length - 3} more` : ""}`;
  return { version: best, note };
}

async function releaseTags(git: Git, id: string): Promise<{ tag: string; commit: string }[]> {
  const { code, stdout } = await git([
    "for-each-ref",
    `--count=${maxTags}`,
    "--sort=-creatordate",
    "--format=%(refname:strip=2) %(objecttype) %(*objecttype) %(*objectname)",
    `refs/tags/${id}@*`,
  ]);
  if (code !== 0) return [];
  return stdout
    .toString("utf8")
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([, type, of]) => type === "tag" && of === "commit")
    .map(([tag, , , commit]) => ({ tag: tag!, commit: commit! }));
}

async function isAncestor(git: Git, commit: string, of: string): Promise<boolean> {
  return (await git(["merge-base", "--is-ancestor", commit, of])).code === 0;
}

/** Null when nobody can tell: a shallow clone has no history, and GitHub was not asked or did not answer. */
async function isInHistory(commit: string, base: string, { git, deps }: EvaluationContext): Promise<boolean | null> {
  if (await isAncestor(git, commit, base)) return true;
  if (!(await isShallow(git))) return false;
  const found = await deps.releases?.findMergeBase?.(commit, base).catch(() => null);
  return found == null ? null : found === commit;
}

/** The folder of the proved model at the tag's commit, or why the tag proves nothing. */
async function modelOfTag(
  id: string,
  tag: string,
  commit: string,
  context: EvaluationContext,
): Promise<ProvedVersion | string> {
  const { git, deps, request, configuration, configFile } = context;
  const { stdout } = await git(["cat-file", "tag", `refs/tags/${tag}`]);
  const text = stdout.toString("utf8");
  const record = deps.releases?.read(text.slice(text.indexOf("\n\n") + 2)) ?? null;
  if (record === null || record.sha256 === null) return "its message has no receipt";
  if (record.model !== id || `${id}@${record.version}` !== tag)
    return `its receipt is for ${record.model} ${record.version}`;
  const reference = { kind: "commit" as const, commit, label: tag, production: false };
  const models = await readBaseModels(reference, configFile, configuration, request.root, git).catch(() => null);
  const model: BaseModel | undefined = models?.models.find((one) => one.id === id);
  if (models === null || model === undefined) return `its commit has no model ${id}`;
  const kept = posix.join(model.folder, models.production);
  for (const folder of [model.folder, kept])
    if ((await weightsAt(git, commit, folder)) === record.sha256)
      return { tag, commit, folder, without: folder === kept ? null : kept };
  return `the weights at its commit are not those of its receipt, ${record.sha256.slice(0, 12)}…`;
}

/** The digest of the weights that a model.yaml names; opening the model holds the bytes against it. */
async function weightsAt(git: Git, commit: string, folder: string): Promise<string | null> {
  const text = await readAt(git, commit, posix.join(folder, "model.yaml"));
  try {
    const manifest = text === null ? null : (parse(text) as { artifact?: { sha256?: unknown } } | null);
    return typeof manifest?.artifact?.sha256 === "string" ? manifest.artifact.sha256 : null;
  } catch {
    return null;
  }
}
