import { cpSync } from "node:fs";
import { join, relative } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { predictShard } from "../../../eval/gate.ts";
import { modelsToGate } from "../../../eval/gate/changed-models.ts";
import { gitIn } from "../../../eval/gate/git.ts";
import { configuration } from "../../../eval/schema/configuration.ts";
import { jsonLines, linearManifest, rows, teamRepository, type TeamRepository } from "../../cli/repository.ts";
import { folderWith } from "../dataset/build.ts";
import { gate } from "./run.ts";

let team: TeamRepository;

/** The linear model, then once more on its own answer, which it hands on as it is. */
const both = (changes: object = {}) => {
  const { dataset, gates } = linearManifest();
  return {
    schemaVersion: 1,
    id: "both",
    version: "1.0.0",
    task: "regression",
    backend: "graph",
    nodes: {
      root: {
        sequence: [
          { name: "first", model: "linear" },
          { name: "second", model: "linear", inputs: { a: "first.value.value - 0.5", b: "0", c: "0" } },
        ],
      },
    },
    dataset,
    gates,
    ...changes,
  };
};
const write = (changes: object = {}) => team.write("models/both/model.yaml", stringify(both(changes)));
const commit = (message: string) => {
  team.git("add", "-A");
  team.git("commit", "-qm", message);
};

beforeEach(() => {
  team = teamRepository();
  team.write("sluice.yaml", "schemaVersion: 1\nmodels: [models/linear, models/both]\n");
  team.write("models/both/data/rows.jsonl", jsonLines(rows()));
  team.model({ version: "1.0.0" });
  write();
  commit("Both");
});
afterEach(() => team.remove());

const judged = async (...given: Parameters<typeof gate> extends [unknown, ...infer R] ? R : never) => {
  const outcome = await gate(team, { models: ["both"], ...given[0] }, given[1]);
  return { outcome, model: outcome.verdict.models[0]!, metrics: outcome.metrics.models };
};

describe("the gate of a composition", () => {
  it("judges it end to end, and measures each of its steps", async () => {
    const { model, metrics } = await judged();
    expect(model.verdict).toBe("PASS");
    expect(model.notes.join("\n")).toMatch(/The candidate is the baseline/);
    expect(model.notes.join("\n")).toMatch(
      /The candidate's steps: first, linear 1\.0\.0: p50 .* ms, p95 .* over 200 single rows, no errors; second, linear 1\.0\.0: /,
    );
    const [candidate, baseline] = metrics;
    expect(candidate!.steps).toMatchObject([
      { step: "first", model: "linear", version: "1.0.0", runs: 200, failedRows: 0 },
      { step: "second", model: "linear", failedRows: 0 },
    ]);
    expect(candidate!.steps!.every(({ p50Ms, p95Ms }) => p50Ms! > 0 && p95Ms! >= p50Ms!)).toBe(true);
    expect(baseline!.model.sha256).toBe(candidate!.model.sha256);
    expect(candidate!.batchParity).toMatchObject({ ok: true, repeatable: true });
  });

  it("holds a changed model against the composition as it was with the model before", async () => {
    team.model({ version: "1.1.0", offset: 5 });
    const { model } = await judged();
    expect(model.verdict).toBe("FAIL");
    const mae = model.checks.find(({ metric, slice }) => metric === "mae" && slice === "all")!;
    expect(mae.baseline).toBeLessThan(1);
    // Both steps add the five.
    expect(mae.observed).toBeCloseTo(10, 0);
    expect(model.model.sha256).not.toBe(model.baseline!.sha256);
  });

  it("keeps no answer of other step models in the cache", async () => {
    const env = { SLUICE_CACHE: join(folderWith({}), "cache") };
    const mae = async () =>
      (await judged({ baseline: "none" }, { env })).metrics[0]!.measurements.find(
        ({ metric, slice }) => metric === "mae" && slice === "all",
      )!.result;
    const before = await mae();
    expect(await mae()).toEqual(before);
    team.model({ version: "1.0.0", offset: 5 });
    expect(await mae()).not.toEqual(before);
  });

  it("takes the base's exam, whatever the candidate's says", async () => {
    team.model({ version: "1.1.0", offset: 5 });
    write({ gates: { checks: [{ kind: "limit", metric: "rmse", max: 999 }] } });
    const { model } = await judged();
    expect(model.verdict).toBe("FAIL");
    expect(model.policyChanges.length).toBeGreaterThan(0);
    expect(model.policySource).toMatch(/model\.yaml at merge base|model\.yaml at/);
  });

  it("counts the rows that a step refuses, by the step", async () => {
    const inputs = { a: "first.value.value - 0.5", b: "0", c: "0" };
    const nodes = {
      root: {
        sequence: [
          { name: "first", model: "linear" },
          { name: "second", model: "narrow", inputs },
        ],
      },
    };
    const manifest = linearManifest({ id: "narrow", version: "1.0.0" });
    (manifest.preprocess["row"] as { columns: Record<string, object> }).columns["a"] = { type: "number", max: 240 };
    team.write("models/narrow/model.yaml", stringify(manifest));
    cpSync(join(team.dir, "models/linear/linear.onnx"), join(team.dir, "models/narrow/linear.onnx"));
    write({ nodes, dataset: { ...linearManifest().dataset!, maxBadRows: { fraction: 0.5 } } });
    const { model, metrics } = await judged({ baseline: "none" });
    const refused = rows().filter(({ a, b, c }) => a + 10 * b + 100 * c > 240).length;
    expect(refused).toBeGreaterThan(0);
    expect(metrics[0]!.steps).toMatchObject([
      { step: "first", failedRows: 0 },
      { step: "second", failedRows: refused },
    ]);
    expect(model.notes.join("\n")).toMatch(/second: second\.a: /);
  });

  it("takes no model from outside the repository", async () => {
    const outside = folderWith({});
    cpSync(join(team.dir, "models/linear"), outside, { recursive: true });
    write({ models: { linear: relative(join(team.dir, "models/both"), outside) } });
    await expect(judged()).rejects.toThrow(/the model linear lies outside the repository/);
  });

  it("merges shards that were predicted elsewhere", async () => {
    const out = folderWith({});
    const request = {
      root: team.dir,
      configFile: "sluice.yaml",
      models: ["both"],
      baseline: "auto" as const,
      out,
      seed: 1,
      performance: false,
    };
    const deps = {
      now: () => new Date(0),
      fetch: () => Promise.reject(new TypeError("no network")),
      onEvent: () => {},
      env: { ...process.env, SLUICE_CACHE: join(folderWith({}), "cache") },
    };
    for (const index of [0, 1]) await predictShard(request, { index, count: 2 }, deps);
    const { model } = await judged({ shards: join(out, "shards") });
    expect(model.verdict).toBe("PASS");
  });
});

describe("what a change touches", () => {
  const touched = () =>
    modelsToGate(
      configuration.parse({ schemaVersion: 1, models: ["models/linear", "models/both"] }),
      "sluice.yaml",
      [],
      { ref: "HEAD~1", production: true },
      team.dir,
      gitIn(team.dir, process.env),
    );

  it("is each composition of a model that changed", async () => {
    team.model({ version: "1.1.0" });
    commit("a change of the model");
    expect((await touched()).models).toEqual(["models/linear", "models/both"]);
    team.write("unrelated.txt", "x");
    commit("something else");
    expect((await touched()).models).toEqual([]);
    write({ version: "1.1.0" });
    commit("a change of the composition");
    expect((await touched()).models).toEqual(["models/both"]);
  });
});
