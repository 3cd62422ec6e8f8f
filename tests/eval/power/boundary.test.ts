import { describe, expect, it } from "vitest";
import { cells, prepareCell } from "../../../bench/stats/cells.ts";
import { standardErrorOf } from "../../../eval/power/standard-error.ts";
import { add, empty, simulate } from "../../../bench/stats/simulate.ts";

// The published error rates depend on this: the margin of a simulated gate is the true loss, and a chunk is the same
// whenever it is drawn.
describe("the simulated boundary", () => {
  it.each(cells.filter((cell) => cell.n === 200 && cell.world === "boundary" && cell.share !== 0.02))(
    "$id: 100,000 rows show the computed loss",
    (cell) => {
      const { metrics, draw } = prepareCell({ ...cell, n: 100_000 });
      const drawn = draw(9, 9);
      for (const { definition, margin, candidate: truth, threshold } of metrics) {
        const { candidate, baseline } = drawn.samples(definition.name);
        const result = definition.contrast(candidate, baseline, {
          level: 0.9,
          seed: 1,
          ...(threshold === undefined ? {} : { threshold }),
        });
        if (result.status !== "ok") throw new Error(`${definition.name} is undefined`);
        const loss = (definition.direction === "higher" ? -1 : 1) * result.difference;
        const error = standardErrorOf(result.interval);
        expect(Math.abs(loss - margin), `${definition.name} ${loss} ${margin}`).toBeLessThan(4 * error);
        expect(4 * error, definition.name).toBeLessThan(margin);
        expect(Math.abs(result.candidate / truth - 1), definition.name).toBeLessThan(0.04);
      }
    },
  );

  it("is the same in one run and in parts", () => {
    const cell = cells.find(({ id }) => id === "binary n=200 positives=0.1 boundary");
    if (cell === undefined) throw new Error("no such cell");
    const prepared = prepareCell(cell);
    const whole = simulate(cell, prepared, 3, 0, 6)["auroc"] ?? empty();
    const parts = [simulate(cell, prepared, 3, 0, 2), simulate(cell, prepared, 3, 2, 4)].map(
      (one) => one["auroc"] ?? empty(),
    );
    expect(parts.reduce(add, empty())).toEqual(whole);
  });
});
