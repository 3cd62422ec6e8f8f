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
