import { describe, expect, it } from "vitest";
import { beamSearch, logSoftmax } from "../../../../models/core/generate/beams.ts";
import { repeatingTokens } from "../../../../models/core/generate/no-repeat-ngram.ts";
import { randomStream } from "../../../../models/core/generate/random.ts";
import { penaliseRepetition } from "../../../../models/core/generate/repetition-penalty.ts";
import { drawToken } from "../../../../models/core/generate/sample.ts";
import { textPieces } from "../../../../models/core/generate/text-pieces.ts";

describe("drawing tokens", () => {
  const logits = Float32Array.of(1, 3, -2, 2, 0.5, -Infinity);
  const shares = (options: object, temperature = 1) => {
    const uniform = randomStream(7);
    const counts = new Array<number>(logits.length).fill(0);
    for (let i = 0; i < 20_000; i++) counts[drawToken(logits, { temperature, ...options }, uniform())]!++;
    return counts.map((count) => count / 20_000);
  };
  const softmax = (kept: number[], temperature = 1) => {
    const weights = [...logits].map((logit, i) => (kept.includes(i) ? Math.exp(logit / temperature) : 0));
    const sum = weights.reduce((a, b) => a + b);
    return weights.map((weight) => weight / sum);
  };
  // .628 + .231 = .859 are less than .9, with .085 more they are not.
  it.each([
    ["by probability", {}, 1, [0, 1, 2, 3, 4]],
    ["at a temperature", {}, 0.5, [0, 1, 2, 3, 4]],
    ["from the k best", { topK: 2 }, 1, [1, 3]],
    ["from the nucleus", { topP: 0.9 }, 1, [0, 1, 3]],
  ])("%s", (_, options, temperature, kept) => {
    const wanted = softmax(kept, temperature);
    shares(options, temperature).forEach((share, i) => {
      const variance = Math.max(wanted[i]! * (1 - wanted[i]!), 1e-9) / 20_000;
      // Four standard errors of a share.
      expect(Math.abs(share - wanted[i]!)).toBeLessThan(4 * Math.sqrt(variance));
    });
  });

  it("always one, however small the nucleus", () =>
    expect(drawToken(logits, { temperature: 1, topP: 1e-9 }, 0.99)).toBe(1));
  it("repeats with its seed", () => {
    const draws = (seed: number) => Array.from({ length: 5 }, randomStream(seed));
    expect(draws(3)).toEqual(draws(3));
    expect(draws(3)).not.toEqual(draws(4));
  });
  it("is uniform: ten bins of 100,000 numbers, chi-square below the 99.9 % point of 9 degrees", () => {
    const uniform = randomStream(1);
    const bins = new Array<number>(10).fill(0);
    for (let i = 0; i < 100_000; i++) bins[Math.floor(uniform() * 10)]!++;
    expect(bins.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0)).toBeLessThan(27.88);
  });
});

describe("rules", () => {
  it("divide and multiply logits of tokens that are there, once each", () => {
    const logits = Float32Array.of(2, -2, 4, 8);
    penaliseRepetition(logits, [0, 1, 1, 0, 99], 2);
    expect([...logits]).toEqual([1, -4, 4, 8]);
  });
  it.each([
    [[1, 2, 3, 1, 2], 3, [3]],
    [[1, 2, 1, 3, 1], 2, [2, 3]],
    [[1, 2], 1, [1, 2]],
    [[1], 3, []],
    [[1, 1], 0, []],
  ])("of %j with n = %i forbid %j", (tokens, size, forbidden) => {
    expect(repeatingTokens(tokens, size)).toEqual(forbidden);
  });
});

describe("beams", () => {
  const scores = (...rows: number[][]) => rows.map((row) => logSoftmax(Float32Array.from(row, Math.log)));
  it("find a text that greedy decoding misses", () => {
    // a .6 then at best .35; b .4 then the end at .9.
    const search = beamSearch({ beams: 2, lengthPenalty: 1, earlyStopping: false, end: [0] });
    expect(search.advance(scores([1e-9, 0.6, 0.4], [1, 1, 1]), 5)).toBe(false);
    expect(search.live.map(({ token }) => token)).toEqual([1, 2]);
    search.advance(scores([0.35, 0.33, 0.32], [0.9, 0.05, 0.05]), 5);
    expect(search.best().made).toEqual([2, 0]);
  });
  it("give what there is at the limit", () => {
    const search = beamSearch({ beams: 2, lengthPenalty: 1, earlyStopping: false, end: [0] });
    expect(search.advance(scores([1e-9, 0.7, 0.3], [1, 1, 1]), 1)).toBe(true);
    expect(search.best()).toMatchObject({ made: [1], ended: false });
  });
  it("refuse where no token may follow", () => {
    const search = beamSearch({ beams: 2, lengthPenalty: 1, earlyStopping: false, end: [0] });
    const none = new Float32Array(3).fill(-Infinity);
    expect(() => search.advance([none, none], 5)).toThrow("no token may follow");
  });
});

describe("pieces of a text", () => {
  it("hold half characters back and send what is missing at the end", () => {
    const pieces: string[] = [];
    const texts = ["a", "a\uFFFD", "a\uFFFD\uFFFD", "aé b", "aé"];
    const sender = textPieces(
      (ids) => texts[ids.length - 1]!,
      (piece) => pieces.push(piece),
    );
    texts.forEach((_, id) => sender.add(id));
    sender.end("aé b.");
    expect(pieces).toEqual(["a", "é b", "."]);
  });
});
