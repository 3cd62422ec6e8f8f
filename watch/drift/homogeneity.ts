import { chiSquareTails, noncentralityInterval } from "../../eval/stats/chi-square.ts";
import { type AlignedCounts, type DriftEstimate, occupied, total } from "./distributions.ts";

/** What the two tests of a 2 × k table say, and how large the effect is. */
export type Homogeneity = {
  chiSquare: number;
  /** Likelihood ratio 2 Σ O ln(O/E). */
  g: number;
  df: number;
  pValue: number;
  gPValue: number;
  /** Columns after folding. */
  columns: number;
  /** Cramér's V = √(χ²/N) in [0, 1], its interval from the noncentrality of χ². */
  cramersV: DriftEstimate;
};

/** Below this expected count χ² is no longer χ² (Cochran, Biometrics 10, 1954). */
const leastExpected = 5;

/**
 * χ² and G tests of homogeneity of two lists of counts (./distributions.ts aligns them by name, with unseen values in a
 * column of their own). Both sides are samples: a goodness-of-fit test against the reference's shares would ignore that
 * they are estimated. Columns whose expected count is below 5 on either side are folded into one, and that one into the
 * smallest other if it is still below. With one column left nothing can differ: p = 1. Cramér's V: H. Cramér,
 * Mathematical Methods of Statistics, 1946, 21.9; its interval: M. Smithson, Confidence Intervals, 2003, ch. 4.
 */
export function homogeneity(counts: AlignedCounts, level: number): Homogeneity {
  const n = total(counts.reference);
  const m = total(counts.live);
  if (!(n > 0 && m > 0)) {
    const nothing = { value: Number.NaN, interval: null, pValue: Number.NaN, n, m };
    const nan = Number.NaN;
    return { chiSquare: nan, g: nan, df: 0, pValue: nan, gPValue: nan, columns: 0, cramersV: nothing };
  }
  const { reference, live } = fold(occupied(counts), n, m);
  const columns = reference.length;
  const df = columns - 1;
  let chiSquare = 0;
  let g = 0;
  for (let i = 0; i < columns; i++) {
    const column = (reference[i] as number) + (live[i] as number);
    for (const [observed, rows] of [
      [reference[i] as number, n],
      [live[i] as number, m],
    ] as const) {
      const expected = (column * rows) / (n + m);
      chiSquare += (observed - expected) ** 2 / expected;
      if (observed > 0) g += 2 * observed * Math.log(observed / expected);
    }
  }
  const pValue = df === 0 ? 1 : chiSquareTails(chiSquare, df).upper;
  const ends = df === 0 ? { low: 0, high: 0 } : noncentralityInterval(chiSquare, df, level);
  const effect = (noncentrality: number): number => Math.sqrt(Math.min(1, noncentrality / (n + m)));
  return {
    chiSquare,
    g,
    df,
    pValue,
    gPValue: df === 0 ? 1 : chiSquareTails(Math.max(0, g), df).upper,
    columns,
    cramersV: {
      value: effect(chiSquare),
      interval: {
        low: effect(ends.low),
        high: effect(ends.high),
        level,
        method: df === 0 ? "one column" : "noncentral chi-square",
      },
      pValue,
      n,
      m,
    },
  };
}

function fold({ reference, live }: AlignedCounts, n: number, m: number): AlignedCounts {
  const smallerSide = Math.min(n, m) / (n + m);
  const columns = reference.map((count, i) => [count, live[i] as number] as const);
  const expected = ([a, b]: readonly [number, number]): number => (a + b) * smallerSide;
  const kept = columns.filter((column) => expected(column) >= leastExpected);
  const small = columns.filter((column) => expected(column) < leastExpected);
  if (small.length > 0) {
    const folded: [number, number] = [0, 0];
    for (const [a, b] of small) {
      folded[0] += a;
      folded[1] += b;
    }
    if (expected(folded) < leastExpected && kept.length > 0) {
      kept.sort((a, b) => expected(a) - expected(b));
      const [a, b] = kept.shift() as readonly [number, number];
      folded[0] += a;
      folded[1] += b;
    }
    kept.push(folded);
  }
  return { reference: kept.map(([count]) => count), live: kept.map(([, count]) => count) };
}
