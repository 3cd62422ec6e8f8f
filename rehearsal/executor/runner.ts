import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { KillTimeouts } from "./processes.ts";

/** The machine that jobs run on. */
export type Runner = {
  /** Contains everything that the runner writes: workspaces, tools, artifacts. */
  directory: string;
  /** Directory with `node`, for PATH. */
  nodeDirectory: string;
  nodePath: string;
  toolCache: string;
  /** Variables that every job gets, like those in a self-hosted runner's .env file. */
  environment: Readonly<Record<string, string>>;
  killTimeouts: KillTimeouts;
  /** Ends every process at once. */
  closing: AbortSignal;
  /** Length in milliseconds of a minute of `timeout-minutes`. */
  minuteMs: number;
};

const systemPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/** A proxy address at which nobody listens. curl, git, Python and the like use it for everything but loopback. */
const unreachableUrl = "http://127.0.0.1:9";

export async function makeRunner(
  options: Omit<Runner, "nodeDirectory" | "nodePath" | "toolCache"> & { toolCache?: string },
): Promise<Runner> {
  if (Number(process.versions.node.split(".")[0]) < 24)
    throw new Error(`actions run on Node 24; this is ${process.version}`);
  const nodeDirectory = join(options.directory, "externals/node24/bin");
  const toolCache = options.toolCache ?? join(options.directory, "tools");
  await Promise.all([mkdir(nodeDirectory, { recursive: true }), mkdir(toolCache, { recursive: true })]);
  await symlink(process.execPath, join(nodeDirectory, "node"));
  return { ...options, nodeDirectory, nodePath: join(nodeDirectory, "node"), toolCache };
}

/** Directories of one job. */
export type JobDirectories = { root: string; workspace: string; temporary: string; home: string };

export async function makeJobDirectories(
  runner: Runner,
  jobId: number,
  repository: string,
  insteadOf: ReadonlyMap<string, string>,
): Promise<JobDirectories> {
  const root = join(runner.directory, "jobs", String(jobId));
  const name = repository.split("/")[1] as string;
  const directories = {
    root,
    workspace: join(root, name, name),
    temporary: join(root, "_temp"),
    home: join(root, "home"),
  };
  await Promise.all(
    [directories.workspace, directories.temporary, directories.home].map((path) => mkdir(path, { recursive: true })),
  );
  // Repositories are fetched from disk. Pushing to them is disabled.
  const lines = [...insteadOf].map(
    ([url, path]) =>
      `[url "file://${path}"]\n\tinsteadOf = ${url}\n[url "${unreachableUrl}/push/"]\n\tpushInsteadOf = ${url}\n`,
  );
  await writeFile(join(directories.home, ".gitconfig"), lines.join(""));
  return directories;
}

/** A runner's environment before any workflow. It contains no variable of this process. */
export function runnerEnvironment(
  runner: Runner,
  directories: JobDirectories,
  extraPath: readonly string[],
): Record<string, string> {
  const preload = new URL("./loopback-only.mjs", import.meta.url).href;
  return {
    ...runner.environment,
    PATH: [...extraPath, runner.nodeDirectory, systemPath].join(":"),
    HOME: directories.home,
    LANG: "C.UTF-8",
    SHELL: "/bin/bash",
    USER: "runner",
    CI: "true",
    GITHUB_ACTIONS: "true",
    RUNNER_OS: "Linux",
    RUNNER_ARCH: process.arch === "arm64" ? "ARM64" : "X64",
    RUNNER_NAME: "rehearsal",
    RUNNER_ENVIRONMENT: "github-hosted",
    RUNNER_TEMP: directories.temporary,
    RUNNER_TOOL_CACHE: runner.toolCache,
    RUNNER_WORKSPACE: join(directories.workspace, ".."),
    NODE_OPTIONS: `--import=${preload}`,
    http_proxy: unreachableUrl,
    https_proxy: unreachableUrl,
    HTTP_PROXY: unreachableUrl,
    HTTPS_PROXY: unreachableUrl,
    no_proxy: "127.0.0.1,localhost,::1",
    NO_PROXY: "127.0.0.1,localhost,::1",
  };
}

export const runnerContext = (runner: Runner, directories: JobDirectories) => ({
  os: "Linux",
  arch: process.arch === "arm64" ? "ARM64" : "X64",
  name: "rehearsal",
  environment: "github-hosted",
  temp: directories.temporary,
  tool_cache: runner.toolCache,
  workspace: join(directories.workspace, ".."),
  debug: "",
});
