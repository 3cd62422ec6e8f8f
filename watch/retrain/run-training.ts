import { spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { EvaluationError } from "../../models/core/errors.ts";
import type { TrainSettings } from "../../models/core/manifest/train.ts";

/** Of what the training prints, this much is kept. */
const logBytes = 5_000_000;
const lookEveryMs = 250;
const pageBytes = 4096;

export type TrainingRun = { seconds: number; peakMemoryMb: number | null };

/**
 * Runs the model's training in its folder, in a process group of its own and without a shell, and ends every process of
 * it: after its time, above its memory, and when it is done. Memory is looked at four times a second (Linux only).
 *
 * @param env all that it gets of the environment
 * @param log file for what it prints
 * @throws EvaluationError `train-start`, `train-timeout`, `train-memory`, `train-failed`
 */
export async function runTraining(
  { command, timeoutMinutes, memoryMb }: TrainSettings,
  { cwd, env, log, place }: { cwd: string; env: NodeJS.ProcessEnv; log: string; place: string },
): Promise<TrainingRun> {
  const [program, ...args] = command as [string, ...string[]];
  const started = performance.now();
  const out = createWriteStream(log);
  let written = 0;
  let tail = "";
  const keep = (chunk: Buffer) => {
    tail = (tail + chunk.toString("utf8")).slice(-2000);
    if (written < logBytes) out.write(chunk.subarray(0, logBytes - written));
    written += chunk.length;
  };
  const words = JSON.stringify(command);
  const child = spawn(program, args, { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  const seen = new Set<number>();
  const endAll = () => {
    for (const group of [child.pid ?? 0, ...seen])
      if (group > 1) {
        for (const target of [-group, group])
          try {
            process.kill(target, "SIGKILL");
          } catch {
            // It has ended by itself.
          }
      }
  };
  let why: "timeout" | "memory" | null = null;
  let peakMb = 0;
  const timer = setTimeout(() => {
    why ??= "timeout";
    endAll();
  }, timeoutMinutes * 60_000);
  let looking = false;
  const watcher = setInterval(() => {
    if (looking || child.pid === undefined) return;
    looking = true;
    void residentMb(child.pid, seen)
      .then((mb) => {
        peakMb = Math.max(peakMb, mb);
        if (mb <= memoryMb || why !== null) return;
        why = "memory";
        endAll();
      })
      .finally(() => {
        looking = false;
      });
  }, lookEveryMs);
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const ended = await new Promise<{ code: number | null; signal: string | null } | Error>((resolve) => {
    child.once("error", resolve);
    // Not `close`: a process that the training left behind may hold the pipes open.
    child.once("exit", (code, signal) => {
      resolve({ code, signal });
    });
  });
  clearTimeout(timer);
  clearInterval(watcher);
  if (child.pid !== undefined) await residentMb(child.pid, seen);
  endAll();
  // What was printed last may still be on its way.
  const enough = new AbortController();
  await Promise.race([closed, sleep(2000, undefined, { signal: enough.signal }).catch(() => {})]);
  enough.abort();
  child.stdout.destroy();
  child.stderr.destroy();
  await new Promise((resolve) => out.end(resolve));
  const refuse = (code: string, problem: string, expected: string, received: string): EvaluationError =>
    new EvaluationError({ code, place, problem, expected, received, hint: "its output is in train.log" });
  if (ended instanceof Error)
    throw refuse("train-start", `the training cannot be started: ${words}`, "a program on the PATH", ended.message);
  if (why === "timeout")
    throw refuse("train-timeout", "the training was killed", `an end within ${timeoutMinutes} min`, "none");
  if (why === "memory")
    throw refuse("train-memory", "the training was killed", `at most ${memoryMb} MB resident`, "more");
  if (ended.code !== 0)
    throw refuse(
      "train-failed",
      `the training failed: ${words}`,
      "exit code 0",
      `${ended.signal === null ? `exit code ${ended.code}` : ended.signal}${tail.trim() === "" ? "" : `, and last\n${tail.trim()}`}`,
    );
  return {
    seconds: (performance.now() - started) / 1000,
    peakMemoryMb: process.platform === "linux" ? Math.round(peakMb) : null,
  };
}

/**
 * Resident memory of the process, its group, its session and all their descendants, in megabytes. Everything that was
 * ever seen to belong is remembered in `seen`, so that it can be ended when its parent has gone. 0 elsewhere than on
 * Linux.
 */
async function residentMb(leader: number, seen: Set<number>): Promise<number> {
  const processes = new Map<number, { parent: number; group: number; session: number; pages: number }>();
  for (const name of await readdir("/proc").catch(() => [])) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, "utf8").catch(() => null);
    if (stat === null) continue;
    // The name may hold blanks and brackets. After it: state, parent, group, session, …; the 22nd is the resident pages.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    processes.set(Number(name), {
      parent: Number(fields[1]),
      group: Number(fields[2]),
      session: Number(fields[3]),
      pages: Number(fields[21]),
    });
  }
  const own = new Set([leader]);
  for (const pid of seen) if (processes.has(pid)) own.add(pid);
  for (let grew = true; grew;) {
    grew = false;
    for (const [pid, { parent, group, session }] of processes) {
      if (own.has(pid) || !(own.has(parent) || group === leader || session === leader)) continue;
      own.add(pid);
      grew = true;
    }
  }
  let pages = 0;
  for (const pid of own) {
    pages += processes.get(pid)?.pages ?? 0;
    if (pid !== leader && processes.has(pid)) seen.add(pid);
  }
  for (const pid of seen) if (!processes.has(pid)) seen.delete(pid);
  return (pages * pageBytes) / 1_000_000;
}
