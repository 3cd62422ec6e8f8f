/**
 * The discrete Fourier transform of real numbers, for any length, by its prime factors (Cooley and Tukey 1965): 400, as
 * speech models have it, is 2^4 * 5^2.
 *
 * @returns a function that writes |X_k|² for k = 0 … size / 2 into `power`
 */
export function powerSpectrum(size: number): (frame: Float64Array, power: Float64Array) => void {
  const [re, im] = [new Float64Array(size), new Float64Array(size)];
  const [cosines, sines] = [new Float64Array(size), new Float64Array(size)];
  for (let i = 0; i < size; i++) {
    cosines[i] = Math.cos((2 * Math.PI * i) / size);
    sines[i] = -Math.sin((2 * Math.PI * i) / size);
  }
  const factors = primeFactors(size);
  const largest = Math.max(1, ...factors);
  const [oldRe, oldIm] = [new Float64Array(largest), new Float64Array(largest)];

  /** Transforms the `n` values at `from`, `from + step`, … into the places from `to` on. */
  const transform = (input: Float64Array, n: number, from: number, step: number, to: number, depth: number): void => {
    const p = factors[depth] ?? 1;
    const m = n / p;
    if (m === 1)
      for (let r = 0; r < p; r++) {
        re[to + r] = input[from + r * step]!;
        im[to + r] = 0;
      }
    else for (let r = 0; r < p; r++) transform(input, m, from + r * step, step * p, to + r * m, depth + 1);
    const unit = size / n;
    for (let k = 0; k < m; k++) {
      for (let r = 0; r < p; r++) {
        oldRe[r] = re[to + r * m + k]!;
        oldIm[r] = im[to + r * m + k]!;
      }
      for (let q = 0; q < p; q++) {
        const place = k + q * m;
        let sumRe = oldRe[0]!;
        let sumIm = oldIm[0]!;
        for (let r = 1; r < p; r++) {
          const turn = ((r * place) % n) * unit;
          sumRe += oldRe[r]! * cosines[turn]! - oldIm[r]! * sines[turn]!;
          sumIm += oldRe[r]! * sines[turn]! + oldIm[r]! * cosines[turn]!;
        }
        re[to + place] = sumRe;
        im[to + place] = sumIm;
      }
    }
  };

  return (frame, power) => {
    transform(frame, size, 0, 1, 0, 0);
    for (let k = 0; k < power.length; k++) power[k] = re[k]! ** 2 + im[k]! ** 2;
  };
}

function primeFactors(size: number): number[] {
  const factors: number[] = [];
  let left = size;
  for (let p = 2; left > 1; p++)
    while (left % p === 0) {
      factors.push(p);
      left /= p;
    }
  return factors;
}
