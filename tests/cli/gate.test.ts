import { cpSync, existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { metricsFile } from "../../eval/schema/metrics.ts";
import { verdictFile, type VerdictFile } from "../../eval/schema/verdict.ts";
import { sequenceManifest, sha256, wordTokenizer } from "../models/core/build.ts";
import { jsonLines, linearManifest, rows, teamRepository, type TeamRepository } from "./repository.ts";
import { sluice, type Run } from "./sluice.ts";

let team: TeamRepository;
beforeEach(() => {
  team = teamRepository();
});
afterEach(() => team.remove());

const gate = (...args: string[]) => sluice(team.dir, ["gate", "--no-performance", "--json", ...args]);
const verdictOf = (run: Run): VerdictFile => verdictFile.parse(JSON.parse(run.stdout));
const read = (path: string) => readFileSync(join(team.dir, path), "utf8");

describe("sluice gate", () => {
  it("passes a candidate that is equally good, with one JSON document on stdout and every file in --out", async () => {
    const run = await gate("--out", "out");
    expect(run.code, run.stderr).toBe(0);
    const verdict = verdictOf(run);
    expect(verdict.verdict).toBe("PASS");
    expect(verdict.models[0]?.checks.map((check) => [check.metric, check.slice, check.verdict])).toEqual([
      ["mae", "all", "PASS"],
      ["mae", "half=even", "PASS"],
      ["mae", "half=odd", "PASS"],
      ["rmse", "all", "PASS"],
    ]);
    expect(verdict.models[0]?.baselineSource).toMatch(/^models\/linear at merge base with main, [0-9a-f]{7}$/);
    expect(JSON.parse(read("out/verdict.json"))).toEqual(verdict);
    expect(metricsFile.parse(JSON.parse(read("out/metrics.json"))).models).toHaveLength(2);
    expect(read("out/report.md")).toContain("PASS");
    expect(read("out/report.html")).toContain("<svg");
    expect(read("out/predictions/linear/value.candidate.csv").split("\n")[0]).toBe("id,label,score,half");
  });

  it("fails a candidate that is shown to be worse, and names the line of the deciding check in model.yaml", async () => {
    team.model({ offset: 1.5 });
    const run = await gate();
    expect(run.code).toBe(1);
    const [model] = verdictOf(run).models;
    expect(model).toMatchObject({ verdict: "FAIL" });
    const worst = model?.checks[0];
    expect(worst).toMatchObject({ metric: "mae", verdict: "FAIL", declaredAt: { file: "models/linear/model.yaml" } });
    const line = read("models/linear/model.yaml").split("\n")[(worst?.declaredAt?.line ?? 0) - 1];
    expect(line).toContain("kind: non-inferiority");
    // Recomputed by hand: rows have noise n in [-1, 1], and the candidate's answer is 1.5 too high.
    const noises = rows().map((row) => row.value - (row.a + 10 * row.b + 100 * row.c + 0.5));
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(worst?.observed).toBeCloseTo(mean(noises.map((noise) => Math.abs(1.5 - noise))), 4);
    expect(worst?.baseline).toBeCloseTo(mean(noises.map(Math.abs)), 4);
  });

  it("is judged by the base branch's thresholds and shows what the candidate changes", async () => {
    team.model({ offset: 1.5, gates: { checks: [{ kind: "limit", metric: "rmse", max: 1000 }] } });
    const run = await gate();
    expect(run.code).toBe(1);
    const [model] = verdictOf(run).models;
    expect(model?.policySource).toContain("merge base");
    expect(model?.policyChanges.map((change) => change.path)).toContain("gates.checks[0].kind");
  });

  it("says 'no baseline' on every relative check of a first version, and lets absolute limits decide", async () => {
    const run = await gate("--baseline", "none");
    expect(run.code, run.stderr).toBe(0);
    const [model] = verdictOf(run).models;
    expect(
      model?.checks
        .filter((check) => check.kind === "non-inferiority")
        .map((check) => [check.verdict, check.advisory, check.reason]),
    ).toEqual(Array.from({ length: 3 }, () => ["INCONCLUSIVE", true, "no baseline: none asked for"]));
    expect(model?.checks.at(-1)).toMatchObject({ metric: "rmse", verdict: "PASS" });
  });

  it("is INCONCLUSIVE when only relative checks exist and there is no baseline", async () => {
    team.model({ gates: { checks: [{ kind: "non-inferiority", metric: "mae", margin: 1 }] } });
    const run = await gate("--baseline", "none");
    expect(run.code).toBe(3);
    expect(verdictOf(run).verdict).toBe("INCONCLUSIVE");
  });

  it("is INCOMPARABLE with a baseline of another task", async () => {
    team.write("other/model.yaml", JSON.stringify({ ...linearManifest({ version: "0.9.0" }), task: "forecasting" }));
    cpSync(join(team.dir, "models/linear/linear.onnx"), join(team.dir, "other/linear.onnx"));
    cpSync(join(team.dir, "models/linear/data"), join(team.dir, "other/data"), { recursive: true });
    const run = await gate("--baseline", "other");
    expect(run.code).toBe(3);
    expect(verdictOf(run)).toMatchObject({ verdict: "INCOMPARABLE" });
  });

  it("is INCOMPARABLE with a baseline that answers with other heads", async () => {
    team.write(
      "other/model.yaml",
      JSON.stringify({
        ...linearManifest({ version: "0.9.0" }),
        postprocess: [{ name: "points", from: "prediction", kind: "regression" }],
        dataset: undefined,
        gates: undefined,
      }),
    );
    cpSync(join(team.dir, "models/linear/linear.onnx"), join(team.dir, "other/linear.onnx"));
    const run = await gate("--baseline", "other");
    expect(run.code).toBe(3);
    expect(verdictOf(run).models[0]?.checks[0]).toMatchObject({
      verdict: "INCOMPARABLE",
      reason: "the baseline has none of the heads value; it has points",
    });
  });

  it("takes the production folder as the baseline, and refuses it when its receipt is for other weights", async () => {
    const bytes = readFileSync(join(team.dir, "models/linear/linear.onnx"));
    team.write("models/linear/production/linear.onnx", bytes);
    team.write(
      "models/linear/production/model.yaml",
      JSON.stringify({ ...linearManifest({ version: "0.9.0" }), dataset: undefined, gates: undefined }),
    );
    const receipt = {
      schemaVersion: 1,
      model: { id: "linear", version: "0.9.0", task: "regression", sha256: sha256(bytes) },
      dataset: { id: "rows", digest: "other", rows: 200 },
      metrics: [],
      verdict: "PASS",
      reason: "",
      sluiceVersion: "0.1.0",
      onnxruntime: "1.30.0",
    };
    const commit = (content: object) => {
      team.write("models/linear/production/receipt.json", JSON.stringify(content));
      team.git("add", "-A");
      team.git("commit", "-qm", "a production version");
    };
    commit(receipt);
    const known = await gate();
    expect(known.code, known.stderr).toBe(0);
    expect(verdictOf(known).models[0]).toMatchObject({
      baselineSource: expect.stringMatching(/^models\/linear\/production at merge base/),
      baseline: { version: "0.9.0" },
    });
    commit({ ...receipt, model: { ...receipt.model, sha256: "0".repeat(64) } });
    const foreign = await gate();
    expect(foreign.code).toBe(3);
    expect(verdictOf(foreign).models[0]?.checks[0]).toMatchObject({
      verdict: "INCOMPARABLE",
      reason: expect.stringContaining("receipt is for 000000000000"),
    });
    commit({ ...receipt, verdict: "FINE" });
    expect((await gate()).code).toBe(4);
  });

  it("gives the same verdict twice, and a cached prediction changes nothing", async () => {
    const [first, second] = [await gate(), await gate()].map((run) => verdictOf(run).models);
    expect(second).toEqual(first);
  });

  it("without --json prints a table that fits the width and the path of the report", async () => {
    const run = await sluice(team.dir, ["gate", "--no-performance"], { COLUMNS: "100" });
    expect(run.stdout).toContain("PASS         linear 1.1.0");
    expect(Math.max(...run.stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(run.stderr).toContain("report.html");
    expect(existsSync(join(team.dir, ".sluice/report.html"))).toBe(true);
  });
});

describe("sluice gate on bad input", () => {
  const errorOf = async (...args: string[]) => {
    const run = await gate(...args);
    return { run, reason: run.code === 2 ? run.stderr : (verdictOf(run).models[0]?.reason ?? "") };
  };

  it("exit 2: a broken manifest, with file, line, what was expected and an example", async () => {
    team.write(
      "models/linear/model.yaml",
      read("models/linear/model.yaml").replace("task: regression", "task: regresion"),
    );
    const { run } = await errorOf();
    expect(run.code).toBe(2);
    expect(run.stderr).toMatch(/model\.yaml:4:7/);
    expect(run.stderr).toMatch(/expected: .*regression/);
    expect(run.stdout).toBe("");
  });

  it("exit 4: a model file with another digest than the manifest's", async () => {
    const bytes = readFileSync(join(team.dir, "models/linear/linear.onnx"));
    bytes[bytes.length - 1] = (bytes.at(-1) as number) ^ 1;
    team.write("models/linear/linear.onnx", bytes);
    const { run, reason } = await errorOf();
    expect(run.code).toBe(4);
    expect(reason).toMatch(/sha256|digest/i);
    expect(reason).toContain(linearManifest().artifact.sha256);
  });

  it("exit 4: a file that is not an ONNX model, even with the right digest", async () => {
    const text = "<html>404: Not Found</html>";
    team.write("models/linear/linear.onnx", text);
    team.model({ artifact: { path: "linear.onnx", sha256: sha256(text) } });
    const { run, reason } = await errorOf();
    expect(run.code).toBe(4);
    expect(reason).toMatch(/HTML or XML page stands in the place of the model/);
  });

  it("exit 4: an empty dataset", async () => {
    team.write("models/linear/data/rows.jsonl", "");
    const { run, reason } = await errorOf();
    expect(run.code).toBe(4);
    expect(reason).toMatch(/no rows/);
  });

  it("exit 4: a NaN label, naming the row", async () => {
    const items = rows();
    team.write(
      "models/linear/data/rows.jsonl",
      jsonLines(items.map((item, i) => (i === 2 ? { ...item, value: "NaN" } : item))),
    );
    const { run, reason } = await errorOf();
    expect(run.code).toBe(4);
    expect(reason).toMatch(/rows\.jsonl:3/);
  });

  it("exit 4: a row that the model cannot take, naming it", async () => {
    const items = rows();
    team.write(
      "models/linear/data/rows.jsonl",
      jsonLines(items.map((item, i) => (i === 5 ? { ...item, a: "many" } : item))),
    );
    const { run, reason } = await errorOf();
    expect(run.code).toBe(4);
    expect(reason).toMatch(/row-5/);
  });

  it("exit 4: a model whose answers depend on the batch", async () => {
    const texts = Array.from({ length: 80 }, (_, i) => ({
      id: `t${i}`,
      text: Array.from({ length: ((i * 7) % 20) + 1 }, (_, j) => `t${((i + j * 11) % 60) + 1}`).join(" "),
      label: i % 2 === 0 ? "negative" : "positive",
    }));
    const manifest = sequenceManifest("sequence-leaks-padding.onnx", {
      id: "linear",
      dataset: {
        id: "texts",
        files: [{ path: "data/texts.jsonl" }],
        idField: "id",
        labels: { mood: { field: "label" } },
      },
      gates: { checks: [{ kind: "limit", metric: "auroc", min: 0 }] },
    });
    const core = join(import.meta.dirname, "../fixtures");
    team.write("models/linear/model.yaml", JSON.stringify(manifest));
    team.write("models/linear/data/texts.jsonl", jsonLines(texts));
    team.write("models/linear/sequence-leaks-padding.onnx", readFileSync(join(core, "sequence-leaks-padding.onnx")));
    team.write("models/linear/tokenizer.json", JSON.stringify(wordTokenizer()));
    team.git("add", "-A");
    team.git("commit", "-qm", "a leaking model");
    const { run, reason } = await errorOf("--baseline", "none");
    expect(run.code, run.stderr).toBe(4);
    expect(reason).toMatch(/depend on the batch/);
  });

  it("exit 4: a check on performance when performance was not measured", async () => {
    team.model({ gates: { checks: [{ kind: "limit", metric: "latency_p50_ms", max: 1000 }] } });
    const run = await gate("--baseline", "none");
    expect(run.code).toBe(4);
    expect(verdictOf(run).models[0]?.checks[0]).toMatchObject({ verdict: "ERROR", observed: null });
  });

  it.each([
    [["gate", "--nonsense"], /unknown option '--nonsense'/],
    [["gate", "nobody"], /no such model[\s\S]*expected: one of linear/],
    [["gate", "--config", "elsewhere.yaml"], /elsewhere\.yaml[\s\S]*example/],
    [["gate", "--baseline", "no-such-ref"], /neither a folder nor a commit/],
    [["gate", "--provider", "tpu"], /cpu, cuda, webgpu/],
    [["gate", "--seed", "often"], /--seed[\s\S]*whole number/],
    [["gat"], /Did you mean gate/],
    [[], /Usage: sluice/],
  ])("exit 2: sluice %j", async (args, message) => {
    const run = await sluice(team.dir, args);
    expect(run.code, run.stderr).toBe(2);
    expect(run.stderr).toMatch(message);
    expect(run.stdout).toBe("");
  });

  it("--help of the program and of each command exits 0 with examples and exit codes", async () => {
    const program = await sluice(team.dir, ["--help"]);
    expect(program).toMatchObject({ code: 0, stderr: "" });
    expect(program.stdout).toMatch(/Exit codes: 0 PASS/);
    for (const command of ["gate", "compare", "measure"]) {
      const help = await sluice(team.dir, [command, "--help"]);
      expect(help.code).toBe(0);
      expect(help.stdout).toContain(`scripts/sluice.mjs ${command}`);
    }
  });
});

describe("sluice gate over shards", () => {
  it("merges the parts of several jobs into the verdict that one job gives", async () => {
    team.model({ offset: 0.05 });
    const whole = verdictOf(await gate());
    for (const part of ["2/3", "0/3", "1/3"]) {
      const run = await gate("--shard", part, "--out", `job-${part[0]}`);
      expect(run.code, run.stderr).toBe(0);
      expect(JSON.parse(run.stdout)).toMatchObject({
        shards: [
          expect.stringContaining(`linear.candidate.${part[0]}-of-3`),
          expect.stringContaining(`linear.baseline.${part[0]}-of-3`),
        ],
      });
    }
    const merged = await gate("--shards", ".");
    expect(merged.code, merged.stderr).toBe(0);
    const sampled = /rows of 3 shards were predicted again here \(seed \d+\), with the same answers\.$/;
    const models = verdictOf(merged).models.map((one) => ({
      ...one,
      notes: one.notes.filter((note) => !sampled.test(note)),
    }));
    expect(models).toEqual(whole.models);
    expect(verdictOf(merged).models[0]?.notes).toHaveLength(models[0]!.notes.length + 2);
  });

  it("refuses a merge with a part missing, of other weights, or of other rows", async () => {
    for (const part of ["0/2", "1/2"]) await gate("--shard", part, "--out", "parts");
    rmSync(join(team.dir, "parts/shards/linear.candidate.1-of-2"), { recursive: true });
    const missing = await gate("--shards", "parts");
    expect(missing.code).toBe(4);
    expect(verdictOf(missing).reason).toMatch(/shards are missing: 1\/2/);
    await gate("--shard", "1/2", "--out", "parts");
    expect((await gate("--shards", "parts")).code).toBe(0);
    team.write("models/linear/data/rows.jsonl", jsonLines(rows(150)));
    expect(verdictOf(await gate("--shards", "parts")).reason).toMatch(/another dataset/);
  });

  it.each([
    [["--shard", "4/4"], /0 to N - 1/],
    [["--shard", "half"], /0\/4/],
    [["--shard", "0/2", "--shards", "parts"], /use one/],
  ])("exit 2: %j", async (args, message) => {
    const run = await gate(...args);
    expect(run.code).toBe(2);
    expect(run.stderr).toMatch(message);
  });
});
