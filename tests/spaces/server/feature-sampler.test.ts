import { expect, it } from "vitest";
import { featureSampler } from "../../../spaces/server/engine/feature-sampler.ts";

/** A clock that only moves when told to, and rows that cost a tenth of a millisecond each. */
function sampled() {
  let now = 0;
  const sample = featureSampler(() => now);
  return {
    /** @returns the rows that were looked at */
    ask(rows: number, passedMs: number, share = 0.005): number[] {
      now += passedMs;
      const kept: number[] = [];
      const { wants, take } = sample(rows, share, (index) => kept.push(index));
      for (let index = 0; index < rows; index++) {
        if (!wants(index)) continue;
        now += 0.1;
        take(index, new Float64Array());
      }
      return kept;
    },
  };
}

it("looks at every row while there is little to do", () => {
  const server = sampled();
  for (let i = 0; i < 100; i++) expect(server.ask(1, 1000)).toEqual([0]);
});

it("spends half a per cent of the time under load, on rows that are evenly chosen", () => {
  const server = sampled();
  while (server.ask(256, 1).length > 0);
  let rows = 0;
  for (let i = 0; i < 1000; i++) rows += server.ask(256, 10).length;
  expect(rows * 0.1).toBeGreaterThan(40);
  expect(rows * 0.1).toBeLessThan(60);
  server.ask(1, 400);
  const kept = server.ask(200, 0);
  expect(kept.length).toBeGreaterThan(10);
  expect(new Set(kept.slice(1).map((index, i) => index - kept[i]!)).size).toBe(1);
});

it("looks at every row where it may take all of the time", () => {
  const server = sampled();
  for (let i = 0; i < 20; i++) expect(server.ask(100, 0, 1)).toHaveLength(100);
});
