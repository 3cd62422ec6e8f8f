import type { JobRecord, RunRecord } from "../executor/platform.ts";
import { artifactOf } from "../scene/reports.ts";
import type { Scene } from "../scene/scene.ts";
import { escapeHtml, htmlOfMarkdown } from "./markdown.ts";

/** The stand-in has no website, so links to GitHub's pages lead to pages of this server instead. */
export const onThisPage = (scene: Scene, text: string): string =>
  text.replaceAll(`${scene.github.serverUrl}/`, "/github/");

/** What GitHub's page of a run shows: jobs with summaries and logs, and artifacts. Null if there is no such run. */
export function runPage(scene: Scene, id: number): string | null {
  const run = scene.executor.runs.find((one) => one.id === id);
  if (run === undefined) return null;
  const title = `${escapeHtml(run.displayTitle)} <span>#${run.id}</span>`;
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escapeHtml(run.displayTitle)}</title><link rel="icon" href="data:,"><link rel="stylesheet" href="/page.css"></head>
<body class="run"><p><a href="/">The rehearsal</a></p><h1 class="pull-title">${title}</h1>
<p class="facts">${sign(run.conclusion)} ${escapeHtml(run.workflowName)}: ${run.conclusion ?? run.status} · ${escapeHtml(run.event)} · ${run.headSha.slice(0, 7)} · by ${escapeHtml(run.actor)}</p>
${run.startupError === undefined ? "" : `<p>${escapeHtml(run.startupError)}</p>`}${onThisPage(scene, run.jobs.map(job).join("\n"))}
<h2 id="artifacts">Artifacts</h2><ul>${run.artifacts.map((one) => `<li>${escapeHtml(one.name)}${filesOf(run, one.name)}</li>`).join("")}</ul></body></html>`;
}

const sign = (conclusion: string | null) =>
  conclusion === "success" ? "✅" : conclusion === "failure" ? "❌" : conclusion === null ? "⏳" : "⚪";

function job({ name, conclusion, status, summary, log }: JobRecord): string {
  const said = summary.trim() === "" ? "" : `<div>${htmlOfMarkdown(summary)}</div>`;
  const printed = log === "" ? "" : `<div><details><summary>Log</summary><pre>${escapeHtml(log)}</pre></details></div>`;
  return `<article class="comment"><h3>${sign(conclusion)} ${escapeHtml(name)}: ${conclusion ?? status}</h3>${said}${printed}</article>`;
}

function filesOf(run: RunRecord, artifact: string): string {
  return [...artifactOf(run, artifact).keys()]
    .map(
      (file) =>
        ` · <a href="/artifacts/${run.id}/${encodeURIComponent(artifact)}/${file.split("/").map(encodeURIComponent).join("/")}">${escapeHtml(file)}</a>`,
    )
    .slice(0, 12)
    .join("");
}

const types: Record<string, string> = {
  html: "text/html",
  json: "application/json",
  md: "text/plain",
  yaml: "text/plain",
  png: "image/png",
};

/** A file of an artifact; null if there is none. */
export function artifactFile(
  scene: Scene,
  id: number,
  artifact: string,
  file: string,
): { bytes: Buffer; type: string } | null {
  const run = scene.executor.runs.find((one) => one.id === id);
  const bytes =
    run?.artifacts.some(({ name }) => name === artifact) === true ? artifactOf(run, artifact).get(file) : undefined;
  return bytes === undefined
    ? null
    : { bytes, type: types[file.split(".").at(-1) ?? ""] ?? "application/octet-stream" };
}
