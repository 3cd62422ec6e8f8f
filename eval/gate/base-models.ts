import { posix, relative, resolve } from "node:path";
import { parseDocument } from "yaml";
import { parseYaml } from "../../models/core/manifest/config-file.ts";
import { task, type Task } from "../../models/core/manifest/manifest.ts";
import { remoteBackends } from "../../models/remote/manifest.ts";
import { configuration, type Configuration } from "../schema/configuration.ts";
import type { Reference } from "./baseline.ts";
import { readAt, slashed, topLevel, type Git } from "./git.ts";

/** A model as a commit has it. */
export type BaseModel = {
  id: string;
  version: string;
  task: Task;
  /** Its folder, from the repository's top level. */
  folder: string;
  /** The content of model.yaml, before any schema: an older version of Sluice may have written it. */
  plain: Readonly<Record<string, unknown>>;
};

/** What a commit's sluice.yaml says. `models`: those that a gate can judge, so none that a provider answers for. */
export type BaseModels = {
  commit: string;
  label: string;
  production: string;
  retired: readonly string[];
  reporting: Configuration["reporting"];
  models: readonly BaseModel[];
};

/**
 * Reads the models of a commit. Where the commit has no such sluice.yaml, it is asked for the folders that the
 * candidate's names.
 *
 * @param configFile absolute path of the candidate's sluice.yaml
 * @param own the candidate's configuration
 * @returns null when the reference is not a commit
 * @throws ConfigurationError when the commit's sluice.yaml does not fit the schema
 */
export async function readBaseModels(
  reference: Reference,
  configFile: string,
  own: Pick<Configuration, "models" | "production" | "reporting">,
  root: string,
  git: Git,
): Promise<BaseModels | null> {
  if (reference.kind !== "commit") return null;
  const { commit, label } = reference;
  const top = await topLevel(git, root);
  const inTop = (path: string) => slashed(relative(top, resolve(root, path)));
  const text = await readAt(git, commit, inTop(configFile));
  const config =
    text === null
      ? { ...own, retired: [] }
      : parseYaml(text, `${inTop(configFile)} at ${label}`, configuration, { models: "models: [models/mood]" });
  const models: BaseModel[] = [];
  for (const folder of config.models.map(inTop)) {
    const manifest = await readAt(git, commit, posix.join(folder, "model.yaml"));
    const model = manifest === null ? null : modelOf(manifest, folder);
    if (model !== null && !remoteBackends.includes(model.plain["backend"])) models.push(model);
  }
  const { production, retired, reporting } = config;
  return { commit, label, production, retired, reporting, models };
}

/** Null for a text that names no model: then there is nothing that a candidate could continue. */
function modelOf(text: string, folder: string): BaseModel | null {
  let plain: unknown;
  try {
    plain = parseDocument(text).toJS();
  } catch {
    return null;
  }
  if (typeof plain !== "object" || plain === null || Array.isArray(plain)) return null;
  const { id, version, task: declared } = plain as Record<string, unknown>;
  const parsed = task.safeParse(declared);
  return typeof id === "string" && parsed.success
    ? { id, version: String(version), task: parsed.data, folder, plain: plain as Record<string, unknown> }
    : null;
}
