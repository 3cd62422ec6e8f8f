import { Histogram, Registry } from "prom-client";
import { expect, test } from "vitest";
import { pageModule } from "./page-module.ts";

type Sample = { name: string; labels: Record<string, string>; value: number };
type Buckets = { bound: number; count: number }[];
const { parseMetrics, buckets, between, quantile, total } = await pageModule<{
  parseMetrics: (text: string) => Sample[];
  buckets: (samples: readonly Sample[], name: string, labels?: Record<string, string>) => Buckets;
  between: (before: Buckets, after: Buckets) => Buckets;
  quantile: (observed: Buckets, q: number) => number | null;
  total: (samples: readonly Sample[], name: string, labels?: Record<string, string>) => number | null;
}>("prometheus.js");
const { liveFigures } = await pageModule<{
  liveFigures: () => {
    read: (text: string, atMs: number) => void;
    gap: () => void;
    now: () => { p50Ms: (number | null)[]; p95Ms: (number | null)[]; perSecond: (number | null)[] };
  };
}>("live-figures.js");
const { axis } = await pageModule<{
  axis: (values: readonly number[], max?: number) => { low: number; high: number; ticks: number[] };
}>("chart.js");

test("what prom-client writes is read, labels unescaped", async () => {
  const registry = new Registry();
  const histogram = new Histogram({
    name: "t_seconds",
    help: "x",
    labelNames: ["model"],
    buckets: [0.1, 0.2, 0.4],
    registers: [registry],
  });
  for (const value of [0.05, 0.15, 0.15, 0.3]) histogram.observe({ model: 'a "b",c\\\n}' }, value);
  histogram.observe({ model: "other" }, 9);
  const samples = parseMetrics(await registry.metrics());
  expect(samples.find(({ name }) => name === "t_seconds_count")?.labels).toEqual({ model: 'a "b",c\\\n}' });
  expect(buckets(samples, "t_seconds", { model: 'a "b",c\\\n}' })).toEqual([
    { bound: 0.1, count: 1 },
    { bound: 0.2, count: 3 },
    { bound: 0.4, count: 4 },
    { bound: Infinity, count: 4 },
  ]);
  expect(buckets(samples, "t_seconds").at(-1)).toEqual({ bound: Infinity, count: 5 });
  expect(total(samples, "t_seconds_count")).toBe(5);
  expect(total(samples, "absent")).toBeNull();
});

test("quantiles interpolate inside their bucket, as histogram_quantile does", () => {
  const observed = [
    { bound: 0.1, count: 1 },
    { bound: 0.2, count: 3 },
    { bound: 0.4, count: 4 },
    { bound: Infinity, count: 4 },
  ];
  expect(quantile(observed, 0.5)).toBeCloseTo(0.15);
  expect(quantile(observed, 1)).toBeCloseTo(0.4);
  expect(
    quantile(
      [
        { bound: 0.1, count: 0 },
        { bound: Infinity, count: 2 },
      ],
      0.5,
    ),
  ).toBe(0.1);
  expect(quantile([], 0.5)).toBeNull();
  expect(quantile([{ bound: 1, count: 0 }], 0.5)).toBeNull();
});

test("a counter that fell counts from zero", () => {
  expect(
    between(
      [
        { bound: 1, count: 5 },
        { bound: Infinity, count: 9 },
      ],
      [
        { bound: 1, count: 1 },
        { bound: Infinity, count: 2 },
      ],
    ),
  ).toEqual([
    { bound: 1, count: 1 },
    { bound: Infinity, count: 2 },
  ]);
  expect(between([{ bound: 1, count: 5 }], [{ bound: 1, count: 8 }])).toEqual([{ bound: 1, count: 3 }]);
});

test("readings become rates and quantiles; a failed one leaves a gap", () => {
  const text = (n: number) =>
    `inference_request_duration_seconds_bucket{le="0.01",model="m"} ${n}\ninference_request_duration_seconds_bucket{le="+Inf",model="m"} ${n}\ninference_request_duration_seconds_count{model="m"} ${n}\n`;
  const figures = liveFigures();
  figures.read(text(10), 0);
  figures.read(text(30), 2000);
  figures.gap();
  figures.read(text(30), 6000);
  figures.read(text(2), 8000);
  expect(figures.now().perSecond.slice(-4)).toEqual([10, null, null, 1]);
  expect(
    figures
      .now()
      .p50Ms.slice(-4)
      .map((ms) => (ms === null ? null : Math.round(ms))),
  ).toEqual([5, null, 5, 5]);
});

test.each([
  [[0.2, 7.3], undefined],
  [[9100, 9300, 9250], undefined],
  [[5], undefined],
  [[0], undefined],
  [[-3, 4], undefined],
  [[0.1, 0.9], 1],
  [[1e-9, 2e-9], undefined],
  [[1e12], undefined],
] as const)("an axis holds %j with a few rising ticks", (values, max) => {
  const { low, high, ticks } = axis(values, max);
  expect(low).toBeLessThanOrEqual(Math.min(...values));
  expect(high).toBeGreaterThanOrEqual(Math.max(...values));
  expect(high).toBeGreaterThan(low);
  expect(ticks.length).toBeGreaterThanOrEqual(2);
  expect(ticks.length).toBeLessThanOrEqual(7);
  expect(ticks).toEqual(ticks.toSorted((a, b) => a - b));
});

test("what a model card shows of the cost of 1,000 answers", async () => {
  const { readModel } = await pageModule<{
    readModel: (listed: object, card: object) => { runs: { cost: string } };
  }>("model.js");
  const cost = { currency: "USD", perHour: 0.03, rowsPerSecond: 1000, per1000: { alwaysBusy: 0.03 / 3600 } };
  expect(readModel({ id: "mood" }, { cost }).runs.cost).toBe("$0.0000083, always busy");
  expect(readModel({ id: "mood" }, {}).runs.cost).toBe("");
});
