/**
 * First Wasserstein distance ∫ |F - G| of two samples over the standard deviation of the reference (divisor n): how many
 * of its standard deviations the values moved (Villani, Optimal Transport, 2009; SciPy's `wasserstein_distance` over
 * `std`). A reference without spread gives 0 where the live values equal it, else Infinity. NaN where a sample is empty
 * or holds a NaN. It has no interval here: it informs and does not decide.
 */
export function wassersteinOverSd(reference: readonly number[], live: readonly number[]): number {
  const distance = wasserstein(reference, live);
  const n = reference.length;
  let mean = 0;
  for (const value of reference) mean += value / n;
  let variance = 0;
  for (const value of reference) variance += (value - mean) ** 2 / n;
  return distance === 0 ? 0 : distance / Math.sqrt(variance);
}

/** ∫ |F - G|, in the unit of the values. */
export function wasserstein(x: readonly number[], y: readonly number[]): number {
  if (x.length === 0 || y.length === 0) return Number.NaN;
  const a = Float64Array.from(x).sort();
  const b = Float64Array.from(y).sort();
  if (Number.isNaN(a.at(-1)) || Number.isNaN(b.at(-1))) return Number.NaN;
  let i = 0;
  let j = 0;
  let area = 0;
  let before = Math.min(a[0] as number, b[0] as number);
  while (i < a.length || j < b.length) {
    const next = Math.min(a[i] ?? Number.POSITIVE_INFINITY, b[j] ?? Number.POSITIVE_INFINITY);
    const gap = Math.abs(i / a.length - j / b.length);
    if (gap > 0) area += gap * (next - before);
    while (i < a.length && (a[i] as number) <= next) i++;
    while (j < b.length && (b[j] as number) <= next) j++;
    before = next;
  }
  return area;
}
