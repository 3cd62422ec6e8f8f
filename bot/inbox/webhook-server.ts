import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { errorLine, type Log } from "../context/log.ts";
import type { Received } from "./receive.ts";

const maxTelegramBytes = 256 * 1024;
const maxGitHubBytes = 5 * 1024 * 1024;

export type WebhookServerDeps = {
  host: string;
  port: number;
  log: Log;
  telegram: { path: string; secret: string; receive: (update: unknown) => Received } | null;
  github: { path: string; secret: string; onEvent: (event: string, delivery: string) => void } | null;
  isReady: () => boolean;
};

export type WebhookServer = { port: number; close: () => Promise<void> };

/**
 * Listens for the webhooks of Telegram and GitHub, and answers /livez and /readyz. The sender is verified before a body
 * is parsed.
 */
export async function createWebhookServer(deps: WebhookServerDeps): Promise<WebhookServer> {
  const server = createServer((request, response) => {
    respond(deps, request, response).catch((error: unknown) => {
      deps.log.warn("webhook-server-failed", { error: errorLine(error) });
      // Telegram and GitHub send it again after a 500.
      if (!response.headersSent) end(response, 500);
    });
  });
  server.requestTimeout = 10_000;
  server.headersTimeout = 5_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(deps.port, deps.host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeIdleConnections();
      }),
  };
}

async function respond(
  { telegram, github, isReady }: WebhookServerDeps,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = (request.url ?? "/").split("?", 1)[0];
  if (request.method === "GET" && path === "/livez") return end(response, 200, "alive\n");
  if (request.method === "GET" && path === "/readyz")
    return end(response, isReady() ? 200 : 503, isReady() ? "ready\n" : "starting\n");
  if (telegram !== null && path === telegram.path) {
    if (request.method !== "POST") return end(response, 405);
    // Check the secret first, so that a forger's body is never read.
    if (!equal(header(request, "x-telegram-bot-api-secret-token"), telegram.secret)) return end(response, 401);
    const body = await readBody(request, maxTelegramBytes);
    if (body === null) return end(response, 413);
    const update = parse(body);
    const received = typeof update === "object" && update !== null ? telegram.receive(update) : "malformed";
    return end(response, received === "malformed" ? 400 : 200);
  }
  if (github !== null && path === github.path) {
    if (request.method !== "POST") return end(response, 405);
    const body = await readBody(request, maxGitHubBytes);
    if (body === null) return end(response, 413);
    const right = `sha256=${createHmac("sha256", github.secret).update(body).digest("hex")}`;
    if (!equal(header(request, "x-hub-signature-256"), right)) return end(response, 401);
    github.onEvent(header(request, "x-github-event"), header(request, "x-github-delivery"));
    return end(response, 202);
  }
  return end(response, 404);
}

function end(response: ServerResponse, status: number, text = ""): void {
  response
    .writeHead(status, {
      "content-type": "text/plain; charset=utf-8",
      ...(status >= 400 ? { connection: "close" } : {}),
    })
    .end(text);
}

function header(request: IncomingMessage, name: string): string {
  const value = request.headers[name];
  return typeof value === "string" ? value : "";
}

/** Compares in a time that does not reveal where two texts differ, whatever their lengths. */
function equal(given: string, right: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(right));
}

/**
 * The whole body; null if it is too large. Chunks are joined before decoding, because one may end inside a UTF-8
 * character.
 */
async function readBody(request: IncomingMessage, maxSize: number): Promise<Buffer | null> {
  if (Number(request.headers["content-length"] ?? 0) > maxSize) return null;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > maxSize) return null;
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8")) as unknown;
  } catch {
    return null;
  }
}
