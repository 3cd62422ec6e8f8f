import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export type PostgresServer = {
  url: string;
  /** Ends it as a crash would, and starts it again. */
  crash: () => void;
  close: () => void;
};

const versions = "/usr/lib/postgresql";
const found = () => existsSync(versions) && readdirSync(versions).length > 0;

/** Debian's Postgres, installed where it is missing. A text says why there is none. */
export async function openPostgresServer(password: string): Promise<PostgresServer | string> {
  if (process.getuid?.() !== 0) return "not root: Postgres is neither installed nor started as another user";
  if (!found()) {
    try {
      const options = {
        stdio: "pipe",
        timeout: 400_000,
        env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
      } as const;
      execFileSync("apt-get", ["update", "-qq"], options);
      execFileSync("apt-get", ["install", "-y", "-qq", "--no-install-recommends", "postgresql"], options);
    } catch (error) {
      return `Debian's postgresql could not be installed: ${(error as Error).message.split("\n")[0]}`;
    }
  }
  if (!found()) return "Debian's postgresql is installed, and its programs are not where they belong";
  const bin = join(versions, readdirSync(versions).toSorted().at(-1)!, "bin");
  const folder = mkdtempSync(join(tmpdir(), "sluice-postgres-"));
  execFileSync("chown", ["postgres", folder]);
  chmodSync(folder, 0o700);
  const as = (program: string, args: readonly string[]) =>
    execFileSync("runuser", ["-u", "postgres", "--", join(bin, program), ...args], { cwd: folder, stdio: "ignore" });
  const passwordFile = join(folder, "password");
  writeFileSync(passwordFile, password);
  execFileSync("chown", ["postgres", passwordFile]);
  const data = join(folder, "data");
  as("initdb", ["-D", data, "-A", "scram-sha-256", "--pwfile", passwordFile, "-E", "UTF8", "--no-locale"]);
  const port = await freePort();
  const start = () => {
    as("pg_ctl", ["-D", data, "-w", "-l", join(folder, "log"), "-o", `-p ${port} -k ${folder} -h 127.0.0.1`, "start"]);
  };
  const stop = () => {
    as("pg_ctl", ["-D", data, "-w", "-m", "immediate", "stop"]);
  };
  start();
  return {
    url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
    crash() {
      stop();
      start();
    },
    close() {
      stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => {
    server.once("listening", resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return port;
}
