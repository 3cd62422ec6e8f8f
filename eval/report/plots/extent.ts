/**
 * Round axis ends that include all values, and the round step between ticks: 1, 2 or 5 times a power of ten, at most
 * eight steps.
 */
export function extent(values: readonly number[]): { min: number; max: number; interval: number } {
  const low = values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const high = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const span = high - low || Math.abs(high) || 1;
  const power = 10 ** Math.floor(Math.log10(span / 4));
  const step = ([1, 2, 5].findLast((times) => times * power <= span / 4) ?? 1) * power;
  return {
    interval: Number(step.toPrecision(12)),
    min: Number((Math.floor(low / step) * step).toPrecision(12)),
    max: Number((Math.ceil(high / step) * step).toPrecision(12)),
  };
}
