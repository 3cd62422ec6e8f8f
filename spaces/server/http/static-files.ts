import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";

/** `etag`: without its quotes. `packed`: null for what does not get smaller. */ import {
  packable,
  packed,
  type Packed,
} from "./pack.ts";

export type StaticFile = { path: string; body: Buffer; packed: Packed | null; type: string; etag: string };

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

/** The page runs only what it was shipped with; a Space may be framed by the Hub that shows it. */
export const PAGE_POLICY =
  "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self' https://huggingface.co https://*.hf.space";

/** Every file of a known type in a folder, read once; an absent folder has none. `/index.html` is also `/`. */
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
        packed: packable(type, body) ? packed(body) : null,
        type,
        etag: createHash("sha256").update(body).digest("base64url").slice(0, 27),
      },
    ];
  });
}
