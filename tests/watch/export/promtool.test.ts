import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { exportPrometheus } from "../../../watch/export/export.ts";
import { exportedModels } from "../../../watch/export/prometheus.ts";

const out = mkdtempSync(join(tmpdir(), "sluice-rules-"));
afterAll(() => {
  rmSync(out, { recursive: true, force: true });
});

const promtool = (...args: string[]) => spawnSync("promtool", args, { cwd: out, encoding: "utf8", timeout: 60_000 });
const installed = promtool("--version").status === 0;
if (!installed) console.warn("promtool (Debian: prometheus) is not installed: the rules are not run.");

const models = exportedModels(["fast.one"], { models: { "fast.one": { latency: { ms: 1000, share: 0.99 } } } });
const [rulesFile, testsFile] = await exportPrometheus(models, out, 'job="models"');

describe.skipIf(!installed)("rules for Prometheus, played by promtool", () => {
  it("are accepted by promtool", () => {
    const { status, stdout, stderr } = promtool("check", "rules", rulesFile!);
    expect(`${stdout}${stderr}`).toContain("SUCCESS");
    expect(status).toBe(0);
  });

  it("alert when they must, and only then: promtool plays 19 stories", () => {
    const { status, stdout, stderr } = promtool("test", "rules", testsFile!);
    expect(`${stdout}${stderr}`).toContain("SUCCESS");
    expect(status).toBe(0);
  }, 60_000);

  it("fail their own tests when the floor for little traffic is taken away", () => {
    const text = readFileSync(rulesFile!, "utf8");
    const without = text.replaceAll(" >= 10\n", " >= 0\n");
    expect(without).not.toBe(text);
    const other = mkdtempSync(join(tmpdir(), "sluice-rules-"));
    try {
      const tests = readFileSync(testsFile!, "utf8");
      const story = tests.slice(
        tests.indexOf("  - name: little traffic,"),
        tests.indexOf("  - name: half of the requests are slow"),
      );
      writeFileSync(join(other, "sluice.rules.yaml"), without);
      writeFileSync(join(other, "t.yaml"), `${tests.slice(0, tests.indexOf("  - name: "))}${story}`);
      const { status, stdout, stderr } = spawnSync("promtool", ["test", "rules", "t.yaml"], {
        cwd: other,
        encoding: "utf8",
      });
      expect(`${stdout}${stderr}`).toContain("SluiceErrorsBurnFast");
      expect(status).toBe(1);
    } finally {
      rmSync(other, { recursive: true, force: true });
    }
  });
});
