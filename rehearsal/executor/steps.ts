import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { appendFile, chmod, mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { readActionFile } from "./action-file.ts";
import type { PlayedAction } from "./played-action.ts";
import { attest } from "./attest.ts";
import { checkout } from "./checkout.ts";
import { downloadArtifact } from "./download-artifact.ts";
import { setupNode } from "./setup-node.ts";
import { uploadArtifact } from "./upload-artifact.ts";
import { githubVariables } from "./contexts.ts";
import { makeEnvFiles, readEnvFiles, summaryLimitBytes } from "./env-files.ts";
import { interpolate, interpolateText, interpolateTexts, type Contexts, type Json } from "./expressions.ts";
import { commitOf, git } from "./git.ts";
import type { RunningJob } from "./job.ts";
import type { Step } from "./workflow.ts";

type Outcome = { outcome: "success" | "failure" | "cancelled"; outputs: Record<string, string> };

const played: Readonly<Record<string, PlayedAction>> = {
  "actions/checkout": checkout,
  "actions/upload-artifact": uploadArtifact,
  "actions/download-artifact": downloadArtifact,
  "actions/setup-node": setupNode,
  "actions/attest-build-provenance": attest,
};

/** Runs one step whose `if` is true. If it throws, the step fails with that error's message. */
export async function runStep(job: RunningJob, step: Step, id: string, env: Record<string, string>): Promise<Outcome> {
  const minutes =
    step["timeout-minutes"] === undefined ? null : Number(interpolate(step["timeout-minutes"], job.scope(env)));
  const limit = new AbortController();
  const timer =
    minutes === null
      ? undefined
      : setTimeout(() => {
          limit.abort();
        }, minutes * job.deps.runner.minuteMs);
  // A step that starts after the job was cancelled (with always()) cleans up, so the cancellation does not end it.
  const signal = job.signal.aborted ? limit.signal : AbortSignal.any([limit.signal, job.signal]);
  try {
    const result = await (
      step.run === undefined ? usesStep(job, step, id, env, signal) : scriptStep(job, step, id, env, signal)
    ).catch((error: unknown): Outcome => {
      job.log.error(error instanceof Error ? error.message : String(error));
      return { outcome: "failure", outputs: {} };
    });
    if (!limit.signal.aborted) return result;
    job.log.error(`The action '${step.name ?? id}' has timed out after ${minutes} minutes.`);
    return { ...result, outcome: "failure" };
  } finally {
    clearTimeout(timer);
  }
}

const shells: Readonly<Record<string, readonly string[]>> = {
  "": ["bash", "-e", "{0}"],
  bash: ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "{0}"],
  sh: ["sh", "-e", "{0}"],
  python: ["python3", "{0}"],
};

async function scriptStep(
  job: RunningJob,
  step: Step,
  id: string,
  env: Record<string, string>,
  signal: AbortSignal,
): Promise<Outcome> {
  const scope = job.scope(env);
  const defaults = { ...job.plan.workflow.defaults?.run, ...job.plan.job.defaults?.run };
  const shell = interpolateText(step.shell ?? defaults["shell"] ?? "", scope);
  const command = shells[shell] ?? (shell.includes("{0}") ? shell.split(/\s+/) : undefined);
  if (command === undefined) throw new Error(`the rehearsal has no shell ${shell}`);
  const script = join(job.directories.temporary, `${randomUUID()}.sh`);
  const text = interpolateText(step.run, scope);
  await writeFile(script, `${text}\n`);
  await chmod(script, 0o755);
  const cwd = resolve(
    job.directories.workspace,
    interpolateText(step["working-directory"] ?? defaults["working-directory"] ?? "", scope),
  );
  job.log.write(`##[group]Run ${text.split("\n")[0] ?? ""}\n${text}\nshell: ${command.join(" ")}\n##[endgroup]`);
  const [program, ...args] = command.map((word) => word.replace("{0}", script));
  return execute(job, { env, program: program as string, args, cwd, signal, github: { action: id } });
}

type Execution = {
  env: Record<string, string>;
  program: string;
  args: string[];
  cwd: string;
  signal: AbortSignal;
  github: Contexts;
  /** The action's state, kept between main and post. */
  state?: Map<string, string>;
};

