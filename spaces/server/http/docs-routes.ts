import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import type { Serving } from "./context.ts";
import { openApi } from "./openapi.ts";
import { compressible, encodingFor, type CompressedBody } from "./compression.ts";

const DOCS_POLICY = [
  "default-src 'self'",
  "script-src 'self' 'unsafe-inline'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
].join("; ");

const VIEWER = "/docs/rapidoc.js";

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sluice API</title>
<script type="module" src="${VIEWER}"></script>
<style>body { margin: 0 }</style>
<rapi-doc id="api" spec-url="/openapi.json" render-style="read" schema-style="table" show-header="false"
  load-fonts="false" allow-server-selection="false" allow-spec-url-load="false" allow-spec-file-load="false"
  primary-color="#0969da" regular-font="system-ui, sans-serif" mono-font="ui-monospace, monospace"></rapi-doc>
<script>
  const isDark = matchMedia("(prefers-color-scheme: dark)").matches;
  document.getElementById("api").setAttribute("theme", isDark ? "dark" : "light");
</script>
</html>
`;

/**
 * GET /openapi.json and its page. The page's script lies among the built page's files; from the sources it is the
 * package's own.
 */
export function docsRoutes(app: FastifyInstance, serving: Serving, uiDir: string): void {
  app.get("/openapi.json", () => openApi(serving));
  app.get("/docs", (_request, reply) =>
    reply
      .headers({
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": DOCS_POLICY,
        "x-content-type-options": "nosniff",
      })
      .send(PAGE),
  );
  if (existsSync(join(uiDir, VIEWER))) return;
  let viewer: Promise<CompressedBody> | null = null;
  app.get(VIEWER, async (request, reply) => {
    viewer ??= readFile(createRequire(import.meta.url).resolve("rapidoc/dist/rapidoc-min.js")).then(compressible);
    const encoding = encodingFor(request.headers["accept-encoding"]);
    return reply
      .headers({
        vary: "Accept-Encoding",
        ...(encoding === "identity" ? {} : { "content-encoding": encoding }),
        "content-type": "text/javascript; charset=utf-8",
        "x-content-type-options": "nosniff",
      })
      .send(await (await viewer)(encoding));
  });
}
