import { lstatSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { routeInside } from "../../models/core/artifact/plain-path.ts";

/** A field whose rows hold the contents of files: which column names them, and the folder that they are in, absolute. */
export type ContentsField = { field: string; column: string; folder: string };

/**
 * Gives a record the contents of the files that its columns name. They are read at each access and never kept.
 *
 * @returns why the record is unusable, or null
 */
export function addContents(fields: Record<string, unknown>, contents: readonly ContentsField[]): string | null {
  for (const { field, column, folder } of contents) {
    const path = fields[column];
    if (typeof path !== "string" || path === "") return `field "${column}" names no file`;
    const shown = JSON.stringify(path.slice(0, 120));
    const route = routeInside(folder, join(folder, path));
    if (route === null) return `field "${column}" leads out of the folder with the files: ${shown}`;
    const file = join(folder, route);
    const facts = lstatSync(file, { throwIfNoEntry: false });
    if (facts === undefined) return `field "${column}" names a file that is not there: ${shown}`;
    if (!facts.isFile()) return `field "${column}" names what is no file: ${shown}`;
    Object.defineProperty(fields, field, {
      enumerable: true,
      configurable: true,
      get: () => new Uint8Array(readFileSync(file)),
    });
  }
  return null;
}
