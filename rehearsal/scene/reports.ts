import { readFileSync } from "node:fs";
import AdmZip from "adm-zip";
import { verdictFile, type VerdictFile } from "../../eval/schema/verdict.ts";
import type { RunRecord } from "../executor/platform.ts";

/** The files of a run's artifact, by name. @throws Error if the run has no artifact of that name */
export function artifactOf(run: RunRecord, name: string): Map<string, Buffer> {
  const found = run.artifacts.find((one) => one.name === name);
  if (found === undefined)
    throw new Error(`run ${run.id} kept ${run.artifacts.map((one) => one.name).join(", ") || "nothing"}, not ${name}`);
  return new Map(new AdmZip(readFileSync(found.path)).getEntries().map((entry) => [entry.entryName, entry.getData()]));
}

/** The verdict of a gate's first shard, parsed with the published schema. */
export function verdictOf(run: RunRecord): VerdictFile {
  return verdictFile.parse(
    JSON.parse(artifactOf(run, "sluice-gate-cpu-0").get("verdict.json")?.toString("utf8") ?? "null"),
  );
}

/** A report's Markdown as people see it: without entities, code elements and invisible characters. */
export function readable(markdown: string): string {
  return markdown
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replace(/<\/?code>|\u200b/g, "");
}
