import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** How long a cancelled process may take: after SIGINT it gets SIGTERM, after that SIGKILL, as the runner does. */
export type KillTimeouts = { interruptMs: number; terminateMs: number };
export const runnerKillTimeouts: KillTimeouts = { interruptMs: 7_500, terminateMs: 2_500 };
/** A process has ended but something it started still holds its output. */
const drainMs = 2_000;

type ProcessOptions = {
  command: string;
  args: readonly string[];
  cwd: string;
  env: Readonly<Record<string, string>>;
  onLine: (line: string) => void;
  /** Ends the process the gentle way. */
  signal: AbortSignal;
  /** Ends it at once, with everything that it started. */
  kill: AbortSignal;
  killTimeouts: KillTimeouts;
};

/**
 * Runs a process in a process group of its own. @returns its exit code; a signal counts as 128 and more, as a shell
 * says it
 */
export class Processes {
  readonly #groups = new Set<number>();

  async run({ command, args, cwd, env, onLine, signal, kill, killTimeouts }: ProcessOptions): Promise<number> {
    const child = spawn(command, [...args], {
      cwd,
      env: { ...env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    const group = child.pid;
    if (group !== undefined) this.#groups.add(group);
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream, crlfDelay: Infinity }).on("line", onLine);
    const timers: NodeJS.Timeout[] = [];
    const stop = () => {
      child.kill("SIGINT");
      timers.push(
        setTimeout(() => {
          child.kill("SIGTERM");
        }, killTimeouts.interruptMs),
      );
      timers.push(
        setTimeout(() => {
          killGroup(group);
        }, killTimeouts.interruptMs + killTimeouts.terminateMs),
      );
    };
    const end = () => {
      killGroup(group);
    };
    try {
      return await new Promise<number>((resolve, reject) => {
        child.on("error", (error) => {
          reject(new Error(`${command} could not be started: ${error.message}`));
        });
        const codeOf = (code: number | null, name: NodeJS.Signals | null) =>
          code ?? (name === "SIGINT" ? 130 : name === "SIGTERM" ? 143 : 137);
        child.on("exit", (code, name) => {
          timers.push(
            setTimeout(() => {
              resolve(codeOf(code, name));
            }, drainMs),
          );
        });
        child.on("close", (code, name) => {
          resolve(codeOf(code, name));
        });
        kill.addEventListener("abort", end, { once: true });
        if (kill.aborted) end();
        if (signal.aborted) stop();
        else signal.addEventListener("abort", stop, { once: true });
      });
    } finally {
      signal.removeEventListener("abort", stop);
      kill.removeEventListener("abort", end);
      for (const timer of timers) clearTimeout(timer);
      child.stdout.destroy();
      child.stderr.destroy();
    }
  }

  /** Ends whatever the processes left running, as the runner does when a job is over. */
  killAll(): void {
    for (const group of this.#groups) killGroup(group);
    this.#groups.clear();
  }
}

function killGroup(group: number | undefined): void {
  try {
    if (group !== undefined) process.kill(-group, "SIGKILL");
  } catch {
    /* all of it has ended */
  }
}
