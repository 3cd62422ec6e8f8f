import { readFile } from "node:fs/promises";
import { join, posix } from "node:path";
import { localFile } from "../../models/core/artifact/verified-file.ts";
import type { Dataset, Task } from "../../models/core/manifest/manifest.ts";
import { readCatalogue } from "../../models/core/catalogue/catalogue.ts";
import type { Head, RankingHead } from "../../models/core/postprocess/schema.ts";
import { spanTypes } from "../../models/core/postprocess/word-labels.ts";
import type { LoadedManifest } from "../../models/core/predictor/load.ts";
import { maxModelFileBytes } from "../../models/core/predictor/model-files.ts";
import type { EvaluationContext } from "./context.ts";
import { listTree } from "./git.ts";
import { layOut } from "./lay-out.ts";
import { cacheModelObjects } from "./lfs-objects.ts";
import { withCulprit } from "./with-culprit.ts";

/** What the base asks of a model: its task, and the heads that its dataset has true values for. */
export type Question = { task: Task; heads: readonly Head[]; dataset: Dataset | null; folder: string; commit: string };

/**
 * Why the candidate cannot take the base's exam whatever it answers; null when it can.
 *
 * @throws ConfigurationError and EvaluationError when a catalogue that changed cannot be read
 */
export async function otherQuestion(
  loaded: LoadedManifest,
  { task, heads, dataset, folder, commit }: Question,
  context: EvaluationContext,
): Promise<string | null> {
  const own = loaded.manifest;
  if (own.task !== task) return `the candidate's task is ${own.task}, the base's ${task}`;
  for (const head of heads.filter(({ name }) => dataset === null || Object.hasOwn(dataset.labels, name))) {
    const other = own.postprocess.find(({ name }) => name === head.name);
    if (other === undefined) return `the candidate has no head ${head.name}, about which the base asks`;
    if (answersOf(other) !== answersOf(head))
      return `the head ${head.name} answers ${answersOf(head)} at the base and ${answersOf(other)} in the candidate`;
    if (head.kind === "series" && other.kind === "series" && other.horizon < head.horizon)
      return `the head ${head.name} forecasts ${head.horizon} steps at the base and ${other.horizon} in the candidate`;
    if (head.kind === "ranking" && other.kind === "ranking") {
      const lost = await lostItems(other, head, { loaded, folder, commit }, context);
      if (lost !== null) return lost;
    }
  }
  return null;
}

/** What a head can answer, as far as its keys say so, in words that are equal for what is equal. */
function answersOf(head: Head): string {
  switch (head.kind) {
    case "classification":
      return head.labels.toSorted().join(", ");
    case "spans":
      return spanTypes(head.labels).toSorted().join(", ");
    case "series":
      return head.quantiles === undefined ? "a series" : `a series with the quantiles ${head.quantiles.join(", ")}`;
    default:
      return head.kind;
  }
}

/**
 * A choice among few items is easier, so each item of the base's catalogue has to stay. More may come.
 *
 * @returns words for the items that the candidate's catalogue lacks; null without any
 */
async function lostItems(
  own: RankingHead,
  base: RankingHead,
  { loaded, folder, commit }: { loaded: LoadedManifest; folder: string; commit: string },
  context: EvaluationContext,
): Promise<string | null> {
  if (own.catalogue.sha256 === base.catalogue.sha256 && own.catalogue.id === base.catalogue.id) return null;
  const path = posix.normalize(posix.join(folder, base.catalogue.path));
  const files = path.startsWith("..") ? [] : await listTree(context.git, commit, path);
  if (files.length !== 1)
    return `the head ${base.name} has another catalogue, and the base's, ${path}, is no file of ${commit.slice(0, 7)}`;
  const catalogueOfBase = async () => {
    const text = await readFile(join(await layOut(files, "", commit, context), path), "utf8");
    return readCatalogue(text, base.catalogue, () => `${path} at ${commit.slice(0, 7)}`);
  };
  const before = await withCulprit("the base's catalogue", catalogueOfBase());
  await cacheModelObjects(loaded, context.lfs, context.cacheDir);
  const { path: file, sha256 } = own.catalogue;
  const { bytes } = await localFile(loaded.dir, file, sha256, maxModelFileBytes, context.cacheDir);
  const now = new Set(
    readCatalogue(Buffer.from(bytes).toString("utf8"), own.catalogue, () => loaded.file).map(({ id }) => id),
  );
  const lost = before.filter(({ id }) => !now.has(id));
  if (lost.length === 0) return null;
  const some = lost.slice(0, 3).map(({ id }) => id.slice(0, 60));
  return `the catalogue of the head ${base.name} lacks ${lost.length} of the base's ${before.length} items (${some.join(", ")}${lost.length > 3 ? ", …" : ""})`;
}
