import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
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
 * Names, sizes, times and inodes of the folder's own files. Sub-folders (data, training) do not belong to the model.
 */
export async function fingerprint(dir: string): Promise<string> {
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
