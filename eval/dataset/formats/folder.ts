import { readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { extname, join } from "node:path";
import { EvaluationError } from "../../../models/core/errors.ts";
import type { Reading } from "./reading.ts";

const textual = new Set([".txt", ".md"]);
const audible = new Set([".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".webm", ".m4a", ".mp4", ".aac"]);
const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);

/**
 * One record per file LABEL/FILE, sorted by label, then by file name, so that the order does not depend on the file
 * system. Fields: `label` (the sub-folder's name), `path` (LABEL/FILE) and the content: `text` for .txt and .md files,
 * `audio` (bytes) for sound files, `image` (bytes) for all others. The content is read at each access and never kept. Hidden files are skipped. Links,
 * and files beside the sub-folders, are malformed.
 */
export async function* readFolder(folder: string, name: string): AsyncGenerator<Reading> {
  let index = 0;
  const labels = (await readdir(folder, { withFileTypes: true }))
    .filter((entry) => !entry.name.startsWith("."))
    .sort(byName);
  if (!labels.some((entry) => entry.isDirectory()))
    throw new EvaluationError({
      code: "folder-without-labels",
      place: name,
      problem: "the folder has no sub-folders",
      expected: "one sub-folder per label, one file per row",
      example: `${name}/cat/1.png\n${name}/dog/2.png`,
    });
  for (const label of labels) {
    if (!label.isDirectory()) {
      yield { kind: "malformed", index: index++, at: label.name, reason: "not inside a label's sub-folder" };
      continue;
    }
    const files = (await readdir(join(folder, label.name), { withFileTypes: true }))
      .filter((entry) => !entry.name.startsWith("."))
      .sort(byName);
    for (const file of files) {
      const path = `${label.name}/${file.name}`;
      if (!file.isFile()) {
        yield { kind: "malformed", index: index++, at: path, reason: "not a regular file" };
        continue;
      }
      const absolute = join(folder, label.name, file.name);
      const fields: Record<string, unknown> = { label: label.name, path };
      const extension = extname(file.name).toLowerCase();
      const isText = textual.has(extension);
      Object.defineProperty(fields, isText ? "text" : audible.has(extension) ? "audio" : "image", {
        enumerable: true,
        configurable: true,
        get: () => (isText ? readFileSync(absolute, "utf8") : new Uint8Array(readFileSync(absolute))),
      });
      yield { kind: "record", index: index++, at: path, fields };
    }
  }
}
