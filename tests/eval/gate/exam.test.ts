import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ManifestInput } from "../../../models/core/manifest/manifest.ts";
import { jsonLines, linearManifest, rows, teamRepository, type TeamRepository } from "../../cli/repository.ts";
import { sequenceManifest, wordTokenizer } from "../../models/core/build.ts";
import { gateOf, verdictOn } from "./verdict-on.ts";

let team: TeamRepository;
beforeEach(() => {
  team = teamRepository();
});
afterEach(() => team.remove());

const data = "models/linear/data/rows.jsonl";
const base = rows();
const onData = (changes: Partial<NonNullable<ManifestInput["dataset"]>>) => ({
  dataset: { ...linearManifest().dataset!, ...changes },
});
const commit = (message: string) => {
  team.git("add", "-A");
  team.git("commit", "-qm", message);
};

describe("a change of the model and of the data", () => {
  it("FAILs on the base's rows, however the candidate's rows would flatter it", async () => {
    team.model({ offset: 1.5 });
    // The rows on which the candidate happens to be right.
    const kind = base.filter((row) => row.value - (row.a + 10 * row.b + 100 * row.c + 0.5) > 0.9);
    team.write(data, jsonLines(kind));
    const model = await verdictOn(team.dir);
    expect(model).toMatchObject({ verdict: "FAIL", dataset: { rows: 200 } });
    expect(model.reason).toMatch(/mae/);
    expect(model.datasetChange).toMatchObject({ judgedOn: "base", removed: 200 - kind.length, added: 0 });
    expect(model.policyChanges).toContainEqual({
      path: `dataset file ${data}`,
      base: expect.stringMatching(/^as at [0-9a-f]{7}$/),
      candidate: "changed",
    });
  });

  it("is never green: a model that holds on the base's rows is INCOMPARABLE until the data has landed", async () => {
    team.model({ offset: 0.05 });
    team.write(data, jsonLines(base.slice(0, 150)));
    const model = await verdictOn(team.dir);
    expect(model.checks.map(({ verdict }) => verdict)).toEqual(["PASS", "PASS", "PASS", "PASS"]);
    expect(model.verdict).toBe("INCOMPARABLE");
    expect(model.reason).toMatch(/the data changes too \(rows: 50 removed\).*Land the data by itself first/);
    // Both models, on both versions of the rows.
    const mae = model.datasetChange?.figures.filter(({ metric, slice }) => metric === "mae" && slice === "all");
    expect(mae?.map(({ model: side }) => side)).toEqual(["candidate", "baseline"]);
    for (const one of mae!) expect(one.base).not.toBe(one.candidate);
  });

  it.each<[string, Parameters<TeamRepository["model"]>[0]]>([
    ["fewer files", onData({ files: [{ path: "data/other.jsonl" }] })],
    ["a field set on every row", onData({ files: [{ path: "data/rows.jsonl", set: { a: 0 } }] })],
    ["a renamed field", onData({ rename: { a: "value" } })],
    ["another label column", onData({ labels: { value: { field: "c" } } })],
    ["other ids", onData({ idField: "a_b" })],
    ["other weights", onData({ weight: "b" })],
    ["fewer slice columns", onData({ slices: [] })],
  ])("%s: the base's declaration makes the rows", async (_, changes) => {
    team.write("models/linear/data/other.jsonl", jsonLines(base.slice(0, 20)));
    if (changes?.dataset?.idField === "a_b")
      team.write(data, jsonLines(base.map((row) => ({ ...row, a_b: `other-${row.id}` }))));
    team.model({ offset: 1.5, gates: { checks: [{ kind: "limit", metric: "rmse", max: 99 }] }, ...changes });
    const model = await verdictOn(team.dir);
    expect(model).toMatchObject({ verdict: "FAIL", dataset: { rows: 200 } });
    expect(model.datasetChange?.judgedOn).toBe("base");
    expect(model.checks.map(({ slice }) => slice)).toEqual(["all", "half=even", "half=odd", "all"]);
  });

  it("is ERROR when nobody could read the candidate's data afterwards", async () => {
    team.model({ offset: 0.05 });
    team.write(data, jsonLines(base.map((row, i) => (i === 3 ? { ...row, value: "much" } : row))));
    const model = await verdictOn(team.dir);
    expect(model.verdict).toBe("ERROR");
    expect(model.reason).toMatch(/the candidate's dataset: .*rows\.jsonl:4/s);
  });

  it("counts data outside the model's folder", async () => {
    const outside = { offset: 0, ...onData({ files: [{ path: "../../data/shared.jsonl" }] }) };
    team.write("data/shared.jsonl", jsonLines(base));
    team.model({ version: "1.0.0", ...outside });
    commit("data of all models");
    team.model({ ...outside, offset: 0.05 });
    expect((await verdictOn(team.dir)).verdict).toBe("PASS");
    team.write("data/shared.jsonl", jsonLines(base.slice(0, 100)));
    expect(await verdictOn(team.dir)).toMatchObject({
      verdict: "INCOMPARABLE",
      dataset: { rows: 200 },
      datasetChange: { removed: 100 },
    });
  });

  it("is none when the same rows are only written otherwise", async () => {
    team.model({ offset: 0.05, ...onData({ files: [{ path: "data/rows.csv" }] }) });
    rmSync(join(team.dir, data));
    const csv = base.map(({ id, a, b, c, value, half }) => [id, a, b, c, value, half].join(","));
    team.write("models/linear/data/rows.csv", `id,a,b,c,value,half\n${csv.join("\n")}\n`);
    const model = await verdictOn(team.dir);
    expect(model).toMatchObject({ verdict: "PASS" });
    expect(model.datasetChange).toBeUndefined();
    expect(model.policyChanges.map(({ path }) => path)).toContain("dataset.files[0].path");
  });

  it("is none of a branch that is only older than the base branch's data", async () => {
    team.git("checkout", "-qb", "topic");
    team.model({ offset: 0.05 });
    commit("a candidate");
    team.git("checkout", "-q", "main");
    team.write(data, jsonLines(base.slice(0, 120)));
    commit("newer data on main");
    team.git("checkout", "-q", "topic");
    const model = await verdictOn(team.dir, {
      baseline: { ref: team.git("merge-base", "main", "topic").trim() },
      policyRef: "main",
    });
    expect(model).toMatchObject({ verdict: "PASS", dataset: { rows: 120 } });
    expect(model.datasetChange).toBeUndefined();
  });

  it("cannot be told where the base's commit has no data, and that is said", async () => {
    team.write(".gitignore", "models/linear/data/\n");
    team.git("rm", "-rq", "--cached", "models/linear/data");
    commit("data is fetched by the job");
    team.model({ offset: 0.05 });
    const model = await verdictOn(team.dir);
    expect(model.verdict).toBe("PASS");
    expect(model.notes.join("\n")).toMatch(/not among the files of merge base with main.*nobody can say here/);
  });
});

describe("a change of the data alone", () => {
  it("may be green on the new rows, is named, and shows the figures of both", async () => {
    const [first] = base;
    const added = Array.from({ length: 10 }, (_, i) => ({ ...base[i]!, id: `new-${i}`, half: "both" }));
    team.write(data, jsonLines([{ ...first!, value: first!.value + 1 }, ...base.slice(1, 195), ...added]));
    const model = await verdictOn(team.dir);
    expect(model).toMatchObject({ verdict: "PASS", dataset: { rows: 205 }, policyChanges: [] });
    expect(model.reason).toMatch(/on changed data: rows: 10 added, 5 removed, 1 changed \(1 with another label\)$/);
    expect(model.datasetChange).toMatchObject({
      judgedOn: "candidate",
      base: { rows: 200 },
      candidate: { rows: 205 },
      examples: { added: ["new-0", "new-1", "new-2", "new-3", "new-4"], changed: ["row-0"] },
      slices: [{ column: "half", gained: ["both"], lost: [] }],
    });
    const [mae] = model.datasetChange!.figures;
    expect(mae).toMatchObject({ model: "candidate", head: "value", metric: "mae", slice: "all", unit: "points" });
    expect(mae?.candidate).toBe(model.checks.find(({ metric }) => metric === "mae")?.observed);
    expect(mae?.base).not.toBe(mae?.candidate);
    expect(model.datasetChange!.labels[0]?.base).toEqual({
      mean: expect.closeTo(base.reduce((sum, { value }) => sum + value, 0) / 200, 9),
    });
  });

  it("is held to the limits on the new rows", async () => {
    team.write(data, jsonLines(base.map((row) => ({ ...row, value: row.value + 5 }))));
    expect(await verdictOn(team.dir)).toMatchObject({ verdict: "FAIL", datasetChange: { relabelled: 200 } });
  });

  it("is not green when a slice is lost that the gates ask about", async () => {
    team.write(data, jsonLines(base.filter(({ half }) => half === "even")));
    const model = await verdictOn(team.dir);
    expect(model.verdict).toBe("INCOMPARABLE");
    expect(model.reason).toMatch(/no row of half=odd/);
    expect(model.datasetChange?.slices).toEqual([{ column: "half", gained: [], lost: ["odd"] }]);
  });

  it("keeps the base's limit of bad rows", async () => {
    team.model(onData({ maxBadRows: 50 }));
    const broken = base.map((row, i) => (i < 40 ? { ...row, value: "?" } : row));
    team.write(data, jsonLines(broken));
    const model = await verdictOn(team.dir);
    expect(model.verdict).toBe("ERROR");
    expect(model.reason).toMatch(/at most 0 \(maxBadRows: 0\)/);
  });

  it("is not green when a renamed field hands the model the true values", async () => {
    const gates = { checks: [{ kind: "limit" as const, metric: "rmse" as const, max: 1e9 }] };
    team.model({ version: "1.0.0", gates });
    commit("a limit that anything holds");
    team.model({ gates, ...onData({ rename: { a: "value" } }) });
    expect(await verdictOn(team.dir)).toMatchObject({
      verdict: "INCOMPARABLE",
      reason: "`rename` gives the model the field value, which holds the true values: take it out",
    });
  });

  it("tells a new slice column without calling every row changed", async () => {
    team.model(onData({ slices: ["half", "c"] }));
    const model = await verdictOn(team.dir);
    expect(model).toMatchObject({ verdict: "PASS", datasetChange: { changed: 0, judgedOn: "candidate" } });
    expect(model.reason).toMatch(/on changed data: slice columns: c$/);
  });
});

describe("settings that decide", () => {
  it("are the base's: gates, and the number of bad rows, each shown", async () => {
    team.model({
      offset: 0.05,
      gates: { checks: [{ kind: "limit", metric: "mae", max: 99 }] },
      ...onData({ maxBadRows: 100 }),
    });
    const model = await verdictOn(team.dir);
    expect(model).toMatchObject({ verdict: "PASS" });
    expect(model.checks).toHaveLength(4);
    expect(model.policyChanges.map(({ path }) => path)).toEqual(
      expect.arrayContaining(["gates.checks[0].kind", "dataset.maxBadRows"]),
    );
  });

  it("batchTolerance: a candidate cannot switch batch parity off", async () => {
    const texts = Array.from({ length: 80 }, (_, i) => ({
      id: `t${i}`,
      text: Array.from({ length: ((i * 7) % 20) + 1 }, (_, j) => `t${((i + j * 11) % 60) + 1}`).join(" "),
      label: i % 2 === 0 ? "negative" : "positive",
    }));
    const file = (name: string) => readFileSync(join(import.meta.dirname, "../../fixtures", name));
    const manifest = (onnx: string, changes: Partial<ManifestInput>) =>
      team.write(
        "models/linear/model.yaml",
        JSON.stringify(
          sequenceManifest(onnx, {
            id: "linear",
            dataset: {
              id: "texts",
              files: [{ path: "data/texts.jsonl" }],
              idField: "id",
              labels: { mood: { field: "label" } },
            },
            gates: { checks: [{ kind: "limit", metric: "auroc", min: 0 }] },
            ...changes,
          }),
        ),
      );
    team.write("models/linear/data/texts.jsonl", jsonLines(texts));
    team.write("models/linear/tokenizer.json", JSON.stringify(wordTokenizer()));
    for (const name of ["sequence.onnx", "sequence-leaks-padding.onnx"])
      team.write(`models/linear/${name}`, file(name));
    manifest("sequence.onnx", {});
    commit("a model of texts");
    manifest("sequence-leaks-padding.onnx", {
      version: "1.1.0",
      runtime: { batchTolerance: 1000 },
      postprocess: [
        {
          name: "mood",
          from: "logits",
          kind: "classification",
          activation: "softmax",
          labels: ["negative", "positive"],
          positive: "negative",
        },
      ],
    });
    const model = await verdictOn(team.dir);
    expect(model.verdict).toBe("ERROR");
    expect(model.reason).toMatch(/depend on the batch.*tolerance 0\.0001/);
    expect(model.policyChanges).toEqual([
      { path: "runtime.batchTolerance", base: 1e-4, candidate: 1000 },
      { path: "postprocess[mood].positive", base: "positive", candidate: "negative" },
    ]);
  });

  it("production: the base's folder is the baseline, whatever the candidate's sluice.yaml says", async () => {
    for (const [folder, version, offset] of [
      ["production", "0.9.0", 0],
      ["weak", "0.1.0", 3],
    ] as const) {
      const { dataset: _dataset, gates: _gates, ...answers } = linearManifest({ version, offset });
      team.write(`models/linear/${folder}/model.yaml`, JSON.stringify(answers));
      team.write(`models/linear/${folder}/linear.onnx`, readFileSync(join(team.dir, "models/linear/linear.onnx")));
    }
    commit("two folders");
    team.model({ offset: 1.5 });
    team.write("sluice.yaml", "schemaVersion: 1\nproduction: weak\nmodels: [models/linear]\n");
    const model = await verdictOn(team.dir);
    expect(model).toMatchObject({ verdict: "FAIL", baseline: { version: "0.9.0" } });
    expect(model.policyChanges).toContainEqual({
      path: "sluice.yaml production",
      base: "production",
      candidate: "weak",
    });
  });

  it("reporting: a candidate cannot silence its own comment", async () => {
    team.write("sluice.yaml", "schemaVersion: 1\nmodels: [models/linear]\nreporting: {comment: false}\n");
    expect((await gateOf(team.dir)).configuration.reporting.comment).toBe(true);
  });

  it("task and heads: a model that answers another question is INCOMPARABLE", async () => {
    team.write("models/linear/model.yaml", JSON.stringify({ ...linearManifest(), task: "forecasting" }));
    expect(await verdictOn(team.dir)).toMatchObject({
      verdict: "INCOMPARABLE",
      reason: expect.stringMatching(/the candidate's task is forecasting, the base's regression/),
    });
    const own = linearManifest();
    const renamed = {
      ...own,
      postprocess: [{ ...own.postprocess[0]!, name: "points" }],
      dataset: { ...own.dataset!, labels: { points: { field: "value" } } },
    };
    team.write("models/linear/model.yaml", JSON.stringify(renamed));
    expect(await verdictOn(team.dir)).toMatchObject({
      verdict: "INCOMPARABLE",
      reason: expect.stringMatching(/no head value, about which the base asks/),
    });
    const { dataset: _dataset, ...without } = own;
    team.write(
      "models/linear/model.yaml",
      JSON.stringify({ ...without, gates: { checks: [{ kind: "limit", metric: "rmse", max: 99 }] } }),
    );
    expect(await verdictOn(team.dir)).toMatchObject({
      verdict: "INCOMPARABLE",
      reason: expect.stringMatching(/takes the dataset of linear away/),
    });
  });
});

describe("rows", () => {
  it("that the candidate refuses and the baseline takes are counted, and never green", async () => {
    const gates = { checks: [{ kind: "limit" as const, metric: "rmse" as const, max: 2 }] };
    const lenient = onData({ maxBadRows: { fraction: 0.5 } });
    team.model({ version: "1.0.0", gates, ...lenient });
    commit("only a limit");
    const own = linearManifest();
    const picky = {
      row: {
        ...own.preprocess["row"]!,
        columns: { a: { type: "number", max: 5 }, b: { type: "number" }, c: { type: "number" } },
      },
    };
    team.model({ gates, ...lenient, preprocess: picky as ManifestInput["preprocess"] });
    const model = await verdictOn(team.dir);
    expect(model.checks.map(({ verdict }) => verdict)).toEqual(["PASS"]);
    expect(model.verdict).toBe("INCOMPARABLE");
    expect(model.reason).toMatch(/refuses 28 rows that the baseline takes \(row-6, row-13, row-20, …\)/);
  });

  it("too few for a later gate are named at the first one", async () => {
    team.write(data, jsonLines(base.map((row, i) => (i < 10 ? { ...row, half: "rare" } : row))));
    const model = await verdictOn(team.dir, { baseline: "none" });
    expect(model.verdict).toBe("PASS");
    expect(model.notes.join("\n")).toMatch(
      /From the next version on, one check cannot decide on these rows\. mae on half=rare: 10 rows, and 30 are needed/,
    );
    team.write(data, jsonLines(base));
    expect((await verdictOn(team.dir, { baseline: "none" })).notes.join("\n")).not.toMatch(/next version/);
  });
});
