import { describe, expect, it } from "vitest";
import { withCost } from "../../../eval/gate/answer-cost.ts";
import { renderHtml } from "../../../eval/report/html.ts";
import { renderMarkdown } from "../../../eval/report/markdown.ts";
import { renderTerminal } from "../../../eval/report/terminal.ts";
import { opsSettings } from "../../../eval/schema/ops.ts";
import type { MetricsFile } from "../../../eval/schema/metrics.ts";
import { metricsFile as metricsSchema } from "../../../eval/schema/metrics.ts";
import type { ModelVerdict } from "../../../eval/schema/verdict.ts";
import { bothSides, metricsFile, modelMetrics, modelVerdict, performance, verdictFile } from "./builders.ts";

const ops = (change: object = {}) =>
  opsSettings.parse({ hostings: [{ name: "cpu-upgrade", pricePerHour: 0.03 }], ...change });

const allReports = (metrics: MetricsFile | null, change: Partial<ModelVerdict> = {}) => {
  const verdict = verdictFile([modelVerdict(change)]);
  return [
    renderMarkdown(verdict, metrics),
    renderHtml(verdict, metrics, []).replace(/<(script|style)[^]*?<\/\1>/g, ""),
    renderTerminal(verdict, metrics, { color: false, width: 140 }).replaceAll(/\s+/g, " "),
  ];
};

describe("cost per 1,000 answers in a report", () => {
  it("is price over answers of an hour, at the throughput that was measured with the largest batch", () => {
    const { cost } = withCost(performance(), ops(), { id: "mood" });
    // 32 rows in 31.8 ms; 0.03 USD buy an hour of that.
    expect(cost?.per1000AtFullUse).toBeCloseTo((1000 * 0.03) / ((32_000 / 31.8) * 3600), 15);
    expect(cost).toMatchObject({ hosting: "cpu-upgrade", currency: "USD", batch: 32, pricePerHour: 0.03 });
  });
  it("uses the model's own hosting, its interruptions, and no throughput of another version", () => {
    const own = { name: "spot", pricePerHour: 0.03, interruptedShare: 0.5, throughputPerSecond: 1 };
    const { cost } = withCost(performance(), ops({ models: { mood: [own] } }), { id: "mood" });
    expect(cost?.hosting).toBe("spot");
    expect(cost?.per1000AtFullUse).toBeCloseTo((2 * 1000 * 0.03) / ((32_000 / 31.8) * 3600), 15);
    expect(withCost(performance(), ops({ models: { mood: [own] } }), { id: "births" }).cost?.hosting).toBe(
      "cpu-upgrade",
    );
  });
  it("falls back on the price in model.yaml", () => {
    const model = { id: "mood", prices: { currency: "EUR", perHour: 0.06 } };
    const { cost } = withCost(performance(), opsSettings.parse({}), model);
    expect(cost).toMatchObject({ hosting: "prices of model.yaml", currency: "EUR", pricePerHour: 0.06 });
    expect(withCost(performance(), ops(), model).cost).toMatchObject({ currency: "USD", pricePerHour: 0.03 });
  });
  it("is left out without a price, without a measurement, and is 0 for what is free", () => {
    expect(withCost(performance(), undefined, { id: "mood" })).not.toHaveProperty("cost");
    expect(withCost(performance(), opsSettings.parse({}), { id: "mood" })).not.toHaveProperty("cost");
    expect(withCost({ ...performance(), batches: [] }, ops(), { id: "mood" })).not.toHaveProperty("cost");
    const free = ops({ hostings: [{ name: "cpu-basic", pricePerHour: 0 }] });
    expect(withCost(performance(), free, { id: "mood" }).cost?.per1000AtFullUse).toBe(0);
    for (const text of allReports(bothSides)) expect(text).not.toMatch(/1,000 answers|No idle time/);
  });
  it("is in every report, of both models, with what it leaves out", () => {
    const [candidate, baseline] = bothSides.models;
    const metrics = metricsFile(
      [candidate!, baseline!].map((one) => ({
        ...one,
        performance: withCost(one.performance!, ops(), { id: "mood" }),
      })),
    );
    expect(metricsSchema.safeParse(metrics).success).toBe(true);
    for (const text of allReports(metrics)) {
      expect(text).toMatch(/1,000 answers, always busy.{0,20}0\.00000828 USD/);
      expect(text).toMatch(/baseline 0\.00000812 USD/);
      expect(text).toMatch(/batch 32, in one process without HTTP, at 0\.03 USD an hour \(cpu-upgrade\)/);
      expect(text).toMatch(/No idle time: one that is busy a tenth of the time costs ten times as much/);
    }
  });
  it("takes names from outside as text", () => {
    const hostile = ops({ currency: "<b>|x", hostings: [{ name: "<script>|`a`\u001b[2J", pricePerHour: 1 }] });
    const metrics = metricsFile([modelMetrics({ performance: withCost(performance(), hostile, { id: "mood" }) })]);
    const [markdown, html, terminal] = allReports(metrics);
    for (const text of [markdown, html]) expect(text).not.toMatch(/<script>|<b>\|x/);
    expect(terminal).not.toContain("\u001b");
  });
});

describe("wear of the test set in a report", () => {
  const wear = { candidates: 50, rows: 3000, optimism: 0.03559237385438554, adaptiveOptimism: 0.07994397880402584 };
  it("is said in every report where tags tell of other candidates, else in none", () => {
    for (const text of allReports(null, { wear }))
      expect(text).toMatch(/3,000 rows have judged at least 50 candidates.*3\.6 points too good.*8\.0 where each/);
    for (const text of allReports(null)) expect(text).not.toMatch(/have judged/);
  });
});
