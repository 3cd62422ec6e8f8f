import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { VerdictFile } from "../../../eval/schema/verdict.ts";
import { buildBundle, bundles, type Bundle } from "../../../scripts/build/bundle.ts";
import { repositoryRoot, runStep, type StepRun, type UnpackedAction } from "../gate/runner.ts";

/** actions/notify in a separate folder, bundled from the current sources, without node_modules. */
export async function unpackNotify(): Promise<UnpackedAction> {
  const dir = mkdtempSync(join(tmpdir(), "sluice-notify-"));
  const { files } = await buildBundle(
    bundles.find((one) => one.dist === "actions/notify/dist") as Bundle,
    repositoryRoot,
  );
  mkdirSync(join(dir, "dist"));
  for (const { name, bytes } of files) writeFileSync(join(dir, "dist", name), bytes);
  return {
    dir,
    remove: () => {
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

type InputFiles = {
  verdict?: VerdictFile | string;
  deployment?: object;
  picture?: { name: string; bytes: Buffer };
};
export type NotifyRun = StepRun & {
  result: {
    status: string;
    why: string | null;
    cards: {
      model: string;
      status: string;
      message?: number | null;
      form?: string;
      tone?: string;
      rang?: boolean;
      notes: string[];
    }[];
  } | null;
};

export type NotifyOptions = {
  action: UnpackedAction;
  inputFiles?: InputFiles;
  inputs?: Record<string, string>;
  event?: { name: string; payload: unknown };
  sha?: string;
  apiUrl?: string;
  env?: Record<string, string>;
};

export const commit = "9f8e7d6c5b4a39281706f5e4d3c2b1a098765432";

export function pullRequestEvent(number: number): { name: string; payload: unknown } {
  const repo = { full_name: "octo/models" };
  return {
    name: "pull_request",
    payload: {
      pull_request: { number, head: { sha: commit, ref: "topic", repo }, base: { sha: "1a2b3c4", ref: "main", repo } },
    },
  };
}

/** The parts of actions/deploy's receipt that a card shows; the rest is left out. */
export function receipt(outcome: string, change: object = {}, model = { id: "mood", version: "1.1.0" }): object {
  return {
    schemaVersion: 1,
    outcome,
    reason: "",
    space: "octo/mood",
    environment: "production",
    url: "https://octo-mood.hf.space",
    deployed: {
      schemaVersion: 1,
      model: { ...model, task: "binary-classification", sha256: "a".repeat(64) },
      source: { repository: "octo/models", commit },
    },
    rolledBackTo: null,
    githubDeployment: null,
    timeline: [],
    ...change,
  };
}

/** Starts the step as the runner does, in a workspace with files that other steps left. */
export async function runNotify({
  action,
  inputFiles = {},
  inputs = {},
  event = pullRequestEvent(12),
  sha = commit,
  apiUrl = "http://127.0.0.1:9",
  env = {},
}: NotifyOptions): Promise<NotifyRun> {
  const workspace = mkdtempSync(join(tmpdir(), "sluice-workspace-"));
  const file = (name: string, content: string | Buffer) => {
    writeFileSync(join(workspace, name), content);
  };
  if (inputFiles.verdict !== undefined)
    file(
      "verdict.json",
      typeof inputFiles.verdict === "string" ? inputFiles.verdict : JSON.stringify(inputFiles.verdict),
    );
  if (inputFiles.deployment !== undefined) file("deployment.json", JSON.stringify(inputFiles.deployment));
  if (inputFiles.picture !== undefined) file(inputFiles.picture.name, inputFiles.picture.bytes);
  try {
    const run = await runStep({
      action,
      workspace,
      event,
      sha,
      apiUrl,
      env: { GITHUB_ACTOR: "ana", ...env },
      inputs: {
        ...(inputFiles.verdict === undefined ? {} : { verdict: "verdict.json" }),
        ...(inputFiles.deployment === undefined ? {} : { deployment: "deployment.json" }),
        ...inputs,
      },
    });
    const result = run.outputs["result"];
    return { ...run, result: result === undefined ? null : (JSON.parse(result) as NonNullable<NotifyRun["result"]>) };
  } finally {
    rmSync(workspace, { recursive: true, force: true });
  }
}
