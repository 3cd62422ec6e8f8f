import { describe, expect, it } from "vitest";
import { judgePredictions } from "../../../eval/judge/judge-predictions.ts";
import { planChecks } from "../../../eval/judge/plan-checks.ts";
import { measuredPair } from "../../../eval/judge/quality-evidence.ts";
import type { Predictions } from "../../../eval/predictions/predictions.ts";
import { sliceLosses } from "../../../eval/report/content/slice-losses.ts";
import { renderHtml } from "../../../eval/report/html.ts";
import { renderMarkdown } from "../../../eval/report/markdown.ts";
import { RandomStream } from "../../../eval/stats/random.ts";
import { normals } from "../../../bench/stats/normals.ts";
import { gates as gatesSchema } from "../../../models/core/manifest/gates.ts";
import type { Check } from "../../../eval/schema/verdict.ts";
import { check, modelVerdict, verdictFile } from "./builders.ts";

const perLanguage = 40;

/** Errors of two alike models in many languages; in the languages of `worse` the candidate errs more. */
function checksOf(seed: number, worse: readonly number[], languages = 120) {
  const random = new RandomStream(seed);
  const n = languages * perLanguage;
  const [shared, one, two] = [normals(random, n), normals(random, n), normals(random, n)];
  const language = Array.from({ length: n }, (_, i) => `l${Math.floor(i / perLanguage)}`);
  const predictions = (own: Float64Array, factor: (i: number) => number): Predictions => ({
    head: "",
    task: "regression",
    ids: language.map((_, i) => String(i)),
    labels: new Float64Array(n),
    scores: own.map((value, i) => factor(i) * (shared[i]! + 0.3 * value)),
    classes: [],
    slices: { language },
    groups: null,
    weights: null,
    datasetDigest: null,
  });
  const candidate = predictions(one, (i) => (worse.includes(Math.floor(i / perLanguage)) ? 2 : 1));
  const baseline = predictions(two, () => 1);
  const gates = gatesSchema.parse({
    checks: [{ kind: "non-inferiority", metric: "mae", margin: 0.2, slices: ["language"] }],
  });
  const planned = planChecks(gates, { language: [...new Set(language)] }, () => null, false);
  const pair = measuredPair(
    new Map([["", candidate]]),
    new Map([["", { kind: "paired" as const, predictions: baseline }]]),
    seed,
  );
  return judgePredictions(pair, planned, { gates }).checks;
}

describe("120 slices", () => {
  const checks = checksOf(5, [3, 50, 99]);
  const found = sliceLosses(checks)!;
  it("are all compared, and those that regressed are found and come first", () => {
    expect(found.losses).toHaveLength(120);
    expect(found.alpha).toBeCloseTo(0.05, 12);
    expect(
      found.losses
        .slice(0, 3)
        .map((one) => one.check.slice)
        .toSorted(),
    ).toEqual(["language=l3", "language=l50", "language=l99"]);
    expect(found.losses.slice(0, 3).every((one) => one.regressed)).toBe(true);
  });
  it("stand in both reports with rows, interval and adjusted p", () => {
    const verdict = verdictFile([modelVerdict({ checks, verdict: "FAIL", reason: "a slice is worse" })]);
    const html = renderHtml(verdict, null, []);
    expect(html).toMatch(
      /\d comparisons are shown to have regressed, of 120\. The probability of naming any wrongly is at most 5%/,
    );
    expect(html).toMatch(/language=l50 <span class="word v-FAIL">regressed<\/span>.*?<td class="n">40<\/td>/);
    const markdown = renderMarkdown(verdict, null);
    expect(markdown).toContain("Which slices regressed: 120 comparisons");
    expect(markdown).toMatch(/<code>language=l3<\/code> \| <code>mae<\/code> \| 40 \| .*\[.*\] \| .*regressed \|/);
  });
  it("name a slice wrongly in no more runs than the family-wise rate allows", () => {
    const runs = 20;
    let wrong = 0;
    for (let run = 0; run < runs; run++) if (sliceLosses(checksOf(100 + run, [], 60))!.losses[0]!.regressed) wrong++;
    // 5 % of 20 are 1; 5 and more are seen once in 400 times.
    expect(wrong).toBeLessThan(5);
  });
});

/** Right and wrong answers of two alike models in 120 slices of 40 rows; accuracies differ from slice to slice. */
function rightOrWrong(seed: number): Check[] {
  const random = new RandomStream(seed);
  const n = 120 * perLanguage;
  const language = Array.from({ length: n }, (_, i) => `l${Math.floor(i / perLanguage)}`);
  const draw = (): Float64Array =>
    Float64Array.from(language, (_, i) => (random.uniform() < 0.5 + (0.2 * i) / n ? 0.9 : 0.1));
  const predictions = (scores: Float64Array): Predictions => ({
    head: "",
    task: "binary-classification",
    ids: language.map((_, i) => String(i)),
    labels: new Float64Array(n).fill(1),
    scores,
    classes: ["no", "yes"],
    slices: { language },
    groups: null,
    weights: null,
    datasetDigest: null,
  });
  const gates = gatesSchema.parse({
    minimumPerClass: 0,
    checks: [{ kind: "non-inferiority", metric: "accuracy", margin: 0.1, slices: ["language"] }],
  });
  const planned = planChecks(gates, { language: [...new Set(language)] }, () => null, false);
  const pair = measuredPair(
    new Map([["", predictions(draw())]]),
    new Map([["", { kind: "paired" as const, predictions: predictions(draw()) }]]),
    seed,
  );
  return judgePredictions(pair, planned, { gates }).checks;
}

describe("120 slices of 40 right or wrong answers", () => {
  it("name a slice wrongly in no more gates than the family-wise rate allows", () => {
    let wrong = 0;
    for (let run = 0; run < 20; run++) if (sliceLosses(rightOrWrong(500 + run))!.losses[0]!.regressed) wrong++;
    // 5 % of 20 are 1; 5 and more are seen once in 400 times.
    expect(wrong).toBeLessThan(5);
  });
});

describe("the words about the rate", () => {
  const words = (checks: readonly Check[]) =>
    renderHtml(verdictFile([modelVerdict({ checks: [...checks] })]), null, []);
  const two = [check({ slice: "source=a" }), check({ slice: "source=b" })];
  it("say that t approximates, and that shares are tested exactly", () => {
    expect(words(two)).toContain("an approximation where rows are few and errors skewed");
    const shares = two.map((one) => ({ ...one, discordant: { candidateOnly: 3, baselineOnly: 4 } }));
    expect(words(shares)).toContain("one-sided exact sign test of no loss");
    expect(words(shares)).not.toContain("approximation");
  });
});

describe("few or no slices", () => {
  it("are no list", () => {
    expect(sliceLosses([check()])).toBeNull();
    const one = verdictFile([modelVerdict({ checks: [check(), check({ slice: "source=web" })] })]);
    expect(renderHtml(one, null, [])).not.toContain("Which slices regressed");
    expect(renderMarkdown(one, null)).not.toContain("Which slices regressed");
  });
});
