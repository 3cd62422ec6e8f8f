import { type ChildProcess, spawn } from "node:child_process";
import { createServer, type AddressInfo } from "node:net";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export type EmulateAnswer = { status: number; body: unknown; headers: Headers };

/** The part of the emulator that the routes use. seeded/emulator.ts implements it in memory. */
export type Emulator = Pick<Emulate, "call" | "must">;

/** The emulator of GitHub's pull requests, comments and check runs. It is a separate process with an HTTP interface. */
export class Emulate {
  readonly #url: string;
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #logins: ReadonlySet<string>;
  #asked = 0;
  /** Kills the emulator if this process ends early. */
  readonly #end = () => {
    this.#child.kill("SIGKILL");
  };

  private constructor(url: string, child: ChildProcess, folder: string, logins: ReadonlySet<string>) {
    this.#url = url;
    this.#child = child;
    this.#folder = folder;
    this.#logins = logins;
    process.once("exit", this.#end);
  }

  /** @param origin the address to use in its answers, which is that of server.ts */
  static async start(origin: string, logins: readonly string[]): Promise<Emulate> {
    const folder = await mkdtemp(join(tmpdir(), "rehearsal-emulate-"));
    const seed = join(folder, "seed.json");
    await writeFile(
      seed,
      JSON.stringify({
        tokens: Object.fromEntries(
          logins.flatMap((login) => Array.from({ length: tokensEach }, (_, i) => [tokenOf(login, i), { login }])),
        ),
        github: { users: logins.map((login) => ({ login })), repos: [] },
      }),
    );
    const cli = fileURLToPath(import.meta.resolve("emulate/cli"));
    // Another process may take the free port first, so try again.
    for (let attempt = 1; ; attempt += 1) {
      const port = await freePort();
      const child = spawn(
        process.execPath,
        [cli, "start", "-s", "github", "-p", String(port), "--seed", seed, "--base-url", origin],
        { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, NODE_OPTIONS: "" } },
      );
      const emulate = new Emulate(`http://127.0.0.1:${port}`, child, folder, new Set(logins));
      const why = await emulate.#ready();
      if (why === null) return emulate;
      child.kill("SIGKILL");
      if (attempt === 3) throw new Error(`the GitHub emulator did not start: ${why}`);
    }
  }

  /** Sends a request as one of the emulator's users. */
  async call(login: string, method: string, path: string, body?: unknown): Promise<EmulateAnswer> {
    if (!this.#logins.has(login))
      throw new Error(`the GitHub emulator knows no ${login}: name everybody when it starts`);
    this.#asked += 1;
    const answer = await fetch(`${this.#url}${path}`, {
      method,
      signal: AbortSignal.timeout(30_000),
      headers: {
        authorization: `Bearer ${tokenOf(login, this.#asked % tokensEach)}`,
        "content-type": "application/json",
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return {
      status: answer.status,
      body: text === "" ? undefined : (JSON.parse(text) as unknown),
      headers: answer.headers,
    };
  }

  /** The same, for requests that fail only if the stand-in itself has a bug. */
  async must<T>(login: string, method: string, path: string, body?: unknown): Promise<T> {
    const answer = await this.call(login, method, path, body);
    if (answer.status >= 300)
      throw new Error(
        `the GitHub emulator answered ${answer.status} to ${method} ${path}: ${JSON.stringify(answer.body)}`,
      );
    return answer.body as T;
  }

  async close(): Promise<void> {
    process.removeListener("exit", this.#end);
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = new Promise((resolve) => {
        this.#child.once("exit", resolve);
      });
      this.#child.kill("SIGKILL");
      await ended;
    }
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** @returns null if the emulator answers; otherwise why it does not */
  async #ready(): Promise<string | null> {
    let said = "";
    this.#child.stderr?.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
    const deadline = Date.now() + 60_000;
    const hasEnded = () => this.#child.exitCode !== null || this.#child.signalCode !== null;
    while (!hasEnded() && Date.now() < deadline) {
      try {
        if ((await fetch(`${this.#url}/meta`, { signal: AbortSignal.timeout(5_000) })).ok) return null;
      } catch {
        /* not yet */
      }
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    return hasEnded() ? said.trim() || "it ended" : "no answer within 60 s";
  }
}

// The emulator limits a token to 5,000 requests an hour. A rehearsal that stays up needs more, so each user gets
// several tokens.
const tokensEach = 20;
const tokenOf = (login: string, one: number) => `emulate-${Buffer.from(login).toString("hex")}-${one}`;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return port;
}
