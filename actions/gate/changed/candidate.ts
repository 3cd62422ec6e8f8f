import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { parse } from "yaml";

const escapeWorkflowCommands = /^[\w.+-]{1,64}$/;

/**
 * ID@VERSION of the model in a folder; the folder's name where its model.yaml cannot be read. Nothing is judged here:
 * the gate complains about the file, with line and column.
 */
export async function candidateName(folder: string): Promise<string> {
  const manifest = await readManifest(folder);
  const field = (name: string): string | null => {
    const value = manifest[name];
    return (typeof value === "string" || typeof value === "number") && escapeWorkflowCommands.test(String(value))
      ? String(value)
      : null;
  };
  const [id, version] = [field("id") ?? basename(folder), field("version")];
  return version === null ? id : `${id}@${version}`;
}

/** Whether there is something to judge in a folder: a model that a remote provider runs has no artifact. */
export async function isJudged(folder: string): Promise<boolean> {
  return (await readManifest(folder))["backend"] !== "hf-inference";
}

async function readManifest(folder: string): Promise<Record<string, unknown>> {
  const manifest: unknown = await readFile(join(folder, "model.yaml"), "utf8")
    .then((text) => parse(text) as unknown)
    .catch(() => null);
  return typeof manifest === "object" && manifest !== null ? (manifest as Record<string, unknown>) : {};
}
