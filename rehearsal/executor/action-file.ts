import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";

/** The parts of action.yml that a JavaScript action needs. */
type ActionFile = {
  name: string;
  inputs: Readonly<Record<string, { default?: unknown; required?: boolean; deprecationMessage?: string } | null>>;
  runs: { using: string; main?: string; pre?: string; "pre-if"?: string; post?: string; "post-if"?: string };
};

/** @throws Error with the runner's words, also for kinds of actions that the rehearsal does not run */
export async function readActionFile(directory: string, uses: string): Promise<ActionFile> {
  for (const name of ["action.yml", "action.yaml"]) {
    const text = await readFile(join(directory, name), "utf8").catch(() => null);
    if (text === null) continue;
    const raw = parse(text) as Partial<ActionFile>;
    const using = raw.runs?.using ?? "";
    if (using !== "node24")
      throw new Error(`${uses}: the rehearsal runs actions of runs.using node24; received ${using || "nothing"}`);
    return { name: raw.name ?? uses, inputs: raw.inputs ?? {}, runs: raw.runs as ActionFile["runs"] };
  }
  throw new Error(
    `Can't find 'action.yml', 'action.yaml' or 'Dockerfile' under '${directory}'. Did you forget to run actions/checkout before running your local action?`,
  );
}
