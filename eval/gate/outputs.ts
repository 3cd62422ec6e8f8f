import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "../../models/core/atomic-write.ts";
import type { MetricsFile } from "../schema/metrics.ts";
import type { VerdictFile } from "../schema/verdict.ts";
import { renderMarkdown } from "../report/markdown.ts";
import type { PlotData } from "../report/content/plot-data.ts";

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
 * Removes whatever is at the output paths: an older run's files, or files that the judged change put there. Nothing else
 * is touched, because OUT may be a folder that holds more.
 */
export async function removeOutputs(out: string): Promise<void> {
  for (const path of Object.values(filesIn(out))) await rm(path, { recursive: true, force: true });
  const predictions = await readdir(join(out, "predictions"), { recursive: true }).catch(() => []);
  for (const path of predictions)
    if (predictionFile.test(path.replaceAll("\\", "/")))
      await rm(join(out, "predictions", path), { recursive: true, force: true });
}

/** MODEL/HEAD.ROLE.csv, as `writeModelPredictions` writes them. */
const predictionFile = /^[^/]+\/[^/]+\.(candidate|baseline)\.csv$/;

/** Writes verdict.json, metrics.json, report.md and report.html, each atomically. */
export async function writeOutputs(
  out: string,
  verdict: VerdictFile,
  metrics: MetricsFile,
  plots: readonly PlotData[],
): Promise<OutputFiles> {
  await mkdir(out, { recursive: true });
  const files = filesIn(out);
  await writeFileAtomic(files.verdict, `${JSON.stringify(verdict, null, 2)}\n`);
  await writeFileAtomic(files.metrics, `${JSON.stringify(metrics, null, 2)}\n`);
  await writeFileAtomic(files.markdown, renderMarkdown(verdict, metrics, {}));
  // The chart library is by far the largest import, and nothing before this needs it.
  const { renderHtml } = await import("../report/html.ts");
  await writeFileAtomic(files.html, renderHtml(verdict, metrics, plots));
  return files;
}
