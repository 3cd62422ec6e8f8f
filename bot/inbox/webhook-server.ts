import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { inWords, type Log } from "../context/log.ts";
import type { Taken } from "./inbox-worker.ts";

const maxTelegramBytes = 256 * 1024;
const maxGitHubBytes = 5 * 1024 * 1024;

export type FrontDeps = {
  host: string;
  port: number;
  log: Log;
  telegram: { path: string; secret: string; take: (update: unknown) => Taken } | null;
  github: { path: string; secret: string; heard: (event: string, delivery: string) => void } | null;
  isReady: () => boolean;
};

export type Front = { port: number; close: () => Promise<void> };

/** The bot's own HTTP: both webhooks, liveness and readiness. Nothing is parsed before its sender is proved. */
export async function openFront(deps: FrontDeps): Promise<Front> {
  const server = createServer((request, response) => {
    respond(deps, request, response).catch((error: unknown) => {
      deps.log.warn("front-failed", { error: inWords(error) });
      // Telegram and GitHub come again after a 500.
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
  { telegram, github, isReady }: FrontDeps,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = (request.url ?? "/").split("?", 1)[0];
  if (request.method === "GET" && path === "/livez") return end(response, 200, "alive\n");
  if (request.method === "GET" && path === "/readyz")
    return end(response, isReady() ? 200 : 503, isReady() ? "ready\n" : "starting\n");
  if (telegram !== null && path === telegram.path) {
    if (request.method !== "POST") return end(response, 405);
    // The secret comes first: nothing of a forger's body is read.
    if (!equal(header(request, "x-telegram-bot-api-secret-token"), telegram.secret)) return end(response, 401);
    const body = await readBody(request, maxTelegramBytes);
    if (body === null) return end(response, 413);
    const update = parse(body);
    const taken = typeof update === "object" && update !== null ? telegram.take(update) : "malformed";
    return end(response, taken === "malformed" ? 400 : 200);
  }
  if (github !== null && path === github.path) {
    if (request.method !== "POST") return end(response, 405);
    const body = await readBody(request, maxGitHubBytes);
    if (body === null) return end(response, 413);
    const right = `sha256=${createHmac("sha256", github.secret).update(body).digest("hex")}`;
    if (!equal(header(request, "x-hub-signature-256"), right)) return end(response, 401);
    github.heard(header(request, "x-github-event"), header(request, "x-github-delivery"));
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

/** Compares in a time that tells nothing, whatever the lengths. */
function equal(given: string, right: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(right));
}

/** The whole body, its chunks joined before they are read as UTF-8; null where it is too large. */
async function readBody(request: IncomingMessage, most: number): Promise<Buffer | null> {
  if (Number(request.headers["content-length"] ?? 0) > most) return null;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > most) return null;
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