/** Runs a step's process, with its files and commands. */
async function execute(
  job: RunningJob,
  { env, program, args, cwd, signal, github, state = new Map() }: Execution,
): Promise<Outcome> {
  const files = await makeEnvFiles(job.directories.temporary);
  const variables = githubVariables({ ...(job.scope(env).contexts["github"] as Record<string, Json>), ...github });
  const outputs: Record<string, string> = {};
  const code = await job.processes.run({
    command: program,
    args,
    cwd,
    signal,
    kill: job.deps.runner.closing,
    killTimeouts: job.deps.runner.killTimeouts,
    env: {
      ...job.environment(env),
      ...variables,
      ...Object.fromEntries([...state].map(([name, value]) => [`STATE_${name}`, value])),
      GITHUB_ENV: files.env,
      GITHUB_OUTPUT: files.output,
      GITHUB_PATH: files.path,
      GITHUB_STATE: files.state,
      GITHUB_STEP_SUMMARY: files.summary,
    },
    onLine: (line) => {
      job.log.line(line, {
        setOutput: (name, value) => {
          outputs[name] = value;
        },
        saveState: (name, value) => {
          state.set(name, value);
        },
      });
    },
  });
  const written = await readEnvFiles(files);
  for (const [name, value] of written.env) job.env[name] = value;
  for (const [name, value] of written.state) state.set(name, value);
  job.extraPath.unshift(...written.path.toReversed());
  Object.assign(outputs, Object.fromEntries(written.output));
  if (written.summary !== null) job.plan.record.summary += job.masks.apply(written.summary);
  else
    job.log.error(
      `$GITHUB_STEP_SUMMARY upload aborted, supports content up to a size of ${summaryLimitBytes / 1024}k, got ${Math.floor((written.oversized ?? 0) / 1024)}k. For more information see: https://docs.github.com/actions/using-workflows/workflow-commands-for-github-actions#adding-a-job-summary`,
    );
  for (const problem of written.problems) job.log.error(problem);
  if (signal.aborted) {
    job.log.error("The operation was canceled.");
    return { outcome: "cancelled", outputs };
  }
  if (code !== 0) job.log.error(`Process completed with exit code ${code}.`);
  return { outcome: code === 0 && written.problems.length === 0 ? "success" : "failure", outputs };
}

