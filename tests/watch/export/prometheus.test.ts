import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { exportPrometheus } from "../../../watch/export/export.ts";
import { exportedModels, prometheusRules } from "../../../watch/export/prometheus.ts";
import { burnRules } from "../../../watch/ops/burn-rate.ts";
import { configuration } from "../../../eval/schema/configuration.ts";
import { sloOf } from "../../../models/core/manifest/slo.ts";

const out = mkdtempSync(join(tmpdir(), "sluice-rules-"));
afterAll(() => {
  rmSync(out, { recursive: true, force: true });
});

const promtool = (...args: string[]) => spawnSync("promtool", args, { cwd: out, encoding: "utf8", timeout: 60_000 });
const installed = promtool("--version").status === 0;
const withPromtool = it.skipIf(!installed);
if (!installed) console.warn("promtool (Debian: prometheus) is not installed: the rules are not run.");

const models = exportedModels(["fast.one"], { models: { "fast.one": { latency: { ms: 1000, share: 0.99 } } } });
const [rulesFile, testsFile] = await exportPrometheus(models, out, 'job="models"');

describe("rules for Prometheus", () => {
  withPromtool("are accepted by promtool", () => {
    const { status, stdout, stderr } = promtool("check", "rules", rulesFile!);
    expect(`${stdout}${stderr}`).toContain("SUCCESS");
    expect(status).toBe(0);
  });

  withPromtool(
    "alert when they must, and only then: promtool plays 19 stories",
    () => {
      const { status, stdout, stderr } = promtool("test", "rules", testsFile!);
      expect(`${stdout}${stderr}`).toContain("SUCCESS");
      expect(status).toBe(0);
    },
    60_000,
  );

  withPromtool("fail their own tests when the floor for little traffic is taken away", () => {
    const text = readFileSync(rulesFile!, "utf8");
    const without = text.replaceAll(" >= 10\n", " >= 0\n");
    expect(without).not.toBe(text);
    const other = mkdtempSync(join(tmpdir(), "sluice-rules-"));
    try {
      const tests = readFileSync(testsFile!, "utf8");
      const story = tests.slice(
        tests.indexOf("  - name: little traffic"),
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

  it("have a rule for each burn rate of each objective", () => {
    const alerts = prometheusRules(models).groups.flatMap(({ rules }) =>
      rules.flatMap((one) => ("alert" in one ? [one] : [])),
    );
    for (const { burn, severity } of burnRules)
      expect(
        alerts.filter(({ expr, labels }) => expr.includes(`${burn} * model:slo_`) && labels["severity"] === severity),
      ).toHaveLength(3);
  });

  it.each(["job=models", 'job="a"}', 'job="a" or 1', 'job="a\\"'])("refuses the label matchers %s", async (match) => {
    await expect(exportPrometheus(models, out, match)).rejects.toThrow(/--match/);
  });
});

describe("objectives", () => {
  const read = (slo: object) => configuration.safeParse({ schemaVersion: 1, models: ["models/a"], slo });

  it("have the documented defaults", () => {
    expect(sloOf(undefined, "births")).toEqual({
      availability: 0.999,
      errors: 0.001,
      latency: { ms: 500, share: 0.99 },
      changeFailure: 0.05,
      recoveryMinutes: 10,
    });
  });

  it("of one model stand before those of all", () => {
    const slo = read({ errors: 0.01, models: { births: { latency: { ms: 25 } } } }).data!.slo;
    expect(sloOf(slo, "births")).toMatchObject({ errors: 0.01, latency: { ms: 25, share: 0.99 } });
    expect(sloOf(slo, "mood").latency.ms).toBe(500);
  });

  it.each([
    [{ availability: 99.9 }, "availability"],
    [{ errors: 0 }, "errors"],
    [{ latency: { ms: 300 } }, "250, 500"],
    [{ recoveryMinutes: -1 }, "recoveryMinutes"],
    [{ uptime: 0.9 }, "uptime"],
  ])("refuse %j", (slo, words) => {
    expect(read(slo).error?.message).toContain(words);
  });
});
