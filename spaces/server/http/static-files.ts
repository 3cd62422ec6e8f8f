import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";

import { compressible, isCompressible, type CompressedBody } from "./compression.ts";

/**
 * `compressed` is null for files that compression does not make smaller. `etag` is a digest of the content, without
 * quotes.
 */
export type StaticFile = { path: string; body: Buffer; compressed: CompressedBody | null; type: string; etag: string };

const TYPES: Record<string, string> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  mjs: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
  json: "application/json; charset=utf-8",
  png: "image/png",
  ico: "image/x-icon",
  webp: "image/webp",
  woff2: "font/woff2",
  webmanifest: "application/manifest+json",
  txt: "text/plain; charset=utf-8",
};

/** The page runs only its own files. @param frameAncestors who may show it in a frame */
export const pagePolicy = (frameAncestors: string): string =>
  `default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' data: blob:; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors ${frameAncestors}`;

/**
 * Reads every file of a known type in a folder; none if the folder does not exist.
 *
 * `@fastify/static` is not used: it compresses nothing itself, so `sluice serve` would send the page uncompressed, and
 * its ETags are made of a file's size and time, which differ between two builds of the same page.
 */
export function readStaticFiles(folder: string): StaticFile[] {
  let names: string[];
  try {
    names = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
  } catch {
    return [];
  }
  return names.flatMap((name) => {
    const type = TYPES[name.split(".").at(-1) ?? ""];
    if (type === undefined || name.includes("node_modules") || name.split(sep).some((part) => part.startsWith(".")))
      return [];
    const body = readFileSync(join(folder, name));
    return [
      {
        path: `/${name.split(sep).join("/")}`,
        body,
        compressed: isCompressible(type, body) ? compressible(body) : null,
        type,
        etag: createHash("sha256").update(body).digest("base64url").slice(0, 27),
      },
    ];
  });
}