function withDefaults(
  job: RunningJob,
  step: Step,
  env: Record<string, string>,
  defaults: Readonly<Record<string, unknown>>,
): Record<string, string> {
  const given = Object.fromEntries(
    Object.entries(interpolateTexts(step.with, job.scope(env))).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const valid = Object.keys(defaults).map((name) => name.toLowerCase());
  const unexpected = Object.keys(given).filter(
    (name) => !valid.includes(name) && !["entrypoint", "args"].includes(name),
  );
  if (unexpected.length > 0)
    job.log.warning(
      `Unexpected input(s) ${unexpected.map((name) => `'${name}'`).join(", ")}, valid inputs are [${valid.map((name) => `'${name}'`).join(", ")}]`,
    );
  return {
    ...Object.fromEntries(
      Object.entries(defaults).map(([name, value]) => [name.toLowerCase(), interpolateText(value, job.scope(env))]),
    ),
    ...given,
  };
}

async function usesStep(
  job: RunningJob,
  step: Step,
  id: string,
  env: Record<string, string>,
  signal: AbortSignal,
): Promise<Outcome> {
  const uses = step.uses as string;
  const action = played[uses.split("@")[0]?.toLowerCase() ?? ""];
  if (uses.includes("@") && action !== undefined) return play(job, step, uses, action, env);
  const directory = uses.startsWith("./") ? resolve(job.directories.workspace, uses) : await hostedAction(job, uses);
  return nodeAction(job, step, id, env, signal, { directory, uses });
}

/** An action in one of the platform's repositories: OWNER/NAME/path@ref. @returns the folder of its action.yml */
async function hostedAction(job: RunningJob, uses: string): Promise<string> {
  const [, repository, path = "", ref] = /^([\w.-]+\/[\w.-]+)((?:\/[^@]+)?)@(.+)$/.exec(uses) ?? [];
  const source = repository === undefined ? null : hostedDirectory(job, repository);
  if (source === null)
    throw new Error(
      `the rehearsal does not know the action ${uses}; it plays ${Object.keys(played).join(", ")}, and actions of repositories that its GitHub holds`,
    );
  const directory = join(job.directories.root, "_actions", repository as string, ref as string);
  if (!existsSync(directory)) {
    const sha = await commitOf(source, ref as string);
    await mkdir(directory, { recursive: true });
    await git(directory, ["init", "-q"]);
    await appendFile(join(directory, ".git/objects/info/alternates"), `${join(source, "objects")}\n`);
    await git(directory, ["read-tree", "-u", "--reset", sha]);
  }
  return join(directory, path);
}

function hostedDirectory(job: RunningJob, repository: string): string | null {
  try {
    const directory = job.deps.platform.gitDirectory(repository);
    return existsSync(directory) ? directory : null;
  } catch {
    return null;
  }
}

async function play(
  job: RunningJob,
  step: Step,
  uses: string,
  action: PlayedAction,
  env: Record<string, string>,
): Promise<Outcome> {
  const inputs = withDefaults(job, step, env, {
    ...action.inputs,
    ...(action === checkout ? { token: "${{ github.token }}" } : {}),
    ...(action === attest ? { "github-token": "${{ github.token }}" } : {}),
  });
  const given = Object.entries(inputs)
    .filter(([name, value]) => !name.endsWith("token") && value !== (action.inputs[name] ?? ""))
    .map(([name, value]) => `  ${name}: ${value.replaceAll("\n", "\n    ")}`);
  job.log.write(["##[group]Run " + uses, ...given, "##[endgroup]"].join("\n"));
  const outputs: Record<string, string> = {};
  const github = job.plan.contexts["github"] as Record<string, string>;
  await action.run({
    inputs,
    env: job.environment(env),
    workspace: job.directories.workspace,
    platform: job.deps.platform,
    runner: job.deps.runner,
    run: job.plan.run,
    repository: github["repository"] as string,
    sha: github["sha"] as string,
    ref: github["ref"] as string,
    eventName: github["event_name"] as string,
    event: github["event"] as unknown as Record<string, unknown>,
    artifacts: job.deps.artifacts,
    findRun: job.deps.findRun,
    permissionsOf: (token) => job.deps.tokens.get(token),
    log: (line) => {
      job.log.write(line);
    },
    warn: (message) => {
      job.log.warning(message);
    },
    output: (name, value) => {
      outputs[name] = value;
    },
    addPath: (path) => {
      job.extraPath.unshift(path);
    },
    mask: (value) => {
      job.masks.add(value);
    },
  });
  job.deps.changed(job.plan.run, job.plan.record);
  return { outcome: "success", outputs };
}

async function nodeAction(
  job: RunningJob,
  step: Step,
  id: string,
  env: Record<string, string>,
  signal: AbortSignal,
  { directory, uses }: { directory: string; uses: string },
): Promise<Outcome> {
  const { runs, inputs: definitions } = await readActionFile(directory, uses);
  const inputs = withDefaults(
    job,
    step,
    env,
    Object.fromEntries(Object.entries(definitions).map(([name, one]) => [name, one?.default ?? ""])),
  );
  const inputEnv = Object.fromEntries(
    Object.entries(inputs).map(([name, value]) => [`INPUT_${name.replaceAll(" ", "_").toUpperCase()}`, value]),
  );
  const given = Object.entries(inputs)
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `  ${name}: ${value.replaceAll("\n", "\n    ")}`);
  job.log.write([`##[group]Run ${uses}`, ...given, "##[endgroup]"].join("\n"));
  for (const [name, definition] of Object.entries(definitions))
    if (definition?.deprecationMessage !== undefined && step.with?.[name] !== undefined)
      job.log.warning(`Input '${name}' has been deprecated with message: ${definition.deprecationMessage}`);
  if (runs.pre !== undefined) job.log.warning(`\`pre\` execution is not supported for local action from '${uses}'`);
  const state = new Map<string, string>();
  const start = (script: string, ending: AbortSignal) =>
    execute(job, {
      env: { ...env, ...inputEnv },
      program: job.deps.runner.nodePath,
      args: [join(directory, script)],
      cwd: job.directories.workspace,
      signal: ending,
      state,
      github: { action: id },
    });
  const post = runs.post;
  if (post !== undefined) {
    job.posts.push({
      name: step.name ?? `Run ${uses}`,
      if: runs["post-if"],
      env,
      run: async () => {
        job.log.write(`##[group]Post ${uses}\n##[endgroup]`);
        return (await start(post, job.signal.aborted ? new AbortController().signal : job.signal)).outcome;
      },
    });
  }
  return start(runs.main as string, signal);
}
