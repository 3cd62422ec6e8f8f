import { expect, it } from "vitest";
import { drawBinary, separationOf } from "../../../bench/stats/binormal.ts";
import { aurocComponents, stratifiedMoments } from "../../../eval/stats/deLong.ts";
import { normalQuantile } from "../../../eval/stats/normal.ts";
import { metric, options } from "./samples.ts";

/** Mean width of the interval of a difference over that of DeLong's with the normal quantile, in 60 seeded samples. */
function price(n: number, share: number): number {
  const of = (auroc: number) => ({ separation: separationOf(auroc), shift: 0 });
  const world = { share, correlation: 0.95, baseline: of(0.9), candidate: of(0.88) };
  let sum = 0;
  for (let gate = 0; gate < 60; gate++) {
    const { candidate, baseline } = drawBinary(world, n, 31, gate).samples("auroc");
    const result = metric("auroc").contrast(candidate, baseline, options);
    if (result.status !== "ok") throw new Error(result.reason);
    const [one, two] = [candidate, baseline].map(
      ({ scores, labels }) => aurocComponents(scores, labels, null).influence,
    );
    const difference = (one as Float64Array).map((value, i) => value - ((two as Float64Array)[i] as number));
    const { variance } = stratifiedMoments(difference, candidate.labels, 2, null);
    const { low, high, level } = result.interval;
    sum += (high - low) / (2 * normalQuantile(0.5 + level / 2) * Math.sqrt(variance));
  }
  return sum / 60;
}

it("AUROC's interval costs what docs/statistics.md says: nothing with many positives, more the fewer there are", () => {
  expect(price(500, 0.3)).toBeLessThan(1.02);
  const [hundred, fifty, thirty] = [price(1000, 0.1), price(1000, 0.05), price(600, 0.05)];
  expect(hundred).toBeGreaterThan(1.01);
  expect(hundred).toBeLessThan(1.08);
  expect(fifty).toBeGreaterThan(1.08);
  expect(fifty).toBeLessThan(1.2);
  expect(thirty).toBeGreaterThan(1.2);
  expect(thirty).toBeLessThan(1.45);
});
