import { existsSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parse } from "yaml";
import { folderBeside, folderInside, modelsNamed } from "../../../models/core/graph/nodes.ts";
import type { Registry, Slot } from "../serving/registry.ts";

const EVERY_MS = 1000;

/**
 * Reloads a model when its folder has changed since it was loaded. The folders are polled once a second, because
 * file-system notifications do not survive a folder that is replaced as a whole (a checkout, a mounted volume). A
 * change counts only when two polls in a row see the same content, so that a half-written file is not read.
 *
 * @returns a function that stops the polling.
 */
export function watchModels(registry: Pick<Registry, "slots" | "reload">, everyMs = EVERY_MS): () => void {
  const seen = new Map<Slot, string>();
  let busy = false;
  const look = async () => {
    if (busy) return;
    busy = true;
    try {
      for (const slot of registry.slots()) {
        const now = await fingerprint(slot.dir);
        if (now !== slot.loadedFrom && seen.get(slot) === now) await registry.reload(slot);
        seen.set(slot, now);
      }
    } finally {
      busy = false;
    }
  };
  const timer = setInterval(() => void look(), everyMs);
  timer.unref();
  return () => clearInterval(timer);
}

/**
 * Names, sizes, times and inodes of the folder's own files, and of those of a composition's models. Sub-folders (data,
 * training) do not belong to the model.
 */
export function fingerprint(dir: string): Promise<string> {
  return fingerprintWithin(dir, []);
}

/** @param within the compositions that this model is a part of; a broken one may be a part of itself */
async function fingerprintWithin(dir: string, within: readonly string[]): Promise<string> {
  const own = await ofFolder(dir);
  const steps = within.includes(resolve(dir)) ? [] : await stepDirs(dir);
  const below = steps.map((step) => fingerprintWithin(step, [...within, resolve(dir)]));
  return [own, ...(await Promise.all(below))].join("\n");
}

/** The folders of the models that a composition names, in it or beside it; none for any other model. */
async function stepDirs(dir: string): Promise<string[]> {
  const text = await readFile(join(dir, "model.yaml"), "utf8").catch(() => "");
  if (!/^backend:\s*["']?graph\b/m.test(text)) return [];
  let plain: unknown;
  try {
    plain = parse(text);
  } catch {
    return [];
  }
  return modelsNamed(plain).map((model) => {
    const inside = join(dir, folderInside(model));
    return existsSync(inside) ? inside : join(dir, folderBeside(plain, model));
  });
}

async function ofFolder(dir: string): Promise<string> {
  try {
    const entries = await readdir(dir, { withFileTypes: true });
    const facts = await Promise.all(
      entries
        .filter((entry) => !entry.isDirectory())
        .map(async ({ name }) => {
          const { size, mtimeMs, ino } = await stat(join(dir, name));
          return `${name}:${size}:${mtimeMs}:${ino}`;
        }),
    );
    return facts.toSorted().join("\n");
  } catch {
    return "unreadable";
  }
}
