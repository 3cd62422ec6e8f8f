import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { createMetrics } from "../../../spaces/server/metrics/metrics.ts";
import { grafanaDashboard } from "../../../watch/export/grafana.ts";
import { exportedModels, prometheusRules } from "../../../watch/export/prometheus.ts";
import { parseMetrics, sumOf, type MetricSample } from "../../../watch/ops/metrics-text.ts";
import { gatedModel, riskRows, served, type Served } from "../live-model.ts";

const docs = readFileSync(join(import.meta.dirname, "../../../docs/ops.md"), "utf8");

let server: Served;
let text = "";
let samples: MetricSample[] = [];
beforeAll(async () => {
  const { dir } = await gatedModel();
  server = await served(dir);
  await server.ask(riskRows(600, 7), { labelled: true });
  const missing = riskRows(100, 8).map(({ row: { a, c }, label }) => ({ row: { a, c } as never, label }));
  await server.ask(missing);
  await server.post("predict", { a: "words", b: 1, c: 1 });
  text = await (await fetch(`${server.url}/metrics`)).text();
  samples = parseMetrics(text);
}, 60_000);

/** Names as they stand after # TYPE. */
const names = () => [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name!);
const ownNames = () => names().filter((name) => !/^(process|nodejs)_/.test(name));

describe("the server's series", () => {
  it("are at least 30 about models, each with its reason in docs/ops.md", () => {
    expect(ownNames().length).toBeGreaterThanOrEqual(30);
    expect(ownNames().filter((name) => !docs.includes(`| \`${name}\` |`))).toEqual([]);
  });

  it("tell what was seen beside the gate's rows", () => {
    const of = (name: string, labels = {}) => sumOf(samples, name, { model: "risk", ...labels });
    expect(of("profile_loaded")).toBe(1);
    expect(of("profile_rows")).toBe(700);
    expect(of("profile_quality_share", { quality: "missing" })).toBeCloseTo(100 / 700, 10);
    expect(of("profile_quality_rise", { quality: "missing" })).toBeCloseTo(100 / 700, 10);
    expect(of("profile_labelled_rows", { head: "risk" })).toBe(600);
    expect(of("profile_label_agreement", { head: "risk" })).toBeGreaterThan(0.7);
    expect(of("profile_answer_rows", { answer: "risk.score" })).toBe(700);
    expect(of("profile_reference_share", { answer: "risk.score" })).toBeCloseTo(1, 10);
    expect(of("inference_requests_total", { status: "500" })).toBe(0);
  });

  it("have labels of bounded number", () => {
    const perSeries = new Map<string, number>();
    for (const { name } of samples) perSeries.set(name, (perSeries.get(name) ?? 0) + 1);
    for (const [name, count] of perSeries) expect([name, count <= 200]).toEqual([name, true]);
  });

  it("are the ones that rules and dashboard ask for", () => {
    const recorded = new Set<string>();
    const exprs: string[] = [];
    for (const { rules } of prometheusRules(exportedModels(["risk"], undefined)).groups)
      for (const rule of rules) {
        exprs.push(rule.expr);
        if ("record" in rule) recorded.add(rule.record);
      }
    const { panels } = grafanaDashboard();
    for (const panel of panels) for (const { expr } of (panel["targets"] ?? []) as { expr: string }[]) exprs.push(expr);
    const known = new Set([
      ...recorded,
      ...names().flatMap((name) => [name, `${name}_bucket`, `${name}_sum`, `${name}_count`]),
    ]);
    const asked = exprs.flatMap((expr) =>
      [...expr.replaceAll(/"[^"]*"/g, '""').matchAll(/([a-z][\w:]*)(?=\{)/g)].map(([, name]) => name!),
    );
    expect(asked.length).toBeGreaterThan(80);
    expect([...new Set(asked)].filter((name) => !known.has(name))).toEqual([]);
  });
});

describe("a model that is replaced while it serves", () => {
  it("is one version in model_info, and its sweep the new one's", async () => {
    const metrics = createMetrics(
      () => null,
      () => ({ entries: 0, bytes: 0 }),
    );
    const version = (sha256: string, batch: number) =>
      ({
        id: "risk",
        version: "1.0.0",
        card: () => ({
          artifact: { sha256, bytes: 1 },
          batching: { maxBatch: batch, maxDelayUs: 0, sweep: [{ batch, tokenBudget: null, rowsPerSecond: 100 }] },
        }),
      }) as unknown as Parameters<typeof metrics.loaded>[1];
    const slot = { id: "risk" } as Parameters<typeof metrics.loaded>[0];
    metrics.loaded(slot, version("a1", 8));
    metrics.loaded(slot, version("b2", 4));
    const after = parseMetrics(await metrics.registry.metrics());
    const of = (name: string, label: string) =>
      after.filter((one) => one.name === name).map(({ labels }) => labels[label]);
    expect(of("model_info", "sha256")).toEqual(["b2"]);
    expect(of("model_batch_sweep_rows_per_second", "batch")).toEqual(["4"]);
  });
});

describe("the dashboard", () => {
  const dashboard = grafanaDashboard('job="models"');
  const panels = dashboard.panels.filter(({ type }) => type !== "row");

  it("can be imported anywhere: schema 42, data source and model are variables, no inputs", () => {
    expect(dashboard).toMatchObject({ schemaVersion: 42, uid: "sluice-models" });
    expect(dashboard).not.toHaveProperty("__inputs");
    expect(dashboard["templating"]).toMatchObject({
      list: [
        { name: "datasource", type: "datasource", query: "prometheus" },
        { name: "model", definition: 'label_values(model_info{job="models"}, model)' },
      ],
    });
  });

  it("has panels with ids and places of their own", () => {
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
    const cells = panels.map(({ gridPos }) => JSON.stringify(gridPos));
    expect(new Set(cells).size).toBe(panels.length);
    for (const panel of panels) expect(panel["description"]).not.toBe("");
  });
});

describe("the text of /metrics", () => {
  it("is read with escapes, signs and times", () => {
    expect(parseMetrics('# HELP a b\na{x="1\\"2",y="\\n"} 3\nb 1e3 1700000000000\nc{} +Inf\n{broken\n')).toEqual([
      { name: "a", labels: { x: '1"2', y: "\n" }, value: 3 },
      { name: "b", labels: {}, value: 1000 },
      { name: "c", labels: {}, value: Infinity },
    ]);
  });

  it("has no sum of what is not there", () => {
    expect(sumOf([], "a")).toBeNull();
  });
});
