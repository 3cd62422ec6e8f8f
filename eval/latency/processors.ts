import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";

/**
 * Numbers of the processors that this process may use (Linux, proc(5): Cpus_allowed_list); empty where the system does
 * not say.
 *
 * @param status the text of /proc/self/status
 */
export function allowedProcessors(status: string): number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? "";
  return list.split(",").flatMap((part) => {
    const [from = Number.NaN, to = from] = part.split("-").map((text) => Number.parseInt(text, 10));
    return Number.isInteger(from) && Number.isInteger(to)
      ? Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i)
      : [];
  });
}

/**
 * The processors of a round: as many as a model has threads, and different ones from the round before. Null when that
 * would be all of them.
 *
 * The virtual processors of a rented machine share cores with strangers, so one of them may be half as fast as another
 * for seconds on end. Processes that the kernel left on different processors would differ because of that, not because
 * of their models.
 */
export function processorsOfRound(allowed: readonly number[], threads: number, round: number): number[] | null {
  if (threads < 1 || threads >= allowed.length) return null;
  return Array.from({ length: threads }, (_, i) => allowed[(round * threads + i) % allowed.length] as number);
}

function allowed(process: number | "self"): number[] {
  try {
    return allowedProcessors(readFileSync(`/proc/${process}/status`, "utf8"));
  } catch {
    return [];
  }
}

const TIMEOUT_MS = 10_000;

/**
 * Keeps every thread of a process on these processors, with util-linux' taskset.
 * @returns whether that worked. This is read back, because taskset's exit code is 0 for a process that has exited, too
 */
function pinTo(pid: number, processors: readonly number[]): Promise<boolean> {
  return new Promise((resolve) => {
    const wanted = processors.toSorted((a, b) => a - b).join(",");
    execFile("taskset", ["--all-tasks", "--cpu-list", "--pid", wanted, String(pid)], { timeout: TIMEOUT_MS }, () =>
      resolve(allowed(pid).join(",") === wanted),
    );
  });
}

/**
 * Puts the processes of a round on the same processors. Where the system cannot do that (no Linux, no taskset), or only
 * for some of them, all are left where they were: it makes the figures steadier, but it is not required.
 *
 * @returns whether they are on the same processors now
 */
export async function onSameProcessors(
  processes: readonly { pid: number; threads: number }[],
  round: number,
): Promise<boolean> {
  const own = allowed("self");
  const threads = Math.max(...processes.map((one) => one.threads));
  const chosen = processorsOfRound(own, threads, round);
  // Models that use every processor are on the same ones anyway.
  if (chosen === null) return own.length > 0 && threads >= own.length;
  const pinned = await Promise.all(processes.map(({ pid }) => pinTo(pid, chosen)));
  if (pinned.every(Boolean)) return true;
  if (pinned.some(Boolean)) await Promise.all(processes.map(({ pid }) => pinTo(pid, own)));
  return false;
}
