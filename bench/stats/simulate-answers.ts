import { type MetricDefinition, metricsFor, type Sample } from "../../eval/metrics/catalog.ts";
import { fewClusters } from "../../eval/power/few-clusters.ts";
import { decideConfidentLimit, decideNonInferiority } from "../../eval/stats/decide.ts";
import { type AnswerCell, type AnswerWorld } from "./answer-worlds.ts";

/** Counts of simulated gates of one metric. */
export type AnswerTally = {
  gates: number;
  /** Gates without a figure or an interval, or with too few clusters to decide; they never pass. */
  undefined: number;
  /**
   * Non-inferiority with the true loss as the margin: every PASS is wrong, and every FAIL. A wrong FAIL is at once a wrong
   * superiority by the margin of the models in each other's place.
   */
  pass: number;
  fail: number;
  /** A confident limit at the candidate's true value; null where there are too few clusters for one. */
  limit: number | null;
};

export const answerAlpha = 0.05;
const level = 1 - 2 * answerAlpha;

/** What is true of the population; of coverage, of a mean over draws, because it grows with the number of users. */
export function truthOf(
  world: AnswerWorld,
  metric: MetricDefinition,
  cell: AnswerCell,
  seed: number,
): { candidate: number; baseline: number } {
  const value = (sample: Sample): number => {
    const found = metric.measure(sample, { level, seed: 1, intervals: false });
    return found.status === "ok" ? found.value : Number.NaN;
  };
  if (metric.name !== "coverage_at_k") {
    const whole = world.whole(cell);
    return { candidate: value(whole.candidate), baseline: value(whole.baseline) };
  }
  const draws = 1000;
  let [candidate, baseline] = [0, 0];
  for (let draw = 0; draw < draws; draw++) {
    const samples = world.draw(cell, seed + 77, draw);
    candidate += value(samples.candidate) / draws;
    baseline += value(samples.baseline) / draws;
  }
  return { candidate, baseline };
}

/** Simulates gates of every metric of a world at the boundary. Gate i draws its rows from stream i of `seed`. */
export function simulateAnswers(
  world: AnswerWorld,
  cell: AnswerCell,
  seed: number,
  gatesOf: (metric: MetricDefinition) => number,
): Map<string, AnswerTally> {
  return new Map(
    metricsFor(world.task)
      .filter((metric) => gatesOf(metric) > 0)
      .map((metric) => {
        const truth = truthOf(world, metric, cell, seed);
        const { direction } = metric;
        const loss = direction === "higher" ? truth.baseline - truth.candidate : truth.candidate - truth.baseline;
        const tally: AnswerTally = { gates: 0, undefined: 0, pass: 0, fail: 0, limit: 0 };
        for (let gate = 0; gate < gatesOf(metric); gate++) {
          tally.gates++;
          const { candidate, baseline } = world.draw(cell, seed, gate);
          const asked = { level, seed: gate + 1 };
          const own = fewClusters(metric.name, candidate, true) === null ? metric.measure(candidate, asked) : null;
          const [min, max] = direction === "higher" ? [truth.candidate, null] : [null, truth.candidate];
          if (own === null) tally.limit = null;
          else if (own.status === "ok" && decideConfidentLimit(own.interval, min, max) === "pass")
            tally.limit = (tally.limit as number) + 1;
          if (fewClusters(metric.name, candidate, false) !== null) {
            tally.undefined++;
            continue;
          }
          const contrast = metric.contrast(candidate, baseline, asked);
          if (contrast.status === "undefined") {
            tally.undefined++;
            continue;
          }
          const { low, high } = contrast.interval;
          const outcome = decideNonInferiority({ low, high }, loss, direction);
          if (outcome === "pass") tally.pass++;
          if (outcome === "fail") tally.fail++;
        }
        return [metric.name, tally];
      }),
  );
}
