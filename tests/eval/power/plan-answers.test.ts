import { describe, expect, it } from "vitest";
import { answerWorld, type WorldTask } from "../../../bench/stats/answer-worlds.ts";
import { planCheck } from "../../../eval/power/plan-check.ts";
import { assignRoles, redraw } from "../../../eval/power/self-comparison.ts";
import type { Predictions } from "../../../eval/predictions/predictions.ts";
import { selectAnswers } from "../../../eval/predictions/select-answers.ts";
import { checkPolicy, type MetricName } from "../../../models/core/manifest/gates.ts";
import { predictionsOf } from "../metrics/answer-samples.ts";

const rows = 400;
const first = Int32Array.from({ length: rows }, (_, i) => i);

/** Two models on the same rows of a world. */
function pairOf(task: WorldTask): { candidate: Predictions; baseline: Predictions } {
  const world = answerWorld(task, 2026, rows).whole({ rows, clusterSize: 1, weights: 0 });
  const of = (sample: typeof world.candidate) => predictionsOf(selectAnswers(sample.answerRows!.of, first), { task });
  return { candidate: of(world.candidate), baseline: of(world.baseline) };
}

const asked: [WorldTask, MetricName, margin: number | { relative: number }][] = [
  ["ranking", "ndcg_at_k", 0.05],
  ["ranking", "hit_rate_at_k", 0.05],
  ["ranking", "coverage_at_k", 0.1],
  ["token-classification", "entity_f1", 0.05],
  ["text-generation", "wer", { relative: 0.1 }],
  ["text-generation", "bleu", 2],
];

describe("a plan for answers that are no numbers", () => {
  const pairs = new Map(asked.map(([task]) => [task, pairOf(task)]));
  it.each(asked)("of %s knows what %s can decide", (task, metric, margin) => {
    const { candidate, baseline } = pairs.get(task)!;
    const question = {
      id: "x",
      policy: checkPolicy.parse({ kind: "non-inferiority", metric, margin }),
      head: null,
      slice: "all",
      alpha: 0.05,
      level: 0.9,
    };
    const request = { minimumPerClass: 30, onInsufficient: "fail" as const, seed: 3, correlation: 0.9 };
    const both = planCheck(question, candidate, baseline, request);
    expect(both).toMatchObject({ n: rows });
    expect(both.standardError).toBeGreaterThan(0);
    expect(both.smallestChange).toBeGreaterThan(0);
    // One model alone: its own error and an assumed correlation. The same order of magnitude.
    const alone = planCheck(question, candidate, null, request);
    expect(alone.standardError! / both.standardError!).toBeGreaterThan(0.2);
    expect(alone.standardError! / both.standardError!).toBeLessThan(5);
  });
});

describe("a comparison without a true difference, of answers", () => {
  it("gives each row both models' answers, in an order that a coin decides, beside its own truth", () => {
    const { candidate, baseline } = pairOf("text-generation");
    const drawn = redraw(candidate, 1, 0);
    const cast = assignRoles(candidate, baseline, drawn);
    const texts = ({ answers }: Predictions) => {
      if (answers?.kind !== "text") throw new Error("texts were expected");
      return answers;
    };
    drawn.rows.forEach((row, i) => {
      const [one, two] = [texts(candidate).hypotheses[row], texts(baseline).hypotheses[row]];
      const swapped = drawn.swapped[i] === 1;
      expect(texts(cast.candidate).hypotheses[i]).toBe(swapped ? two : one);
      expect(texts(cast.baseline).hypotheses[i]).toBe(swapped ? one : two);
      expect(texts(cast.candidate).references[i]).toEqual(texts(candidate).references[row]);
    });
  });
});
