import { posix } from "node:path";
import { readBaseModels, type BaseModel } from "./base-models.ts";
import type { EvaluationContext } from "./context.ts";
import { digestNamed } from "./digest-named.ts";
import { loadManifest } from "../../models/core/predictor/load.ts";
import { layOutModel } from "./lay-out-model.ts";
import type { ReleaseRecords } from "./releases.ts";
import { isShallow, readAt, type Git } from "./git.ts";
import { parse } from "yaml";

/** A version that production served. `without`: a folder inside `folder` that is none of it. */
export type ProvedVersion = {
  tag: string;
  version: string;
  provedAt: Date;
  commit: string;
  folder: string;
  without: string | null;
};

/** At most this many tags of a model are looked at, from the newest. */
const maxTags = 20;
/** The clocks of the machine that deployed and of this one may differ by this much. */
const maxAheadMs = 24 * 3_600_000;

/**
 * The version of a model that production served last, proved: what the newest annotated tag MODEL-STAGE@TIME says. A tag
 * MODEL@VERSION does not count, because any stage may have proved the version.
 *
 * Whoever may push a tag could otherwise choose the baseline. So a tag is believed only when its commit belongs to the
 * history of `base`, which was let through, is the one that its message names, and has a model with the very weights that
 * the message names.
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
  const latest = deps.now().getTime() + maxAheadMs;
  let version: ProvedVersion | null = null;
  for (const { tag, type, commit, provedAt } of (await productionTags(git, id, releases)).slice(0, maxTags)) {
    if (type !== "tag") {
      refused.push(`${tag} is not an annotated tag`);
      continue;
    }
    if (provedAt.getTime() > latest) {
      refused.push(`${tag} is of a time to come`);
      continue;
    }
    const ancestor = commit === null ? false : await isInHistory(commit, base, context);
    if (commit === null || ancestor !== true) {
      refused.push(`${tag} ${ancestor === null ? "may not be" : "is not"} in the base branch's history`);
      continue;
    }
    const found = await modelOfTag(id, { tag, commit, provedAt }, context);
    if (typeof found === "string") {
      refused.push(`${tag}: ${found}`);
      continue;
    }
    version = found;
    break;
  }
  const notes = [];
  if (refused.length > 0)
    notes.push(
      `Tags of what production served of ${id} that do not count: ${refused.slice(0, 3).join("; ")}${refused.length > 3 ? ` and ${refused.length - 3} more` : ""}`,
    );
  if (version === null) {
    const [released] = await tagsMatching(git, `${id}@*`);
    if (released !== undefined)
      notes.push(
        `No tag ${releases.prefix(id)}…@… says what production served. ${released.tag} alone does not: another stage may have proved it.`,
      );
  }
  return { version, note: notes.length === 0 ? null : notes.join(". ") };
}

type Tag = { tag: string; type: string; commit: string | null };

/** The tags of what production served, newest first. */
async function productionTags(git: Git, id: string, { prefix, timeOf }: ReleaseRecords) {
  const dated = (await tagsMatching(git, `${prefix(id)}*`)).flatMap((tag) => {
    const provedAt = timeOf(id, tag.tag);
    return provedAt === null ? [] : [{ ...tag, provedAt }];
  });
  return dated.toSorted((a, b) => b.provedAt.getTime() - a.provedAt.getTime());
}

/** @param pattern of names, as git's for-each-ref takes it. `commit`: null for a tag of anything else */
export async function tagsMatching(git: Git, pattern: string): Promise<Tag[]> {
  const { code, stdout } = await git([
    "for-each-ref",
    "--sort=-creatordate",
    "--format=%(refname:strip=2) %(objecttype) %(*objecttype) %(*objectname)",
    `refs/tags/${pattern}`,
  ]);
  if (code !== 0) return [];
  return stdout
    .toString("utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split(" ") as [string, string, string?, string?])
    .map(([tag, type, of, object]) => ({ tag, type, commit: of === "commit" ? object! : null }));
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
  { tag, commit, provedAt }: { tag: string; commit: string; provedAt: Date },
  context: EvaluationContext,
): Promise<ProvedVersion | string> {
  const { git, deps, request, configuration, configFile } = context;
  const { stdout } = await git(["cat-file", "tag", `refs/tags/${tag}`]);
  const text = stdout.toString("utf8");
  const record = deps.releases?.read(text.slice(text.indexOf("\n\n") + 2)) ?? null;
  if (record === null || record.sha256 === null) return "its message has no receipt";
  const { version } = record;
  if (record.model !== id) return `its receipt is for ${record.model} ${version}`;
  if (record.verdict !== "PASS") return `its receipt says ${record.verdict ?? "no verdict"}`;
  if (record.commit !== commit)
    return `it is of ${commit.slice(0, 7)}, and its message of ${record.commit?.slice(0, 7) ?? "no commit"}`;
  const reference = { kind: "commit" as const, commit, label: tag, production: false };
  const models = await readBaseModels(reference, configFile, configuration, request.root, git).catch(() => null);
  const model: BaseModel | undefined = models?.models.find((one) => one.id === id);
  if (models === null || model === undefined) return `its commit has no model ${id}`;
  const kept = posix.join(model.folder, models.production);
  for (const folder of [model.folder, kept])
    if ((await weightsAt(commit, folder, context)) === record.sha256)
      return { tag, version, provedAt, commit, folder, without: folder === kept ? null : kept };
  return `the weights at its commit are not those of its receipt, ${record.sha256.slice(0, 12)}…`;
}

/** The digest of the weights that a model.yaml names, or of the composition that it describes; opening the model holds the bytes against it. */
async function weightsAt(commit: string, folder: string, context: EvaluationContext): Promise<string | null> {
  const text = await readAt(context.git, commit, posix.join(folder, "model.yaml"));
  try {
    const manifest = text === null ? null : (parse(text) as { backend?: unknown; artifact?: unknown } | null);
    if (manifest?.backend === "graph") {
      const dir = await layOutModel(commit, folder, context, { manifestsOnly: true });
      return (await loadManifest(dir)).manifest.artifact.sha256;
    }
    return digestNamed(manifest?.artifact);
  } catch {
    return null;
  }
}
