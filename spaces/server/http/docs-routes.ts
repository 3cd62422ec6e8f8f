import type { FastifyInstance } from "fastify";
import type { Serving } from "./context.ts";
import { openApi } from "./openapi.ts";
import { compressible, encodingFor, type CompressedBody } from "./compression.ts";

const DOCS_POLICY =
  "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; object-src 'none'; base-uri 'none'";

/** GET /openapi.json and its page. The page's script is large, so it is loaded at the first visit. */
export function docsRoutes(app: FastifyInstance, serving: Serving): void {
  app.get("/openapi.json", () => openApi(serving));
  /** Bodies by path; the script has some megabytes and is compressed once. */
  const contents = new Map<string, CompressedBody>();
  let page: Promise<FastifyInstance> | null = null;
  const docs = async () => {
    const [{ default: Fastify }, { default: reference }] = await Promise.all([
      import("fastify"),
      import("@scalar/fastify-api-reference"),
    ]);
    const inner = Fastify({ logger: false });
    await inner.register(reference, {
      routePrefix: "/docs",
      configuration: {
        url: "/openapi.json",
        pageTitle: "Sluice API",
        withDefaultFonts: false,
        hideClientButton: true,
        telemetry: false,
        showDeveloperTools: "never",
        agent: { disabled: true },
        mcp: { disabled: true },
      },
    });
    await inner.ready();
    return inner;
  };
  for (const path of ["/docs", "/docs/js/scalar.js"]) {
    app.get(path, async (request, reply) => {
      page ??= docs();
      const answer = await (
        await page
      ).inject({ method: "GET", url: path === "/docs" ? "/docs/" : path, headers: { host: "localhost" } });
      // The page refers to its script by a relative path, but is served with and without a final slash.
      contents.set(
        path,
        contents.get(path) ??
          compressible(
            Buffer.from(path === "/docs" ? answer.body.replaceAll("js/scalar.js", "/docs/js/scalar.js") : answer.body),
          ),
      );
      const encoding = encodingFor(request.headers["accept-encoding"]);
      const body = await contents.get(path)!(encoding);
      return reply
        .code(answer.statusCode)
        .headers({
          vary: "Accept-Encoding",
          ...(encoding === "identity" ? {} : { "content-encoding": encoding }),
          "content-type": String(answer.headers["content-type"]),
          "content-security-policy": DOCS_POLICY,
          "x-content-type-options": "nosniff",
          ...(path === "/docs" ? {} : { "cache-control": "public, max-age=86400" }),
        })
        .send(body);
    });
  }
}
