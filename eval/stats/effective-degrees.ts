/**
 * Degrees of freedom of a variance Σd² that few units carry: 2 / its squared coefficient of variation, which is seen as
 * Σd⁴ / (Σd²)² - 1/n (Satterthwaite, Biometrics Bulletin 2, 1946, with the fourth moment of the units). Normal d give
 * about n - 1, and no more is ever returned. `centre` is subtracted first. 0 variation gives n - 1.
 */
export function effectiveDegrees(deviations: Float64Array, centre = 0): number {
  const n = deviations.length;
  let squares = 0;
  let fourths = 0;
  for (const value of deviations) {
    const square = (value - centre) ** 2;
    squares += square;
    fourths += square * square;
  }
  return degreesOf(squares, fourths, n);
}

/** The same from Σd² and Σd⁴ over n units. */
export function degreesOf(squares: number, fourths: number, n: number): number {
  const spread = squares === 0 ? 0 : fourths / squares ** 2 - 1 / n;
  return spread <= 0 ? n - 1 : Math.min(n - 1, 2 / spread);
}

/**
 * Degrees of freedom of a variance over units with heavy tails: `df` of normal units times 2 / (κ - 1), where κ is the
 * kurtosis of d/√v over all units (3 of normal ones), d the deviations and v their working variances; never more than
 * `df`. For equal v it is `effectiveDegrees`, up to the factor (n - 1) / n. Units without variance do not count.
 */
export function heavyTailedDegrees(df: number, deviations: Float64Array, variances: Float64Array): number {
  let squares = 0;
  let fourths = 0;
  let count = 0;
  deviations.forEach((d, unit) => {
    const v = variances[unit] as number;
    if (v === 0) return;
    const square = d ** 2 / v;
    squares += square;
    fourths += square ** 2;
    count++;
  });
  if (squares === 0) return df;
  const kurtosis = (count * fourths) / squares ** 2;
  return kurtosis <= 3 ? df : (2 * df) / (kurtosis - 1);
}
