import { describe, expect, it } from "vitest";
import { EvaluationError } from "../../../models/core/errors.ts";
import { bootstrapReplicates } from "../../../eval/stats/bootstrap.ts";
import { bootstrapInWorkers } from "../../../eval/stats/bootstrap-workers.ts";
import { RandomStream } from "../../../eval/stats/random.ts";
import type { SumStatistic } from "../../../eval/stats/sums.ts";

const random = new RandomStream(1);
const statistic: SumStatistic = {
  cells: Float64Array.from({ length: 3000 }, () => random.uniform()),
  width: 3,
  value: (sums, count) => (sums[0] as number) / (sums[1] as number) - (sums[2] as number) / count,
};

describe("bootstrapInWorkers", () => {
  it("gives the same replicates, bit for bit, with 1, 2, 3 and 7 workers and without any", async () => {
    const expected = [...bootstrapReplicates(statistic, 12, 101)];
    for (const workers of [1, 2, 3, 7])
      expect([...(await bootstrapInWorkers(statistic, { seed: 12, resamples: 101, workers }))]).toEqual(expected);
  });
  it("starts no more workers than there are resamples", async () => {
    expect((await bootstrapInWorkers(statistic, { seed: 12, resamples: 2, workers: 64 })).length).toBe(2);
  });
  it("gives up when time runs out, with an evaluation error", async () => {
    await expect(
      bootstrapInWorkers(statistic, { seed: 1, resamples: 200_000, workers: 2, timeoutMs: 1 }),
    ).rejects.toThrow(EvaluationError);
  });
  it("reports a worker that fails", async () => {
    await expect(bootstrapInWorkers(statistic, { seed: Number.NaN, resamples: 4, workers: 2 })).rejects.toThrow(
      /bootstrap worker failed/,
    );
  });
});
