import { describe, expect, it } from "vitest";
import { withTypos } from "../../../eval/augment/typos.ts";
import { RandomStream } from "../../../eval/stats/random.ts";

const typed = (text: string, rate: number, seed = 1) => withTypos(text, rate, new RandomStream(seed)).text;
const words = (text: string) => text.split(" ");
const text = "the quick brown fox jumps over the lazy dog and naïve ÉTÉ in 2024 a b";

describe("typing errors", () => {
  it("are the same for the same seed, and others for another", () => {
    expect(typed(text, 0.5, 3)).toBe(typed(text, 0.5, 3));
    expect(typed(text, 1, 3)).not.toBe(typed(text, 1, 4));
  });

  it("are none at a rate of 0", () => {
    expect(typed(text, 0)).toBe(text);
  });

  it("change every word of two letters or more at a rate of 1, and nothing else", () => {
    for (let seed = 0; seed < 300; seed++) {
      const made = words(typed(text, 1, seed));
      expect(made.length).toBe(words(text).length);
      words(text).forEach((word, i) =>
        /\p{L}\p{L}/u.test(word) ? expect(made[i]).not.toBe(word) : expect(made[i]).toBe(word),
      );
    }
  });

  it("hit the share of the words that is declared", () => {
    const many = Array.from({ length: 20_000 }, () => "word").join(" ");
    const hit = words(typed(many, 0.1)).filter((word) => word !== "word").length;
    // 2,000 expected, with a standard deviation of 42.
    expect(Math.abs(hit - 2000)).toBeLessThan(170);
  });

  it("are of four kinds, each as often as the others", () => {
    const made = Array.from({ length: 8000 }, (_, seed) => typed("abcd", 1, seed));
    const shorter = made.filter((word) => word.length === 3).length;
    const doubled = made.filter((word) => word.length === 5).length;
    const swapped = made.filter((word) => word.length === 4 && [...word].toSorted().join("") === "abcd").length;
    for (const count of [shorter, doubled, swapped, 8000 - shorter - doubled - swapped])
      expect(Math.abs(count - 2000)).toBeLessThan(200);
  });

  it("keep the case of a letter, and combining marks with theirs", () => {
    for (let seed = 0; seed < 200; seed++) {
      expect(typed("QWERT", 1, seed)).toMatch(/^[A-Z]+$/);
      expect(typed("e\u0301e\u0301", 1, seed)).toMatch(/^(e\u0301)+$/);
    }
  });

  it("move the places of what stands after them, so that each word is found where it went", () => {
    for (let seed = 0; seed < 200; seed++) {
      const { text: made, moved } = withTypos(text, 0.5, new RandomStream(seed));
      let start = 0;
      words(text).forEach((word, i) => {
        expect(made.slice(moved(start), moved(start + word.length))).toBe(words(made)[i]);
        start += word.length + 1;
      });
      expect(moved(text.length)).toBe(made.length);
    }
  });

  it("double a letter that has no neighbours on the keyboard, or an equal one", () => {
    for (let seed = 0; seed < 100; seed++) expect(["д", "ддд"]).toContain(typed("дд", 1, seed));
  });
});
