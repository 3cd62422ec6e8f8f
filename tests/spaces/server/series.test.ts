import fc from "fast-check";
import { Counter, Histogram, Registry } from "prom-client";
import { describe, expect, it } from "vitest";
import { countSeries, histogramSeries, quantileSeries } from "../../../spaces/server/metrics/series.ts";

describe("series", () => {
  it("have exactly the same output as the library's own counters and histograms", async () => {
    const observation = fc.record({
      model: fc.constantFrom("a", 'b"\\\n'),
      status: fc.constantFrom(200, 503),
      value: fc.double({ min: 0, max: 40, noNaN: true }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(observation, { maxLength: 30 }), async (all) => {
        const [ours, theirs] = [new Registry(), new Registry()];
        const described = { help: "what it is", labelNames: ["model", "status"] as const };
        const bounds = [0.5, 1, 10];
        const [count, times] = [
          countSeries(ours, { name: "requests_total", ...described }),
          histogramSeries(ours, { name: "seconds", ...described }, bounds),
        ];
        const [theirCount, theirTimes] = [
          new Counter({
            name: "requests_total",
            help: described.help,
            labelNames: described.labelNames,
            registers: [theirs],
          }),
          new Histogram({
            name: "seconds",
            help: described.help,
            labelNames: described.labelNames,
            buckets: bounds,
            registers: [theirs],
          }),
        ];
        for (const { value, ...labels } of all) {
          count.inc(labels, value);
          theirCount.inc(labels, value);
          times.observe(labels, value);
          theirTimes.observe(labels, value);
        }
        expect(await ours.metrics()).toBe(await theirs.metrics());
      }),
      { numRuns: 50 },
    );
  });

  it("give quantiles of only the last ten windows, and sums of everything", async () => {
    let now = 0;
    const registry = new Registry();
    const series = quantileSeries(
      registry,
      { name: "value", help: "values", labelNames: ["model"] },
      [0.25, 0.5],
      1000,
      { now: () => now, random: () => 0.5 },
    );
    const samples = async () =>
      Object.fromEntries(
        [...(await registry.metrics()).matchAll(/^value(?:_(\w+))?\{(?:quantile="([\d.]+)",)?model="m"\} (.+)$/gm)].map(
          ([, name, quantile, value]) => [name ?? quantile, Number(value)],
        ),
      );
    expect(await samples()).toEqual({});
    for (let i = 1; i <= 100; i++) series.observe({ model: "m" }, i);
    expect(await samples()).toEqual({ 0.25: 25, 0.5: 50, sum: 5050, count: 100 });
    now = 5000;
    for (let i = 0; i < 300; i++) series.observe({ model: "m" }, 1000);
    expect(await samples()).toMatchObject({ 0.25: 100, 0.5: 1000, count: 400 });
    now = 12_000;
    expect(await samples()).toMatchObject({ 0.25: 1000, 0.5: 1000, count: 400 });
    now = 30_000;
    expect(await samples()).toEqual({ sum: 305_050, count: 400 });
  });
});
