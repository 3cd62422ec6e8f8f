import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
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
 * Takes away what lies where the outputs go, whatever it is: an older run's, or files of the change under judgement.
 */
export async function removeOutputs(out: string): Promise<void> {
  for (const path of Object.values(filesIn(out))) await rm(path, { recursive: true, force: true });
}

/** Writes verdict.json, metrics.json, report.md and report.html; each appears whole or not at all. */
export async function writeOutputs(
  out: string,
  verdict: VerdictFile,
  metrics: MetricsFile,
  plots: readonly PlotData[],
): Promise<OutputFiles> {
  await mkdir(out, { recursive: true });
  const files = filesIn(out);
  await whole(files.verdict, `${JSON.stringify(verdict, null, 2)}\n`);
  await whole(files.metrics, `${JSON.stringify(metrics, null, 2)}\n`);
  await whole(files.markdown, renderMarkdown(verdict, metrics, {}));
  // The chart library is by far the largest import; nothing before this needs it.
  const { renderHtml } = await import("../report/html.ts");
  await whole(files.html, renderHtml(verdict, metrics, plots));
  return files;
}

async function whole(path: string, text: string): Promise<void> {
  const draft = `${path}.${process.pid}.draft`;
  await writeFile(draft, text);
  await rename(draft, path);
}
