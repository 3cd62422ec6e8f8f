import { describe, expect, it } from "vitest";
import { RandomStream } from "../../../eval/stats/random.ts";
import { signTest } from "../../../eval/stats/sign-test.ts";

describe("the one-sided sign test", () => {
  it.each([
    // scipy.stats.binomtest(losses, gains + losses, 0.5, alternative="greater").pvalue
    [2, 9, 0.03271484375],
    [0, 11, 0.00048828125],
    [5, 5, 0.623046875],
    [40, 60, 0.02844396682049039],
  ])("of %i gains and %i losses is SciPy's", (gains, losses, p) => expect(signTest(gains, losses)).toBeCloseTo(p, 12));
  it("rejects alike models in at most alpha, with few discordant rows as with many", () => {
    const random = new RandomStream(11);
    const draws = 4000;
    for (const discordant of [3, 8, 25]) {
      let rejected = 0;
      for (let draw = 0; draw < draws; draw++) {
        let losses = 0;
        for (let i = 0; i < discordant; i++) if (random.uniform() < 0.5) losses++;
        if (signTest(discordant - losses, losses) <= 0.05) rejected++;
      }
      expect(rejected / draws).toBeLessThan(0.05 + 3 * Math.sqrt((0.05 * 0.95) / draws));
    }
  });
  it("is 1 where nothing is lost", () => {
    expect(signTest(0, 0)).toBe(1);
    expect(signTest(7, 0)).toBe(1);
  });
});
