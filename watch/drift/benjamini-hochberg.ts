/**
 * Benjamini and Hochberg's adjusted p-values (J. R. Stat. Soc. B 57, 1995), in the order given. Of the features whose
 * adjusted value is ≤ q, on average at most the share q did not drift, where tests are independent or positively
 * dependent. It says which features drifted, not whether any did. NaN stays NaN and is no test.
 */
export function benjaminiHochberg(pValues: readonly number[]): number[] {
  const adjusted = Array.from(pValues, () => Number.NaN);
  const order = pValues
    .map((p, index) => ({ p, index }))
    .filter(({ p }) => !Number.isNaN(p))
    .toSorted((a, b) => b.p - a.p || b.index - a.index);
  let smallest = 1;
  order.forEach(({ p, index }, fromTop) => {
    smallest = Math.min(smallest, p * (order.length / (order.length - fromTop)));
    adjusted[index] = smallest;
  });
  return adjusted;
}

/** Share of false discoveries that is allowed among the features named. */
export const falseDiscoveryRate = 0.05;
