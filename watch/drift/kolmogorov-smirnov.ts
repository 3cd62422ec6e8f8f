import { kolmogorovUpperTail } from "../../eval/stats/kolmogorov.ts";
import { RandomStream } from "../../eval/stats/random.ts";
import { alignHistograms, type DriftEstimate, type Histogram, total } from "./distributions.ts";

/** How often rows change sides to find the p-value of values that are tied. */
const permutations = 999;
/** With more rows permuting takes long, and the limit errs on the large side. */
const maxPermutedRows = 20_000;

/**
 * Two-sample Kolmogorov-Smirnov distance D = max |F - G| over the distinct values, in [0, 1], with its p-value: the
 * Kolmogorov limit at D√(nm/(n + m)), or where values are tied 999 seeded permutations (p = (1 + as large)/(1 + 999)),
 * because the limit is too large then (beyond 20,000 rows it is taken all the same). The interval is D ± the bands of both distributions (Dvoretzky, Kiefer and
 * Wolfowitz with Massart's constant, Ann. Probab. 18, 1990): it holds for any n, and is wide.
 *
 * @throws RangeError where a value is not a number
 */
export function ksOfSamples(
  reference: readonly number[],
  live: readonly number[],
  level: number,
  seed = 1,
): DriftEstimate {
  const n = reference.length;
  const m = live.length;
  if ([...reference, ...live].some((value) => Number.isNaN(value)))
    throw new RangeError("Kolmogorov-Smirnov needs numbers, got NaN: count missing values apart");
  if (n === 0 || m === 0) return { value: Number.NaN, interval: null, pValue: Number.NaN, n, m };
  const pooled = [...reference.map((value) => ({ value, live: 0 })), ...live.map((value) => ({ value, live: 1 }))];
  pooled.sort((a, b) => a.value - b.value);
  const values = Float64Array.from(pooled, ({ value }) => value);
  const sides = Uint8Array.from(pooled, ({ live: side }) => side);
  const value = distance(values, sides, n, m);
  const tied = values.some((one, i) => i > 0 && one === values[i - 1]);
  const pValue =
    tied && n + m <= maxPermutedRows
      ? permuted(values, sides, n, m, value, seed)
      : kolmogorovUpperTail(value * Math.sqrt((n * m) / (n + m)));
  return { value, interval: bands(value, value, n, m, level), pValue, n, m };
}

/** `values` ascending; `sides` 1 where a value is of the live sample. */
function distance(values: Float64Array, sides: Uint8Array, n: number, m: number): number {
  let f = 0;
  let g = 0;
  let largest = 0;
  for (let i = 0; i < values.length; i++) {
    if (sides[i] === 1) g++;
    else f++;
    if (i + 1 === values.length || values[i + 1] !== values[i]) largest = Math.max(largest, Math.abs(f / n - g / m));
  }
  return largest;
}

function permuted(values: Float64Array, sides: Uint8Array, n: number, m: number, value: number, seed: number): number {
  const random = new RandomStream(seed);
  const shuffled = sides.slice();
  let asLarge = 1;
  for (let draw = 0; draw < permutations; draw++) {
    random.shuffle(shuffled);
    if (distance(values, shuffled, n, m) >= value - 1e-12) asLarge++;
  }
  return asLarge / (permutations + 1);
}

/**
 * The same from counts on common edges. Within a bin the distributions may be further apart than at its ends, so `value`
 * is a lower bound of D; `upperBound` is the largest D that the counts allow. The interval reaches from one to the other
 * and out by both bands. The p-value is that of the lower bound, and so is too large rather than too small.
 *
 * @throws RangeError when the two were not counted on the same edges
 */
export function ksOfHistograms(
  reference: Histogram,
  live: Histogram,
  level: number,
): DriftEstimate & { upperBound: number } {
  const counts = alignHistograms(reference, live);
  const n = total(counts.reference);
  const m = total(counts.live);
  if (n === 0 || m === 0)
    return { value: Number.NaN, upperBound: Number.NaN, interval: null, pValue: Number.NaN, n, m };
  let f = 0;
  let g = 0;
  let value = 0;
  let upperBound = 0;
  counts.reference.forEach((count, i) => {
    const nextF = f + count / n;
    const nextG = g + (counts.live[i] as number) / m;
    upperBound = Math.max(upperBound, nextF - g, nextG - f);
    f = nextF;
    g = nextG;
    value = Math.max(value, Math.abs(f - g));
  });
  upperBound = Math.min(1, upperBound);
  const pValue = kolmogorovUpperTail(value * Math.sqrt((n * m) / (n + m)));
  return { value, upperBound, interval: bands(value, upperBound, n, m, level), pValue, n, m };
}

function bands(low: number, high: number, n: number, m: number, level: number): NonNullable<DriftEstimate["interval"]> {
  // Each of the two bands misses with half of 1 - level.
  const band = (rows: number): number => Math.sqrt(Math.log(4 / (1 - level)) / (2 * rows));
  const reach = band(n) + band(m);
  return {
    low: Math.max(0, low - reach),
    high: Math.min(1, high + reach),
    level,
    method: "Dvoretzky-Kiefer-Wolfowitz",
  };
}
