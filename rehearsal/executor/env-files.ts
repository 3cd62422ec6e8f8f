import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { randomUUID } from "node:crypto";

export const summaryLimitBytes = 1024 * 1024;

/** The files of one step, in which it writes for later steps, the job and the run. */
type EnvFiles = { env: string; output: string; path: string; state: string; summary: string };
type EnvFileContents = {
  env: [string, string][];
  output: [string, string][];
  path: string[];
  state: [string, string][];
  summary: string | null;
  problems: string[];
};

export async function makeEnvFiles(temporary: string): Promise<EnvFiles> {
  const folder = join(temporary, "_runner_file_commands");
  await mkdir(folder, { recursive: true });
  const mark = randomUUID();
  const files = {
    env: join(folder, `set_env_${mark}`),
    output: join(folder, `set_output_${mark}`),
    path: join(folder, `add_path_${mark}`),
    state: join(folder, `save_state_${mark}`),
    summary: join(folder, `step_summary_${mark}`),
  };
  await Promise.all(Object.values(files).map((file) => writeFile(file, "")));
  return files;
}

/** Reads what a step wrote. A malformed file fails the step. A summary above 1 MiB is dropped completely. */
export async function readEnvFiles(files: EnvFiles): Promise<EnvFileContents & { oversized: number | null }> {
  const problems: string[] = [];
  const pairs = async (kind: "env" | "output" | "state") => {
    try {
      return parsePairs(await text(files[kind]));
    } catch (error) {
      problems.push(`Unable to process file command '${kind}' successfully.`, (error as Error).message);
      return [];
    }
  };
  const env = (await pairs("env")).filter(([name]) => {
    if (name.toUpperCase() !== "NODE_OPTIONS") return true;
    problems.push("Can't store NODE_OPTIONS output parameter using '$GITHUB_ENV' command.");
    return false;
  });
  const summary = await readFile(files.summary).catch(() => Buffer.alloc(0));
  return {
    env,
    output: await pairs("output"),
    state: await pairs("state"),
    problems,
    path: (await text(files.path)).split(/\r?\n/).filter(Boolean),
    summary: summary.length > summaryLimitBytes ? null : summary.toString("utf8"),
    oversized: summary.length > summaryLimitBytes ? summary.length : null,
  };
}

const text = (path: string) => readFile(path, "utf8").catch(() => "");

/** NAME=VALUE, or NAME<<DELIMITER, lines, DELIMITER. @throws Error with the runner's words */
function parsePairs(content: string): [string, string][] {
  const pairs: [string, string][] = [];
  const lines = content.replace(/\r\n/g, "\n").split("\n");
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] as string;
    if (line === "") continue;
    const equals = line.indexOf("=");
    const heredoc = line.indexOf("<<");
    if (equals >= 0 && (heredoc < 0 || equals < heredoc)) {
      if (equals === 0) throw new Error(`Invalid format '${line}'. Name must not be empty`);
      pairs.push([line.slice(0, equals), line.slice(equals + 1)]);
    } else if (heredoc >= 0) {
      const name = line.slice(0, heredoc);
      const delimiter = line.slice(heredoc + 2);
      if (name === "" || delimiter === "")
        throw new Error(`Invalid format '${line}'. Name must not be empty and delimiter must not be empty`);
      const end = lines.indexOf(delimiter, at + 1);
      if (end < 0) throw new Error(`Invalid value. Matching delimiter not found '${delimiter}'`);
      pairs.push([name, lines.slice(at + 1, end).join("\n")]);
      at = end;
    } else throw new Error(`Invalid format '${line}'`);
  }
  return pairs;
}
