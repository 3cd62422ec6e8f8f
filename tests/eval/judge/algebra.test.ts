import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exitCodeOf, severity, worse, worstOf } from "../../../eval/judge/algebra.ts";

const word = fc.constantFrom(...severity);

describe("the verdict algebra", () => {
  it("is a lattice join: commutative, associative, idempotent, with PASS as identity and ERROR at the top", () => {
    fc.assert(
      fc.property(word, word, word, (a, b, c) => {
        expect(worse(a, b)).toBe(worse(b, a));
        expect(worse(worse(a, b), c)).toBe(worse(a, worse(b, c)));
        expect(worse(a, a)).toBe(a);
        expect(worse(a, "PASS")).toBe(a);
        expect(worse(a, "ERROR")).toBe("ERROR");
      }),
    );
  });

  it("is PASS exactly when there is at least one verdict and all are PASS, in any order and any grouping", () => {
    fc.assert(
      fc.property(fc.array(word), fc.nat(), (words, cut) => {
        const worst = worstOf(words);
        expect(worst === "PASS").toBe(words.length > 0 && words.every((one) => one === "PASS"));
        expect(worstOf(words.toReversed())).toBe(worst);
        const at = words.length === 0 ? 0 : cut % words.length;
        if (at > 0) expect(worse(worstOf(words.slice(0, at)), worstOf(words.slice(at)))).toBe(worst);
      }),
    );
  });

  it("gives every verdict its exit code", () => {
    expect(severity.map((one) => [one, exitCodeOf(one)])).toEqual([
      ["PASS", 0],
      ["INCONCLUSIVE", 3],
      ["INCOMPARABLE", 3],
      ["FAIL", 1],
      ["ERROR", 4],
    ]);
  });
});
