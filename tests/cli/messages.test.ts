import { createHash } from "node:crypto";
import { cpSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { verdictFile, type VerdictFile } from "../../eval/schema/verdict.ts";
import { jsonLines, rows, teamRepository, type LinearChanges, type TeamRepository } from "./repository.ts";
import { sluice, type Run } from "./sluice.ts";

const fixtures = join(import.meta.dirname, "../fixtures");
let team: TeamRepository;
beforeEach(() => {
  team = teamRepository();
});
afterEach(() => team.remove());

const gate = (...args: string[]) => sluice(team.dir, ["gate", "--no-performance", "--baseline", "none", ...args]);
const verdictOf = (run: Run): VerdictFile => verdictFile.parse(JSON.parse(run.stdout));

/** The candidate's graph is this fixture, and its head answers yes or no. */
function classifier(file: string, output: string, width: number, activation: "softmax" | "sigmoid" | "none"): void {
  cpSync(join(fixtures, file), join(team.dir, "models/linear", file));
  const labelled = rows(400).map(({ value: _, ...row }, i) => ({
    ...row,
    label: (i * 7919) % 97 < 97 / (1 + Math.exp(-(row.a - (width === 1 ? 0 : row.b)))) ? "yes" : "no",
  }));
  team.write("models/linear/data/rows.jsonl", jsonLines(labelled));
  team.model({
    task: "binary-classification",
    artifact: {
      path: file,
      sha256: createHash("sha256")
        .update(readFileSync(join(fixtures, file)))
        .digest("hex"),
    },
    outputs: [{ name: output, dtype: "float32", shape: ["batch", width] }],
    postprocess: [
      { name: "answer", from: output, kind: "classification", activation, labels: ["yes", "no"].toReversed() },
    ],
    dataset: {
      id: "rows",
      files: [{ path: "data/rows.jsonl" }],
      idField: "id",
      labels: { answer: { field: "label" } },
    },
    gates: { checks: [{ kind: "limit", metric: "log_loss", max: 5 }] },
  });
}

describe("an activation after the graph's own", () => {
  it.each([
    ["softmax", "softmax-inside.onnx", "probabilities", 2],
    ["sigmoid", "sigmoid-inside.onnx", "probability", 1],
  ] as const)("%s is refused, with the line and what to write", async (activation, file, output, width) => {
    classifier(file, output, width, activation);
    const run = await gate("--json");
    expect(run.code, run.stderr).toBe(4);
    const { reason } = verdictOf(run).models[0]!;
    expect(reason).toMatch(
      new RegExp(`model\\.yaml:\\d+:\\d+ postprocess\\[0\\]\\.activation: .*applies ${activation} to what`),
    );
    expect(reason).toContain("example:  activation: none");
    classifier(file, output, width, "none");
    expect((await gate()).code).toBe(0);
  });
});

describe("data that the manifest does not fit", () => {
  const dataset = (change: object): LinearChanges => ({
    dataset: {
      id: "rows",
      files: [{ path: "data/rows.jsonl" }],
      idField: "id",
      labels: { value: { field: "value" } },
      slices: ["half"],
      ...change,
    },
  });

  it("a misspelt slice is one error with the columns there are, not a bad row each", async () => {
    team.model({ ...dataset({ slices: ["hlaf"] }), gates: { checks: [{ kind: "limit", metric: "rmse", max: 2 }] } });
    const run = await gate("--json");
    const [model] = verdictOf(run).models;
    expect(model!.reason).toBe(
      [
        'dataset.slices[0]: no row of dataset "rows" has a column "hlaf"',
        "  expected: one of id, a, b, c, value, half",
        "  received: hlaf",
        "  example:  - half",
        "  hint:     did you mean `half`?",
      ].join("\n"),
    );
  });

  it("every misspelt column is named at once", async () => {
    team.model(dataset({ idField: "ID", group: "grp", labels: { value: { field: "vlaue" } } }));
    const { reason } = verdictOf(await gate("--json")).models[0]!;
    for (const place of ["dataset.idField", "dataset.group", "dataset.labels.value.field"])
      expect(reason).toContain(place);
    expect(reason).not.toContain("bad row");
  });

  it("a column that the model wants and no row has is named with those there are", async () => {
    team.model({
      preprocess: {
        row: {
          kind: "tabular",
          columns: { a: { type: "number" }, b: { type: "number" }, cc: { type: "number" } },
          features: ["a", "b", "cc"].map((column) => ({ column, encode: "number" as const })),
        },
      },
    });
    const { reason } = verdictOf(await gate("--json")).models[0]!;
    expect(reason).toContain("cc: the value is missing");
    expect(reason).toContain("nothing; the row has id, a, b, c, half (is it c?)");
  });

  it("categories that the model has never seen are counted column by column", async () => {
    team.model({
      preprocess: {
        row: {
          kind: "tabular",
          columns: { a: { type: "number" }, c: { type: "number" }, half: { type: "string" } },
          features: [
            { column: "a", encode: "number" },
            { column: "c", encode: "number" },
            { column: "half", encode: "one-hot", categories: ["even"], unknown: "zeros" },
          ],
        },
      },
      gates: { checks: [{ kind: "limit", metric: "rmse", max: 1000 }] },
    });
    const run = await gate("--json");
    expect(run.code, run.stderr).toBe(0);
    expect(verdictOf(run).models[0]!.notes.join("\n")).toContain(
      'Categories that the candidate has never seen become zeros (unknown: zeros): half, 100 rows of 200, e.g. "odd" (100)',
    );
  });
});

describe("where commands write", () => {
  it("compare and measure leave what the gate wrote alone", async () => {
    expect((await sluice(team.dir, ["gate", "--no-performance"])).code).toBe(0);
    const verdict = readFileSync(join(team.dir, ".sluice/verdict.json"), "utf8");
    const metrics = readFileSync(join(team.dir, ".sluice/metrics.json"), "utf8");
    const file = (role: string) => `.sluice/predictions/linear/value.${role}.csv`;
    const compared = await sluice(team.dir, [
      "compare",
      "--task",
      "regression",
      "--metric",
      "mae",
      "--margin",
      "10%",
      "--baseline",
      file("baseline"),
      "--candidate",
      file("candidate"),
    ]);
    expect(compared.code, compared.stdout).toBe(0);
    const measured = await sluice(team.dir, ["measure", "--task", "regression", "--predictions", file("candidate")]);
    expect(measured.code, measured.stderr).toBe(0);
    expect(readFileSync(join(team.dir, ".sluice/verdict.json"), "utf8")).toBe(verdict);
    expect(readFileSync(join(team.dir, ".sluice/metrics.json"), "utf8")).toBe(metrics);
    expect(existsSync(join(team.dir, ".sluice/compare/report.html"))).toBe(true);
    expect(existsSync(join(team.dir, ".sluice/measure/metrics.json"))).toBe(true);
  });

  it("another tool's name of a metric is answered with ours", async () => {
    const run = await sluice(team.dir, [
      "compare",
      "--task",
      "binary-classification",
      "--metric",
      "roc_auc",
      "--baseline",
      "a",
      "--candidate",
      "b",
    ]);
    expect(run.code).toBe(2);
    expect(run.stderr).toContain("did you mean auroc?");
  });
});

describe("sluice doctor", () => {
  type Finding = { name: string; status: string; says: string; fix: string | null };
  const findings = async () =>
    (JSON.parse((await sluice(team.dir, ["doctor", "--json"])).stdout) as { checks: Finding[] }).checks.filter(
      ({ name }) => name.startsWith("linear"),
    );

  it("opens the graph, runs a row, and gives sizes that are never 0", async () => {
    const [model, artifact] = await findings();
    expect(model).toMatchObject({ name: "linear 1.1.0", status: "ok" });
    expect(model!.says).toMatch(/is valid: its graph answers the dataset's first row with value 0\.5/);
    expect(artifact!.says).toMatch(/linear\.onnx: \d+ bytes, sha256/);
    team.model({ serving: { examples: [{ a: 1, b: 2, c: 3 }] } });
    expect((await findings())[0]!.says).toContain("serving.examples[0] with value 321.5");
  });

  it.each<[string, LinearChanges, RegExp]>([
    [
      "a shape that is not the graph's",
      {
        inputs: [{ name: "features", dtype: "float32", shape: ["batch", 2], from: "row.features" }],
        preprocess: {
          row: {
            kind: "tabular",
            columns: { a: { type: "number" }, b: { type: "number" } },
            features: ["a", "b"].map((column) => ({ column, encode: "number" as const })),
          },
        },
      },
      /input features has another shape in the graph/,
    ],
    ["an example that the model cannot take", { serving: { examples: [{ a: 1, b: 2 }] } }, /c: the value is missing/],
  ])("calls no model valid that has %s", async (_, changes, says) => {
    team.model(changes);
    const [model] = await findings();
    expect(model!.status).toBe("broken");
    expect(model!.says).toMatch(says);
    expect((await sluice(team.dir, ["doctor"])).code).toBe(2);
  });
});
