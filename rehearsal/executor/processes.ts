import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** How long a cancelled process may take. As on the real runner, it gets SIGINT, then SIGTERM, then SIGKILL. */
export type KillTimeouts = { interruptMs: number; terminateMs: number };
export const runnerKillTimeouts: KillTimeouts = { interruptMs: 7_500, terminateMs: 2_500 };
/**
 * How long to wait for output after a process has ended, because something that it started may still hold its pipes.
 */
const drainMs = 2_000;

type ProcessOptions = {
  command: string;
  args: readonly string[];
  cwd: string;
  env: Readonly<Record<string, string>>;
  onLine: (line: string) => void;
  /** Ends the process gently: SIGINT, then SIGTERM, then SIGKILL. */
  signal: AbortSignal;
  /** Kills the process at once, with everything that it started. */
  kill: AbortSignal;
  killTimeouts: KillTimeouts;
};

/** Runs processes, each in its own process group. An exit code above 128 stands for a signal, as in a shell. */
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

  /** Kills everything that the processes left running, as the runner does at the end of a job. */
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
