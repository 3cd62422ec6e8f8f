import { spawn, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildBundle, bundles, type Bundle } from "../../../scripts/build/bundle.ts";

const repositoryRoot = fileURLToPath(new URL("../../..", import.meta.url)).replace(/\/$/, "");
const stepTimeoutMs = 50_000;

/**
 * A separate folder, as a runner unpacks an action: dist built from the current sources, with or without native files.
 */
export type UnpackedAction = { dir: string; remove: () => void };

export async function unpackAction(options: { native: boolean }): Promise<UnpackedAction> {
  const dir = mkdtempSync(join(tmpdir(), "sluice-action-"));
  const { files } = await buildBundle(bundles[0] as Bundle, repositoryRoot);
  mkdirSync(join(dir, "dist"));
  for (const { name, bytes } of files) writeFileSync(join(dir, "dist", name), bytes);
  if (options.native) {
    const key = [process.platform, process.arch] as const;
    cpSync(
      join(repositoryRoot, "node_modules/onnxruntime-node/bin/napi-v6", ...key),
      join(dir, "native", key.join("-")),
      { recursive: true },
    );
  }
  return {
    dir,
    remove: () => {
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

export type StepRun = {
  code: number;
  log: string;
  outputs: Record<string, string>;
  summary: string;
  /** Hosts outside loopback that the step tried to reach. */
  outside: string[];
};

export type StepOptions = {
  action: UnpackedAction;
  entry?: "main" | "changed" | "report";
  workspace: string;
  event: { name: string; payload: unknown };
  sha: string;
  ref?: string;
  inputs?: Record<string, string>;
  apiUrl?: string;
  env?: Record<string, string>;
};

/** Starts a step as the runner does: INPUT_* and GITHUB_* variables, command files, an event file; nothing else. */
export async function runStep({
  action,
  entry = "main",
  workspace,
  event,
  sha,
  ref = "refs/pull/7/merge",
  inputs = {},
  apiUrl = "http://127.0.0.1:9",
  env = {},
}: StepOptions): Promise<StepRun> {
  const temporary = mkdtempSync(join(tmpdir(), "sluice-step-"));
  const file = (name: string, text = "") => {
    const path = join(temporary, name);
    writeFileSync(path, text);
    return path;
  };
  const files = {
    event: file("event.json", JSON.stringify(event.payload)),
    output: file("output"),
    summary: file("summary"),
    outside: file("outside"),
  };
  const child = spawn(process.execPath, [join(action.dir, "dist", `${entry}.js`)], {
    cwd: workspace,
    env: {
      PATH: process.env["PATH"],
      HOME: temporary,
      NODE_OPTIONS: `--import ${new URL("../../../rehearsal/executor/loopback-only.mjs", import.meta.url).href}`,
      OUTSIDE_CONNECTIONS: files.outside,
      CI: "true",
      GITHUB_ACTIONS: "true",
      RUNNER_TEMP: temporary,
      GITHUB_WORKSPACE: workspace,
      GITHUB_REPOSITORY: "octo/models",
      GITHUB_RUN_ID: "42",
      GITHUB_EVENT_NAME: event.name,
      GITHUB_EVENT_PATH: files.event,
      GITHUB_SHA: sha,
      GITHUB_REF: ref,
      GITHUB_API_URL: apiUrl,
      GITHUB_GRAPHQL_URL: `${apiUrl}/graphql`,
      GITHUB_SERVER_URL: "https://github.invalid",
      GITHUB_OUTPUT: files.output,
      GITHUB_STEP_SUMMARY: files.summary,
      ...Object.fromEntries(Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])),
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), stepTimeoutMs);
  let log = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      log += text;
    });
  const code = await new Promise<number>((resolve) => {
    child.on("close", (status) => {
      resolve(status ?? -1);
    });
  });
  clearTimeout(timer);
  const run = {
    code,
    log,
    outputs: parseOutputs(readFileSync(files.output, "utf8")),
    summary: readFileSync(files.summary, "utf8"),
    outside: readFileSync(files.outside, "utf8").split("\n").filter(Boolean),
  };
  rmSync(temporary, { recursive: true, force: true });
  return run;
}

/** Parses NAME<<DELIMITER … DELIMITER, the format that @actions/core writes. */
function parseOutputs(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/^(\w[\w-]*)<<(\S+)\n([\s\S]*?)\n\2$/gm)].map((one) => [one[1] as string, one[3] as string]),
  );
}

/** Runs git in a folder. @throws Error with git's message */
export function git(folder: string, ...args: string[]): string {
  const identity = ["-c", "user.name=Octo", "-c", "user.email=octo@example.org", "-c", "commit.gpgsign=false"];
  const { status, stdout, stderr } = spawnSync("git", [...identity, ...args], {
    cwd: folder,
    encoding: "utf8",
    timeout: 30_000,
    env: { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" },
  });
  if (status !== 0) throw new Error(`git ${args.join(" ")}: ${stderr}`);
  return stdout.trim();
}

export { repositoryRoot };
