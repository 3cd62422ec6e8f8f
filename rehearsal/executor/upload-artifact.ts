import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { fileExpression } from "./globs.ts";
import { isTrue, refuse, type ActionCall, type PlayedAction } from "./played-action.ts";

const magic = /[*?[]/;

/** The deepest folder of a pattern before its first wildcard. */
function searchPath(pattern: string): string {
  const parts = pattern.split(sep);
  const wild = parts.findIndex((part) => magic.test(part));
  return wild < 0 ? pattern : parts.slice(0, wild).join(sep) || sep;
}

async function walk(path: string, hidden: boolean, found: string[]): Promise<void> {
  const stats = await stat(path).catch(() => null);
  // As in @actions/glob, an item whose own name starts with a dot is left out, whatever the pattern says.
  if (stats === null || (!hidden && basename(path).startsWith("."))) return;
  if (!stats.isDirectory()) {
    found.push(path);
    return;
  }
  for (const name of (await readdir(path)).sort()) await walk(join(path, name), hidden, found);
}

function commonDirectory(paths: readonly string[]): string {
  const [first = sep, ...others] = paths.map((path) => path.split(sep));
  const parts = first as string[];
  const length = others.reduce((sofar, other) => {
    let at = 0;
    while (at < sofar && parts[at] === other[at]) at += 1;
    return at;
  }, parts.length);
  return parts.slice(0, length).join(sep) || sep;
}

/** The files by their names in the zip, which are relative to the deepest common folder of all search paths. */
async function filesOf(call: ActionCall): Promise<Map<string, string>> {
  const lines = (call.inputs["path"] ?? "")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
  if (lines.length === 0) throw new Error("Input required and not supplied: path");
  const absolute = (line: string) => resolve(call.workspace, line.replace(/^~(?=\/|$)/, call.env["HOME"] ?? "~"));
  const wanted = lines.filter((line) => !line.startsWith("!")).map(absolute);
  const unwanted = lines.filter((line) => line.startsWith("!")).map((line) => absolute(line.slice(1)));
  const covers = (patterns: readonly string[], path: string) =>
    patterns.some((pattern) =>
      magic.test(pattern)
        ? fileExpression(pattern).test(path) || fileExpression(`${pattern}/**`).test(path)
        : path === pattern || path.startsWith(pattern + sep),
    );
  const searched = [...new Set(wanted.map(searchPath))];
  const found: string[] = [];
  for (const path of searched) await walk(path, isTrue(call, "include-hidden-files"), found);
  const files = [...new Set(found)].filter((path) => covers(wanted, path) && !covers(unwanted, path));
  const [only] = searched;
  const root =
    searched.length > 1
      ? commonDirectory(searched)
      : files.length === 1 && only === files[0]
        ? dirname(only as string)
        : (only as string);
  return new Map(files.map((path) => [relative(root, path).split(sep).join("/"), path]));
}

async function run(call: ActionCall): Promise<void> {
  refuse(call, uploadArtifact, ["archive"]);
  const name = call.inputs["name"] as string;
  if (name === "" || /["<>|*?\r\n\\/:]/.test(name))
    throw new Error(
      `The artifact name is not valid: ${name}. Contains one of the following characters: " : < > | * ? \\r \\n \\ /`,
    );
  const policy = call.inputs["if-no-files-found"] as string;
  if (!["warn", "error", "ignore"].includes(policy))
    throw new Error(`Unrecognized if-no-files-found input. Provided: ${policy}. Available options: warn,error,ignore`);
  const days = Number(call.inputs["retention-days"] || 0);
  if (!Number.isInteger(days) || days < 0 || days > 90)
    throw new Error(`Invalid retention-days: ${call.inputs["retention-days"]}`);
  const files = await filesOf(call);
  if (files.size === 0) {
    const message = `No files were found with the provided path: ${call.inputs["path"]}. No artifacts will be uploaded.`;
    if (policy === "error") throw new Error(message);
    if (policy === "warn") call.warn(message);
    else call.log(message);
    return;
  }
  call.log(`With the provided path, there will be ${files.size} file${files.size === 1 ? "" : "s"} uploaded`);
  const artifact = await call.artifacts.upload(call.run, name, files, isTrue(call, "overwrite"));
  call.log(
    `Artifact ${name} has been successfully uploaded! Final size is ${artifact.sizeBytes} bytes. Artifact ID is ${artifact.id}`,
  );
  call.output("artifact-id", String(artifact.id));
  call.output("artifact-digest", artifact.digest.replace("sha256:", ""));
  call.output(
    "artifact-url",
    `${call.platform.serverUrl}/${call.repository}/actions/runs/${call.run.id}/artifacts/${artifact.id}`,
  );
}

/** actions/upload-artifact: a real zip, kept by the executor. */
export const uploadArtifact: PlayedAction = {
  inputs: {
    name: "artifact",
    path: "",
    "if-no-files-found": "warn",
    "retention-days": "",
    "compression-level": "6",
    overwrite: "false",
    "include-hidden-files": "false",
    archive: "true",
  },
  run,
};
