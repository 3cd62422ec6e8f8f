import { describe, expect, it } from "vitest";
import { configuration } from "../../../eval/schema/configuration.ts";
import { sloOf } from "../../../models/core/manifest/slo.ts";
import { exportPrometheus } from "../../../watch/export/export.ts";
import { exportedModels, prometheusRules } from "../../../watch/export/prometheus.ts";
import { burnRules } from "../../../watch/ops/burn-rate.ts";

const models = exportedModels(["births"], undefined);

describe("rules for Prometheus", () => {
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
    await expect(exportPrometheus(models, "refused", match)).rejects.toThrow(/--match/);
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
