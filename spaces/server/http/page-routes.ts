import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Serving } from "./context.ts";
import { encodingFor } from "./compression.ts";
import { wantsPage } from "./negotiate.ts";
import { pagePolicy, readStaticFiles, type StaticFile } from "./static-files.ts";

/** GET / (the page for a browser, a health line for other clients) and the page's files. */
export function pageRoutes(app: FastifyInstance, serving: Serving, folder: string): void {
  const files = readStaticFiles(folder);
  const policy = pagePolicy(serving.settings.frameAncestors);
  const page = files.find(({ path }) => path === "/index.html");
  app.get("/", (request, reply) => {
    void reply.header("vary", "Accept");
    if (page !== undefined && wantsPage(request.headers.accept)) return sendFile(request, reply, page, policy);
    const slot = serving.registry.defaultSlot();
    if (slot.state.kind === "ready" && slot.state.model.condition().state === "ready" && !serving.lifecycle.draining)
      return reply.send({ status: "healthy", model: `${slot.id} v${slot.state.model.version}` });
    return reply
      .code(503)
      .header("retry-after", "1")
      .send({
        status: serving.lifecycle.draining
          ? "draining"
          : slot.state.kind === "broken"
            ? "unhealthy"
            : slot.state.kind === "ready"
              ? slot.state.model.condition().state
              : "starting",
        model: slot.id,
      });
  });
  for (const file of files) app.get(file.path, (request, reply) => sendFile(request, reply, file, policy));
}

async function sendFile(
  request: FastifyRequest,
  reply: FastifyReply,
  file: StaticFile,
  policy: string,
): Promise<FastifyReply> {
  const encoding = file.compressed === null ? "identity" : encodingFor(request.headers["accept-encoding"]);
  const etag = `"${file.etag}${encoding === "identity" ? "" : `-${encoding}`}"`;
  void reply.headers({
    etag,
    "cache-control": "no-cache",
    "content-type": file.type,
    "content-security-policy": policy,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
  });
  const known = (request.headers["if-none-match"] ?? "").split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  if (known.includes(etag) || known.includes("*")) return reply.code(304).send();
  if (file.compressed !== null)
    void reply.header(
      "vary",
      String(reply.getHeader("vary") ?? "") === ""
        ? "Accept-Encoding"
        : `${String(reply.getHeader("vary"))}, Accept-Encoding`,
    );
  if (file.compressed === null || encoding === "identity") return reply.send(file.body);
  return reply.header("content-encoding", encoding).send(await file.compressed(encoding));
}
