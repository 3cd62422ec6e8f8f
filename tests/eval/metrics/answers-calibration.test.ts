import { describe, expect, it } from "vitest";
import { answerWorld, worldTasks } from "../../../bench/stats/answer-worlds.ts";
import { simulateAnswers } from "../../../bench/stats/simulate-answers.ts";

const gates = 80;
/** What 5 % exceeds in one of 10,000 such runs (binomial). */
const allowed = 13;

describe.each(worldTasks)("gates at the exact boundary, %s", (task) => {
  const world = answerWorld(task, 2026, 3000);
  it.each([
    { rows: 200, clusterSize: 10, weights: 0 },
    { rows: 150, clusterSize: 1, weights: 0.5 },
  ])("keep to alpha with %j", (cell) => {
    const tallies = simulateAnswers(world, cell, 7, ({ name }) => (name === "coverage_at_k" ? 0 : gates));
    for (const [metric, tally] of tallies) {
      expect(tally.undefined, metric).toBe(0);
      for (const wrong of ["pass", "fail", "limit"] as const)
        expect(tally[wrong], `${metric}: wrong ${wrong}`).toBeLessThanOrEqual(allowed);
    }
  });
});
