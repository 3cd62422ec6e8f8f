import { spawn } from "node:child_process";
import { once } from "node:events";
import { freePort } from "../serving/processes.ts";

/** Starts Debian's redis-server, which keeps nothing on disk, for as long as `measure` takes. */
export async function withRedis<T>(folder: string, measure: (port: number) => Promise<T> | T): Promise<T> {
  const port = await freePort();
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder];
  const server = spawn("redis-server", args, { stdio: ["ignore", "pipe", "inherit"] });
  try {
    await new Promise<void>((ready, failed) => {
      server.once("error", failed);
      server.stdout.on("data", (chunk: Buffer) => {
        if (String(chunk).includes("Ready to accept connections")) ready();
      });
    });
    return await measure(port);
  } finally {
    server.kill();
    await once(server, "exit");
  }
}
