import { readFile } from "node:fs/promises";
import os from "node:os";
import type { Runner } from "../schema/metrics.ts";
import { containerLimits } from "./container-limits.ts";

/** What only a session knows. Take it from the session that made the figures. */
export type RuntimeUsed = { provider: string; threads: number; onnxruntime: string };

export type FingerprintDeps = {
  /** Text of a file, or null when it cannot be read. */
  readText: (path: string) => Promise<string | null>;
  platform: string;
  arch: string;
  node: string;
  cores: number;
  memoryBytes: number;
  /** The operating system's name for the processor, used where /proc/cpuinfo has none. */
  cpuModel: string;
};

/** The deps of this machine. */
export function systemDeps(): FingerprintDeps {
  return {
    readText: (path) => readFile(path, "utf8").catch(() => null),
    platform: process.platform,
    arch: process.arch,
    node: process.versions.node,
    cores: os.availableParallelism(),
    memoryBytes: os.totalmem(),
    cpuModel: os.cpus()[0]?.model.trim() ?? "unknown",
  };
}

/**
 * Instruction sets for which ONNX Runtime's kernels (MLAS) have their own code path. They change the speed, and for
 * quantized models also the numbers. x86-64 names first, then Linux's arm64 names.
 */
const flagsThatMatter = new Set([
  "sse4_1",
  "sse4_2",
  "avx",
  "avx2",
  "fma",
  "f16c",
  "avx_vnni",
  "avx_vnni_int8",
  "avx512f",
  "avx512bw",
  "avx512cd",
  "avx512dq",
  "avx512vl",
  "avx512_vnni",
  "avx512_bf16",
  "avx512_fp16",
  "amx_tile",
  "amx_int8",
  "amx_bf16",
  "amx_fp16",
  "asimd",
  "asimdhp",
  "asimddp",
  "fphp",
  "bf16",
  "i8mm",
  "sve",
  "sve2",
  "svei8mm",
  "svebf16",
  "sme",
  "sme2",
]);

/**
 * The runner's fingerprint: what must agree before two latencies may be compared. On Linux it is read from /proc and
 * /sys. Elsewhere the flags are empty, and the governor and container limits are null.
 */
export async function readRunner(used: RuntimeUsed, deps: FingerprintDeps = systemDeps()): Promise<Runner> {
  const linux = deps.platform === "linux";
  const cpuinfo = linux ? ((await deps.readText("/proc/cpuinfo")) ?? "") : "";
  const governor = linux ? await deps.readText("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor") : null;
  const limits = linux ? await containerLimits(deps.readText) : { cpus: null, memoryBytes: null };
  return {
    os: deps.platform,
    arch: deps.arch,
    cpuModel: cpuModel(cpuinfo) ?? deps.cpuModel,
    cpuFlags: cpuFlags(cpuinfo),
    cores: deps.cores,
    memoryBytes: deps.memoryBytes,
    node: deps.node,
    onnxruntime: used.onnxruntime,
    provider: used.provider,
    threads: used.threads,
    governor: governor?.trim() || null,
    containerCpuLimit: limits.cpus,
    containerMemoryBytes: limits.memoryBytes,
  };
}

function field(cpuinfo: string, name: string): string | null {
  return new RegExp(`^${name}\\s*:\\s*(.+)$`, "m").exec(cpuinfo)?.[1]?.trim() ?? null;
}

/** x86 names its processor; arm64 kernels give only numbers for its maker and part. */
function cpuModel(cpuinfo: string): string | null {
  const named = field(cpuinfo, "model name");
  if (named !== null) return named;
  const [maker, part] = [field(cpuinfo, "CPU implementer"), field(cpuinfo, "CPU part")];
  return maker === null || part === null
    ? null
    : `arm implementer ${maker} part ${part} variant ${field(cpuinfo, "CPU variant") ?? "?"}`;
}

function cpuFlags(cpuinfo: string): string[] {
  const all = (field(cpuinfo, "flags") ?? field(cpuinfo, "Features") ?? "").split(/\s+/);
  return [...new Set(all)].filter((flag) => flagsThatMatter.has(flag)).toSorted();
}
