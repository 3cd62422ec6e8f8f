import { join } from "node:path";
import { stringify } from "yaml";
import { afterEach, beforeEach, expect, it } from "vitest";
import { planGate, type PlanRequest } from "../../../eval/plan.ts";
import { renderPlan } from "../../../eval/report/plan.ts";
import type { ManifestInput } from "../../../models/core/manifest/manifest.ts";
import { jsonLines, linearManifest, teamRepository, type TeamRepository } from "../../cli/repository.ts";
import { fixture, sha256 } from "../../models/core/build.ts";
import { folderWith } from "../dataset/build.ts";
import { gate } from "./run.ts";

let team: TeamRepository;
beforeEach(() => {
  team = teamRepository();
});
afterEach(() => team.remove());

/** P(bad) = 1 / (1 + exp(a - b)); the label is wrong for every tenth row. */
const rows = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => {
    const b = ((i * 37) % 101) / 25 - 2;
    return { id: `row-${from + i}`, a: 0, b, c: 0, label: b > 0 === (i % 10 !== 0) ? "bad" : "good" };
  });

function write(
  changes: Partial<ManifestInput> = {},
  head: object = {},
  tuning: object[] | null = rows(1000, 500),
): void {
  const { dataset: _, ...linear } = linearManifest();
  team.write("models/linear/two-class.onnx", fixture("two-class.onnx"));
  team.write("models/linear/data/labels.jsonl", jsonLines(rows(0, 400)));
  if (tuning !== null) team.write("models/linear/data/april.jsonl", jsonLines(tuning));
  const manifest: ManifestInput = {
    ...linear,
    id: "binary",
    task: "binary-classification",
    artifact: { path: "two-class.onnx", sha256: sha256(fixture("two-class.onnx")) },
    outputs: [{ name: "logits", dtype: "float32", shape: ["batch", 2] }],
    postprocess: [
      {
        name: "state",
        from: "logits",
        kind: "classification",
        activation: "softmax",
        labels: ["good", "bad"],
        ...head,
      },
    ],
    dataset: {
      id: "labels",
      files: [{ path: "data/labels.jsonl" }],
      ...(tuning === null ? {} : { tuning: [{ path: "data/april.jsonl" }] }),
      idField: "id",
      labels: { state: { field: "label" } },
    },
    gates: { checks: [{ kind: "limit", metric: "false_positive_rate", max: 0.2 }] },
    ...changes,
  };
  team.write("models/linear/model.yaml", stringify(manifest));
}

const plan = (threshold: PlanRequest["threshold"]) =>
  planGate(
    {
      root: team.dir,
      configFile: "sluice.yaml",
      models: [],
      baseline: "none",
      out: join(folderWith({}), "out"),
      seed: 1,
      performance: false,
      correlation: 0.95,
      ...(threshold === undefined ? {} : { threshold }),
    },
    {
      env: { ...process.env, SLUICE_CACHE: join(folderWith({}), "cache") },
      now: () => new Date(0),
      fetch,
      onEvent: () => {},
    },
  );

it("a threshold is proposed on the tuning rows, and a gate at it measures what was promised", async () => {
  write();
  const planned = await plan({ goal: { kind: "fpr", atMost: 0.15 }, head: null, rows: "tuning" });
  const [proposal] = planned.models[0]!.thresholds!;
  if (proposal?.chosen.status !== "ok") throw new Error("undefined");
  const { threshold, interval, falsePositiveRate } = proposal.chosen;
  expect(proposal).toMatchObject({ head: "state", rows: "tuning", n: 500, declared: null, notes: [] });
  expect(falsePositiveRate).toBeLessThanOrEqual(0.15);
  expect(interval.low).toBeLessThanOrEqual(threshold);
  expect(interval.high).toBeGreaterThanOrEqual(threshold);
  const text = renderPlan(planned, { width: 120 }).replaceAll(/\s+/g, " ");
  expect(text).toContain("Threshold of state for a false-positive rate of at most 0.15");
  write({}, { threshold });
  const { verdict, metrics } = await gate(team, { baseline: "none" });
  const check = verdict.models[0]!.checks[0]!;
  expect(check).toMatchObject({ metric: "false_positive_rate", verdict: "PASS" });
  expect(check.observed).toBeLessThan(0.2);
  // The label that is served and the figures follow one threshold.
  const recall = metrics.models[0]!.measurements.find(({ metric, slice }) => metric === "recall" && slice === "all");
  expect(recall?.result).toMatchObject({ status: "ok" });
  write();
  const { verdict: undecided } = await gate(team, { baseline: "none" });
  expect(undecided.models[0]!.checks[0]!.observed).not.toBe(check.observed);
});

it("the gate's own rows are taken only where that is asked for, and it is said", async () => {
  write({}, { threshold: 0.7 }, null);
  const goal = { kind: "recall", atLeast: 0.8 } as const;
  await expect(plan({ goal, head: null, rows: "tuning" })).rejects.toThrow(/dataset\.tuning/);
  const planned = await plan({ goal, head: "state", rows: "gate" });
  expect(planned.models[0]!.thresholds).toMatchObject([
    { rows: "gate", n: 400, declared: 0.7, notes: [expect.stringMatching(/the gate's own rows/)] },
  ]);
  await expect(plan({ goal, head: "other", rows: "gate" })).rejects.toThrow(/no head other/);
});

it("tuning rows that are the gate's are told of", async () => {
  write({}, {}, [...rows(1000, 100), ...rows(0, 100)]);
  const planned = await plan({ goal: { kind: "cost", falseAlarm: 1, miss: 5 }, head: null, rows: "tuning" });
  expect(planned.models[0]!.thresholds![0]!.notes.join()).toMatch(/100 of these rows are the gate's too \(row-0/);
});
