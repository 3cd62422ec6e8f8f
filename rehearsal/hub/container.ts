import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { connect, createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { Commit, Repository } from "./repository.ts";

const modules = resolve(import.meta.dirname, "../../node_modules");

/** The result of an image build: a folder with the commit's tree, and the command to start. */
export type Image = { dir: string; command: string[]; remove(): void };

/**
 * Builds a Space's image as far as possible without a container engine. It reads the Dockerfile's CMD, lays out the
 * tree, and links the repository's own node_modules where `npm ci` would have installed the pinned native packages.
 *
 * @throws Error with the last line of the build's log
 */
export function buildImage(repository: Repository, commit: Commit, log: (line: string) => void): Image {
  const dockerfile = repository.read(commit, "Dockerfile")?.toString("utf8");
  if (dockerfile === undefined)
    throw new Error("failed to read dockerfile: open Dockerfile: no such file or directory");
  const steps = dockerfile
    .replaceAll(/\\\n/g, " ")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
  if (!steps.some((line) => line.startsWith("FROM ")))
    throw new Error("dockerfile parse error: no build stage in current context");
  const cmd = steps.findLast((line) => line.startsWith("CMD "));
  if (cmd === undefined) throw new Error("No command specified");
  const dir = mkdtempSync(join(tmpdir(), "sluice-space-"));
  for (const [i, step] of steps.entries()) {
    log(`#${i + 1} [${i + 1}/${steps.length}] ${step}`);
    const copy = /^COPY (?:--\S+ )*(.+)$/.exec(step)?.[1]?.split(/\s+/).slice(0, -1) ?? [];
    for (const source of copy.map((one) => one.replace(/\/$/, ""))) {
      if (source === "." || [...commit.tree.keys()].some((path) => path === source || path.startsWith(`${source}/`)))
        continue;
      rmSync(dir, { recursive: true, force: true });
      throw new Error(`failed to compute cache key: "/${source}": not found`);
    }
  }
  for (const path of commit.tree.keys()) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), repository.read(commit, path)!);
  }
  if (existsSync(join(dir, "package.json"))) symlinkSync(modules, join(dir, "node_modules"));
  return {
    dir,
    command: JSON.parse(cmd.slice(4)) as string[],
    remove: () => {
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** A Space's running process. `port` is its app_port as seen from outside. */
export type Container = { sha: string; port: number; exited: Promise<number>; stop(): Promise<void> };

export async function startContainer(
  image: Image,
  sha: string,
  variables: Record<string, string>,
  onLine: (line: string) => void,
): Promise<Container> {
  const port = await freePort();
  const [program, ...parameters] = image.command as [string, ...string[]];
  const child: ChildProcess = spawn(program === "node" ? process.execPath : program, parameters, {
    cwd: image.dir,
    env: {
      PATH: process.env["PATH"],
      HOME: image.dir,
      SPACE_ID: "ns/name",
      ...variables,
      PORT: String(port),
      SLUICE_PORT: String(port),
      SLUICE_HOST: "127.0.0.1",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  for (const stream of [child.stdout!, child.stderr!])
    stream.setEncoding("utf8").on("data", (text: string) => {
      for (const line of text.split("\n").filter(Boolean)) onLine(line);
    });
  const exited = new Promise<number>((done) => {
    child.on("close", (code) => {
      done(code ?? 137);
    });
    child.on("error", () => {
      done(127);
    });
  });
  return {
    sha,
    port,
    exited,
    stop: async () => {
      child.kill("SIGKILL");
      await exited;
      image.remove();
    },
  };
}

/** Whether the port is open. The Hub checks nothing else before it reports RUNNING. */
export function listens(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, "127.0.0.1");
    const end = (answer: boolean) => {
      socket.destroy();
      done(answer);
    };
    socket
      .on("connect", () => {
        end(true);
      })
      .on("error", () => {
        end(false);
      });
  });
}

function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => {
        done(port);
      });
    });
  });
}
