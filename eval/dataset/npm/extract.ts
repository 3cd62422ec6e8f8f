import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import * as tar from "tar";
import { EvaluationError } from "../../../models/core/errors.ts";

const regular = new Set(["File", "OldFile", "ContiguousFile"]);

/**
 * Unpacks one file, or every file below one folder, from a package's tarball into `folder`. Only regular files at or
 * below the wanted path are written: no links, no devices, nothing outside the folder. Each file appears complete (by
 * rename), so two processes may do this at the same time.
 * @param wanted path inside the package, "/"-separated, without `..`
 * @param maxBytes largest total size of the unpacked files
 * @throws EvaluationError `npm-no-such-file`, `npm-link`, `npm-too-large`, `npm-damaged`
 */
export async function extractFromTarball(
  tarball: string,
  wanted: string,
  folder: string,
  spec: string,
  maxBytes = 4_000_000_000,
): Promise<void> {
  const place = `${spec}/${wanted}`;
  const taken: string[] = [];
  const others: string[] = [];
  const links: string[] = [];
  let bytes = 0;
  await mkdir(folder, { recursive: true });
  const work = await mkdtemp(join(folder, `.extract-${randomBytes(4).toString("hex")}-`));
  try {
    await tar.extract({
      file: tarball,
      cwd: work,
      strip: 1,
      strict: true,
      preservePaths: false,
      filter: (path, entry) => {
        // npm packs everything below one folder, which is usually but not always called "package".
        const segments = path.split("/").slice(1);
        const inside = segments.join("/");
        if (segments.includes("..") || (inside !== wanted && !inside.startsWith(`${wanted}/`))) {
          if (others.length < 2000) others.push(inside);
          return false;
        }
        const type = "type" in entry ? String(entry.type) : "";
        if (type === "Directory" || type === "GNUDumpDir") return false;
        if (!regular.has(type)) {
          links.push(`${inside} (${type})`);
          return false;
        }
        bytes += entry.size;
        if (bytes > maxBytes) return false;
        taken.push(inside);
        return true;
      },
    });
    if (links.length > 0)
      throw new EvaluationError({
        code: "npm-link",
        place,
        problem: "the package holds something other than a regular file there",
        received: links[0]!,
      });
    if (bytes > maxBytes)
      throw new EvaluationError({
        code: "npm-too-large",
        place,
        problem: `the files unpack to more than ${maxBytes} bytes`,
      });
    if (taken.length === 0)
      throw new EvaluationError({
        code: "npm-no-such-file",
        place,
        problem: "the package has no such file",
        ...(others.length > 0 ? { received: `among others: ${others.slice(0, 10).join(", ")}` } : {}),
      });
    for (const path of new Set(taken)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await rename(join(work, path), join(folder, path));
    }
  } catch (cause) {
    if (cause instanceof EvaluationError) throw cause;
    throw new EvaluationError(
      { code: "npm-damaged", place, problem: "the tarball cannot be unpacked", received: (cause as Error).message },
      { cause },
    );
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
