import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { compareFiles } from "../../../eval/compare.ts";
import { judgePredictions } from "../../../eval/judge/judge-predictions.ts";
import { planChecks } from "../../../eval/judge/plan-checks.ts";
import { measuredPair } from "../../../eval/judge/quality-evidence.ts";
import { sliceRegressions } from "../../../eval/judge/slice-regressions.ts";
import { planCheck } from "../../../eval/power/plan-check.ts";
import { writePredictions } from "../../../eval/predictions/write.ts";
import type { Predictions } from "../../../eval/predictions/predictions.ts";
import { RandomStream } from "../../../eval/stats/random.ts";
import { gates as gatesSchema } from "../../../models/core/manifest/gates.ts";
import { folderWith } from "../dataset/build.ts";
import { gateOf, verdictOn } from "../gate/verdict-on.ts";
import { sidesManifest, sidesRepository } from "../augment/team.ts";

const perClass = 60;
const policy = { kind: "non-inferiority" as const, metric: "accuracy" as const, margin: 0.1, slices: ["label"] };
const gates = gatesSchema.parse({ checks: [policy] });

/** Two models with many classes; the candidate is right on 90 % of the rows, and on 30 % of those of the classes `worse`. */
function pairOf(seed: number, worse: readonly number[], count = 20) {
  const classes = Array.from({ length: count }, (_, k) => `class ${k}`);
  const random = new RandomStream(seed);
  const labels = Float64Array.from({ length: count * perClass }, (_, i) => i % count);
  const predictions = (accuracyOf: (k: number) => number): Predictions => {
    const scores = new Float64Array(labels.length * count);
    labels.forEach((label, i) => {
      const answer = random.uniform() < accuracyOf(label) ? label : (label + 1) % count;
      scores[i * count + answer] = 1;
    });
    return {
      head: "kind",
      task: "multiclass-classification",
      ids: Array.from(labels, (_, i) => `r${i}`),
      labels,
      scores,
      classes,
      slices: {},
      groups: null,
      weights: null,
      datasetDigest: null,
    };
  };
  return { classes, candidate: predictions((k) => (worse.includes(k) ? 0.3 : 0.9)), baseline: predictions(() => 0.9) };
}

function judged(seed: number, worse: readonly number[]) {
  const { classes, candidate, baseline } = pairOf(seed, worse);
  const planned = planChecks(
    gates,
    {},
    () => null,
    false,
    () => classes,
  );
  const pair = measuredPair(
    new Map([["", candidate]]),
    new Map([["", { kind: "paired" as const, predictions: baseline }]]),
    seed,
  );
  return judgePredictions(pair, planned, { gates });
}

describe("a check once per class", () => {
  it("has the class's recall on the class's rows, and names the classes that regressed", () => {
    const { checks, notes } = judged(3, [4, 17]);
    expect(checks.map(({ slice, n }) => [slice, n])).toEqual(
      Array.from({ length: 20 }, (_, k) => [`label=class ${k}`, perClass]),
    );
    for (const { slice, observed, verdict } of checks) {
      const worse = slice === "label=class 4" || slice === "label=class 17";
      expect(observed! < 0.5).toBe(worse);
      if (worse) expect(verdict).toBe("FAIL");
    }
    expect(notes.regressedSlices).toMatch(/accuracy on label=class (4|17) \(p < 0.0001\), accuracy on label=class/);
    expect(notes.regressedSlices).toMatch(/Holm-adjusted over 20 comparisons/);
  });

  it("names a class wrongly in no more gates than alpha allows, where no class is worse", () => {
    const gatesDrawn = 60;
    let wrong = 0;
    for (let seed = 0; seed < gatesDrawn; seed++)
      if (sliceRegressions(judged(seed, []).checks).some(({ adjusted }) => adjusted <= 0.05)) wrong++;
    // At most 3 expected; 8 or more would have a probability below 1 %.
    expect(wrong).toBeLessThan(8);
  });

  it("is planned for with the rows of the class, and too few are too few", () => {
    const { candidate, baseline } = pairOf(3, []);
    const [one] = planChecks(
      gates,
      {},
      () => null,
      false,
      () => ["class 4"],
    );
    const request = { onInsufficient: "fail" as const, seed: 1, correlation: 0.95 };
    expect(planCheck(one!, candidate, baseline, { ...request, minimumPerClass: 30 })).toMatchObject({
      n: perClass,
      refused: expect.stringMatching(/margin of 0.1/),
    });
    expect(planCheck(one!, candidate, baseline, { ...request, minimumPerClass: 100 }).refused).toMatch(
      /^60 rows, and 100 are needed/,
    );
  });
});

describe("in a gate", () => {
  const checks = [{ ...policy, margin: 0.2 }];

  it("the classes are the head's, and a data change that takes one away is not green", async () => {
    const team = await sidesRepository([]);
    const gated = { gates: { ...sidesManifest("sides").gates!, checks } };
    team.model("sides", { version: "1.0.0", ...gated }, []);
    team.commit("classes");
    team.model("sides-blind", gated, []);
    const { verdict, files } = await gateOf(team.dir);
    expect(verdict.models[0]?.checks.map(({ slice, verdict: word, n }) => [slice, word, n])).toEqual([
      ["label=left", "PASS", 22],
      ["label=right", "PASS", 22],
    ]);
    expect(readFileSync(files.html, "utf8")).toContain("label=left");
    team.model("sides", gated, []);
    const rows = team.read("models/sides/rows.jsonl").split("\n");
    team.write("models/sides/rows.jsonl", rows.filter((row) => row.includes('"left"')).join("\n"));
    const changed = await verdictOn(team.dir);
    expect(changed.verdict).not.toBe("PASS");
    expect(changed.reason).toMatch(/the new data has no row of label=right/);
  });

  it("a metric that compares classes is refused, with what to take", async () => {
    const dir = folderWith({
      "sluice.yaml": "schemaVersion: 1\nmodels: [sides]\n",
      "sides/model.yaml": stringify(
        sidesManifest("sides", { gates: { checks: [{ ...policy, metric: "auroc" }] } }, []),
      ),
      "sides/rows.jsonl": '{"id": "a", "picture": "", "side": "left", "camera": "old"}\n',
    });
    const model = await verdictOn(dir, { baseline: "none" });
    expect(model.verdict).toBe("ERROR");
    expect(model.reason).toMatch(/auroc says nothing of the rows of a single class.*accuracy, /s);
  });

  it("compare has the same slices", async () => {
    const { candidate, baseline } = pairOf(3, [4]);
    const dir = folderWith({});
    await writePredictions(join(dir, "a.csv"), candidate);
    await writePredictions(join(dir, "b.csv"), baseline);
    const { verdict } = await compareFiles(
      {
        candidate: join(dir, "a.csv"),
        baseline: join(dir, "b.csv"),
        task: "multiclass-classification",
        policies: [policy],
        alpha: 0.05,
        minimumPerClass: 30,
        out: join(dir, "out"),
        checkout: dir,
        seed: 1,
      },
      { now: () => new Date(0), onNote: () => {} },
    );
    const [own] = [judged(3, [4]).checks];
    const figures = (all: typeof own) =>
      all.map(({ slice, observed, baseline: other, n }) => [slice, observed, other, n]);
    expect(figures(verdict.models[0]!.checks)).toEqual(figures(own));
  });
});
