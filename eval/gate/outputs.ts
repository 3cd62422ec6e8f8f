import type { Dirent } from "node:fs";
import { lstat, mkdir, readdir, readlink, realpath, rm } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { writeFileAtomic } from "../../models/core/atomic-write.ts";
import { ConfigurationError } from "../../models/core/errors.ts";
import type { MetricsFile } from "../schema/metrics.ts";
import type { VerdictFile } from "../schema/verdict.ts";
import { renderMarkdown } from "../report/markdown.ts";
import type { AugmentationExample } from "../report/content/augmentation-example.ts";
import type { PlotData } from "../report/content/plot-data.ts";
import { PROFILES } from "./profiles-folder.ts";
import { slashed } from "./git.ts";

export type OutputFiles = { verdict: string; metrics: string; markdown: string; html: string };

function filesIn(out: string): OutputFiles {
  return {
    verdict: join(out, "verdict.json"),
    metrics: join(out, "metrics.json"),
    markdown: join(out, "report.md"),
    html: join(out, "report.html"),
  };
}

/**
 * Removes whatever is at the output paths: an older run's files, or files and links that the judged change put there.
 * Nothing else is touched, because OUT may be a folder that holds more, and no link is followed.
 *
 * @throws ConfigurationError see `requireOwnFolder`
 */
export async function removeOutputs(checkout: string, out: string): Promise<void> {
  await removeReports(checkout, out);
  const profiles = join(out, PROFILES);
  if (await isLink(profiles)) await rm(profiles);
  for (const { name } of await entriesOf(profiles))
    if (name.endsWith(".json")) await rm(join(profiles, name), { recursive: true, force: true });
  const predictions = join(out, "predictions");
  if (await isLink(predictions)) await rm(predictions);
  for (const model of await entriesOf(predictions)) {
    const folder = join(predictions, model.name);
    if (model.isSymbolicLink()) await rm(folder);
    if (!model.isDirectory()) continue;
    for (const { name } of await entriesOf(folder))
      if (predictionFile.test(name)) await rm(join(folder, name), { recursive: true, force: true });
  }
}

/**
 * The same without the predictions.
 * @throws ConfigurationError see `requireOwnFolder`
 */
export async function removeReports(checkout: string, out: string): Promise<void> {
  await requireOwnFolder(checkout, out);
  for (const path of Object.values(filesIn(out))) await rm(path, { recursive: true, force: true });
}

/** HEAD.ROLE.csv, as `writeModelPredictions` writes them into a folder of each model. */
const predictionFile = /\.(candidate|baseline)\.csv$/;

async function entriesOf(folder: string): Promise<Dirent[]> {
  return readdir(folder, { withFileTypes: true }).catch(() => []);
}

async function isLink(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => null);
  return found?.isSymbolicLink() === true;
}

/**
 * A change could put a link in the place of the gate's own folder, or above it, and have the gate write anywhere. What is
 * above the checkout is the machine's own, and may be a link.
 *
 * @param checkout folder of the files that the change chose
 * @param folder absolute; need not exist
 * @throws ConfigurationError when a part of the path below the checkout is a symbolic link
 */
export async function requireOwnFolder(checkout: string, folder: string): Promise<void> {
  const top = await realpath(checkout);
  const links: string[] = [];
  // The highest part that is the checkout counts: a link below may lead to the checkout itself.
  let own: { at: string; below: readonly string[] } = { at: top, below: [] };
  for (let at = folder; at !== dirname(at); at = dirname(at)) {
    if ((await realpath(at).catch(() => null)) === top) own = { at, below: [...links] };
    if (await isLink(at)) links.push(at);
  }
  const link = own.below.at(-1);
  if (link !== undefined)
    throw new ConfigurationError({
      code: "out-is-a-link",
      place: link,
      problem: "a symbolic link stands where the gate writes its own files",
      expected: "a folder, or nothing yet",
      received: `a link to ${await readlink(link)}`,
      example: "--out .sluice",
      hint: `git rm --cached ${slashed(relative(own.at, link))}, and name the folder in .gitignore`,
    });
}

/** Writes verdict.json, metrics.json, report.md and report.html, each atomically. */
export async function writeOutputs(
  out: string,
  verdict: VerdictFile,
  metrics: MetricsFile,
  plots: readonly PlotData[],
  examples: readonly AugmentationExample[] = [],
): Promise<OutputFiles> {
  await mkdir(out, { recursive: true });
  const files = filesIn(out);
  await writeFileAtomic(files.verdict, `${JSON.stringify(verdict, null, 2)}\n`);
  await writeFileAtomic(files.metrics, `${JSON.stringify(metrics, null, 2)}\n`);
  await writeFileAtomic(files.markdown, renderMarkdown(verdict, metrics, { heads: plots }));
  // The chart library is by far the largest import, and nothing before this needs it.
  const { renderHtml } = await import("../report/html.ts");
  await writeFileAtomic(files.html, renderHtml(verdict, metrics, plots, examples));
  return files;
}
