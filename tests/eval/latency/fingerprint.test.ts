import { describe, expect, it } from "vitest";
import { readRunner, systemDeps, type FingerprintDeps } from "../../../eval/latency/fingerprint.ts";
import { runner } from "../../../eval/schema/metrics.ts";

const used = { provider: "cpu", threads: 1, onnxruntime: "1.30.0" };
const machine = (files: Record<string, string>, over: Partial<FingerprintDeps> = {}): FingerprintDeps => ({
  readText: async (path) => files[path] ?? null,
  platform: "linux",
  arch: "x64",
  node: "24.9.0",
  cores: 2,
  memoryBytes: 8e9,
  cpuModel: "from the system",
  ...over,
});
const epyc =
  "processor\t: 0\nmodel name\t: AMD EPYC 9R14\nflags\t\t: fpu sse4_2 avx avx2 avx512f avx512_vnni fma f16c amx_tile hypervisor\n\nprocessor\t: 1\nmodel name\t: AMD EPYC 9R14\n";

describe("fingerprint", () => {
  it("is complete on this machine", async () => {
    const here = runner.parse(await readRunner(used));
    expect(here.cores).toBeGreaterThan(0);
    expect(here.cpuModel).not.toBe("");
    expect(runner.parse(await readRunner(used, systemDeps()))).toEqual(here);
  });

  it("keeps the instruction sets that matter, sorted, and drops the others", async () => {
    const { cpuModel, cpuFlags } = await readRunner(used, machine({ "/proc/cpuinfo": epyc }));
    expect(cpuModel).toBe("AMD EPYC 9R14");
    expect(cpuFlags).toEqual(["amx_tile", "avx", "avx2", "avx512_vnni", "avx512f", "f16c", "fma", "sse4_2"]);
  });

  it("reads arm64, which names no model", async () => {
    const cpuinfo =
      "processor\t: 0\nFeatures\t: fp asimd asimddp i8mm bf16 sve crc32\nCPU implementer\t: 0x41\nCPU variant\t: 0x1\nCPU part\t: 0xd40\n";
    const { cpuModel, cpuFlags } = await readRunner(used, machine({ "/proc/cpuinfo": cpuinfo }, { arch: "arm64" }));
    expect(cpuModel).toBe("arm implementer 0x41 part 0xd40 variant 0x1");
    expect(cpuFlags).toEqual(["asimd", "asimddp", "bf16", "i8mm", "sve"]);
  });

  it("reads nothing of /proc on macOS and Windows", async () => {
    for (const platform of ["darwin", "win32"]) {
      const one = await readRunner(
        used,
        machine({ "/proc/cpuinfo": epyc, "/sys/fs/cgroup/cpu.max": "100000 100000" }, { platform }),
      );
      expect(one).toMatchObject({
        os: platform,
        cpuModel: "from the system",
        cpuFlags: [],
        governor: null,
        containerCpuLimit: null,
        containerMemoryBytes: null,
      });
    }
  });

  it("reads cgroup v2 limits, where the smaller limit of an ancestor binds", async () => {
    const one = await readRunner(
      used,
      machine({
        "/proc/self/cgroup": "0::/kube/pod\n",
        "/sys/fs/cgroup/kube/pod/cpu.max": "max 100000\n",
        "/sys/fs/cgroup/kube/cpu.max": "150000 100000\n",
        "/sys/fs/cgroup/cpu.max": "400000 100000\n",
        "/sys/fs/cgroup/kube/pod/memory.max": "1073741824\n",
        "/sys/fs/cgroup/kube/memory.max": "max\n",
        "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "performance\n",
      }),
    );
    expect(one).toMatchObject({ containerCpuLimit: 1.5, containerMemoryBytes: 1_073_741_824, governor: "performance" });
  });

  it('reads cgroup v1 limits and recognises its values for "none"', async () => {
    const v1 = { "/proc/self/cgroup": "5:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n" };
    const limited = await readRunner(
      used,
      machine({
        ...v1,
        "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "50000\n",
        "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
        "/sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes": "2147483648\n",
      }),
    );
    expect(limited).toMatchObject({ containerCpuLimit: 0.5, containerMemoryBytes: 2_147_483_648 });
    const free = await readRunner(
      used,
      machine({
        ...v1,
        "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
        "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
        "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
      }),
    );
    expect(free).toMatchObject({ containerCpuLimit: null, containerMemoryBytes: null });
  });
});
