import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseDocument } from "yaml";
import { put, type NewFile } from "../../eval/init/set-up.ts";

export type Written = { path: string; how: "new" | "added to" | "kept" };

const ignored = [".sluice/", ".cache/", "node_modules/"];

/** What the files beside the models become: new ones, one line more in those that are there. */
export async function besides(
  root: string,
  dir: string,
  workflows: readonly { path: string; text: string }[],
): Promise<{ files: (NewFile & { how: Written["how"] })[] }> {
  const files: (NewFile & { how: Written["how"] })[] = [];
  const folder = dir.replaceAll("\\", "/");
  const text = await readFile(join(root, "sluice.yaml"), "utf8").catch(() => null);
  if (text === null)
    files.push({ path: "sluice.yaml", content: `schemaVersion: 1\nmodels:\n  - ${folder}\n`, how: "new" });
  else {
    const document = parseDocument(text);
    const models = (document.toJS() as { models?: string[] }).models ?? [];
    if (models.includes(folder)) files.push({ path: "sluice.yaml", content: text, how: "kept" });
    else {
      document.addIn(["models"], folder);
      files.push({ path: "sluice.yaml", content: document.toString({ lineWidth: 0 }), how: "added to" });
    }
  }
  const lines = (await readFile(join(root, ".gitignore"), "utf8").catch(() => "")).split("\n");
  const known = new Set(lines.map((line) => line.trim().replace(/^\//, "").replace(/\/$/, "")));
  const missing = ignored.filter((line) => !known.has(line.replace(/\/$/, "")));
  if (missing.length > 0) {
    const before = lines.join("\n").trimEnd();
    files.push({
      path: ".gitignore",
      content: `${before === "" ? "" : `${before}\n`}${missing.join("\n")}\n`,
      how: existsSync(join(root, ".gitignore")) ? "added to" : "new",
    });
  }
  for (const one of workflows)
    if (existsSync(join(root, one.path))) files.push({ path: one.path, content: "", how: "kept" });
    else files.push({ path: one.path, content: one.text, how: "new" });
  return { files };
}

export async function writeAll(
  root: string,
  files: readonly (NewFile & { how?: Written["how"] })[],
): Promise<Written[]> {
  const written: Written[] = [];
  for (const { how = "new", ...one } of files) {
    if (how === "added to" && "content" in one) await writeFile(join(root, one.path), one.content);
    else if (how === "new") await put(join(root, one.path), one);
    written.push({ path: one.path, how });
  }
  return written;
}
