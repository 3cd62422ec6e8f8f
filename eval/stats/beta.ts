/** ln Γ(x) for x > 0. Lanczos, g = 607/128, 15 terms (P. Godfrey 2001): about 1e-15 relative. */
export function logGamma(x: number): number {
  const terms = [
    0.9999999999999971, 57.15623566586292, -59.59796035547549, 14.136097974741746, -0.4919138160976202,
    3.399464998481189e-5, 4.652362892704858e-5, -9.837447530487956e-5, 0.0001580887032249125, -0.00021026444172410488,
    0.00021743961811521265, -0.0001643181065367639, 8.441822398385275e-5, -2.6190838401581408e-5, 3.6899182659531625e-6,
  ] as const;
  let sum: number = terms[0];
  for (let i = 1; i < terms.length; i++) sum += (terms[i] as number) / (x + i - 1);
  const t = x - 1 + 607 / 128 + 0.5;
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(sum);
}

/** The remainder of Stirling's formula: ln Γ(x) - [(x - 1/2) ln x - x + ln √(2π)]. */
export function stirlingRest(x: number): number {
  if (x < 12) return logGamma(x) - ((x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI));
  const z = 1 / (x * x);
  return (1 / 12 + z * (-1 / 360 + z * (1 / 1260 + z * (-1 / 1680 + z * (1 / 1188 - (z * 691) / 360360))))) / x;
}

/** ln[x^a (1-x)^b / B(a, b)] without cancellation between large logarithms. */
function logPower(a: number, b: number, x: number): number {
  const n = a + b;
  const left = a * Math.log((x * n) / a);
  const right = b * Math.log(((1 - x) * n) / b);
  return (
    left + right + 0.5 * Math.log((a * b) / (2 * Math.PI * n)) + stirlingRest(n) - stirlingRest(a) - stirlingRest(b)
  );
}

/** Continued fraction of the incomplete beta function, by Lentz's method (Numerical Recipes, 3rd ed., 6.4). */
function fraction(a: number, b: number, x: number): number {
  const tiny = 1e-300;
  let c = 1;
  let d = 1 - ((a + b) * x) / (a + 1);
  if (Math.abs(d) < tiny) d = tiny;
  d = 1 / d;
  let value = d;
  for (let m = 1; m < 100_000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 + even * d;
    if (Math.abs(d) < tiny) d = tiny;
    c = 1 + even / c;
    if (Math.abs(c) < tiny) c = tiny;
    d = 1 / d;
    value *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 + odd * d;
    if (Math.abs(d) < tiny) d = tiny;
    c = 1 + odd / c;
    if (Math.abs(c) < tiny) c = tiny;
    d = 1 / d;
    const change = d * c;
    value *= change;
    if (Math.abs(change - 1) < 1e-16) break;
  }
  return value;
}

/** Regularized incomplete beta function I_x(a, b), a and b > 0, x in [0, 1]; NaN outside. */
export function incompleteBeta(a: number, b: number, x: number): number {
  if (!(a > 0 && b > 0 && x >= 0 && x <= 1)) return Number.NaN;
  if (x === 0 || x === 1) return x;
  const prefactor = Math.exp(logPower(a, b, x));
  return x < (a + 1) / (a + b + 2) ? (prefactor * fraction(a, b, x)) / a : 1 - (prefactor * fraction(b, a, 1 - x)) / b;
}
