import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createServer, request, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll } from "vitest";
import { parse } from "csv-parse/sync";
import { root } from "../spaces/server/harness.ts";

const NODE = join(root, "node_modules/node/bin/node");
const leftovers: (() => void)[] = [];
afterAll(() => {
  for (const end of leftovers) end();
});

export type Run = { code: number | null; stdout: string; stderr: string };
export type Running = { child: ChildProcess; ended: Promise<Run> };

/** `sluice predict …` in a process of its own. */
export function start(args: readonly string[], env: Record<string, string> = {}): Running {
  const child = spawn(NODE, [join(root, "cli.ts"), "predict", ...args], {
    cwd: root,
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  leftovers.push(() => child.kill("SIGKILL"));
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += String(chunk);
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += String(chunk);
  });
  return {
    child,
    ended: new Promise((resolve) => {
      child.once("close", (code) => resolve({ code, stdout, stderr }));
    }),
  };
}

export const predict = (args: readonly string[], env: Record<string, string> = {}): Promise<Run> =>
  start(args, env).ended;

/** What happens to a POST: it is passed on, answered instead of the server, cut off, or never answered. */
export type Fate =
  | "pass"
  | "reset"
  | "hang"
  | { status: number; retryAfter?: string; location?: string; body?: string };
export type Post = { number: number; atMs: number; body: string };

/** A proxy in front of a server that decides what happens to every POST, counted from 0. GETs pass. */
export async function proxyOf(
  target: string,
  fateOf: (post: Post) => Fate,
): Promise<{ url: string; posts: Post[]; close: () => void }> {
  const posts: Post[] = [];
  const pass = (incoming: IncomingMessage, body: Buffer, response: ServerResponse) => {
    const on = request(target + incoming.url, { method: incoming.method, headers: incoming.headers }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
    });
    on.on("error", () => response.destroy());
    on.end(body);
  };
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming
      .on("data", (chunk: Buffer) => {
        chunks.push(chunk);
      })
      .on("end", () => {
        const body = Buffer.concat(chunks);
        if (incoming.method !== "POST") return pass(incoming, body, response);
        const post = { number: posts.length, atMs: performance.now(), body: String(body) };
        posts.push(post);
        const fate = fateOf(post);
        if (fate === "pass") pass(incoming, body, response);
        else if (fate === "reset") incoming.socket.resetAndDestroy();
        else if (fate !== "hang")
          response
            .writeHead(fate.status, {
              ...(fate.retryAfter === undefined ? {} : { "retry-after": fate.retryAfter }),
              ...(fate.location === undefined ? {} : { location: fate.location }),
            })
            .end(fate.body ?? "<h1>busy</h1>");
      });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  leftovers.push(close);
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, posts, close };
}

export type Row = Record<string, string>;
export const rowsOf = (file: string): Row[] => parse(readFileSync(file, "utf8"), { columns: true }) as Row[];
/** The complete lines of a file so far, without a header. */
export const linesIn = (file: string): number =>
  existsSync(file) ? Math.max(0, readFileSync(file, "utf8").split("\n").length - 2) : 0;
