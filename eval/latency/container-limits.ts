type ReadText = (path: string) => Promise<string | null>;

/** A memory limit above this is the kernel's way of saying "none" (v1 writes 2^63 rounded down to a page). */
const UNLIMITED_BYTES = 2 ** 60;

/**
 * CPU share (in CPUs) and memory (in bytes) that the control groups allow this process; null where there is no limit.
 * Reads cgroup v2 (cpu.max, memory.max) and v1 (cpu.cfs_quota_us / cpu.cfs_period_us, memory.limit_in_bytes). A limit
 * of any ancestor binds, so the smallest on the way up counts.
 */
export async function containerLimits(
  readText: ReadText,
): Promise<{ cpus: number | null; memoryBytes: number | null }> {
  const lines = ((await readText("/proc/self/cgroup")) ?? "").split("\n").map((line) => line.split(":"));
  const pathOf = (controller: string) =>
    lines.find(([, controllers]) => controllers?.split(",").includes(controller))?.[2];
  const unified = lines.find(([id]) => id === "0")?.[2] ?? "/";
  const cpus: number[] = [];
  const memory: number[] = [];
  for (const dir of ancestors("/sys/fs/cgroup", unified)) {
    const [quota, period] = ((await readText(`${dir}/cpu.max`)) ?? "").trim().split(/\s+/).map(Number);
    if (quota !== undefined && period !== undefined) keep(cpus, quota / period);
    keep(memory, number(await readText(`${dir}/memory.max`)));
  }
  for (const dir of ancestors("/sys/fs/cgroup/cpu", pathOf("cpu") ?? "/")) {
    const quota = number(await readText(`${dir}/cpu.cfs_quota_us`));
    if (quota > 0) keep(cpus, quota / number(await readText(`${dir}/cpu.cfs_period_us`)));
  }
  for (const dir of ancestors("/sys/fs/cgroup/memory", pathOf("memory") ?? "/")) {
    keep(memory, number(await readText(`${dir}/memory.limit_in_bytes`)));
  }
  return { cpus: smallest(cpus), memoryBytes: smallest(memory.filter((bytes) => bytes < UNLIMITED_BYTES)) };
}

/** `mount` + every prefix of `path`, longest first. Inside a container only the mount itself may exist. */
function ancestors(mount: string, path: string): string[] {
  const parts = path.split("/").filter((part) => part !== "");
  return Array.from({ length: parts.length + 1 }, (_, i) => [mount, ...parts.slice(0, parts.length - i)].join("/"));
}

const number = (text: string | null): number => (text === null || text.trim() === "" ? Number.NaN : Number(text));
const keep = (list: number[], value: number): void => {
  if (Number.isFinite(value) && value > 0) list.push(value);
};
const smallest = (list: number[]): number | null => (list.length === 0 ? null : Math.min(...list));
