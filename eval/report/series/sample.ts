/**
 * Indices of at most `maxRows` rows, ascending, the same on every run. A sixth of them are the rows with the largest
 * absolute `weight`, so that outliers are never hidden. Of the rest, one row comes from each of equal blocks; a hash
 * picks it within its block, so that a periodic pattern in the data cannot hide either. Rows whose weight is not finite
 * are left out.
 */
export function sampleRows(weight: Float64Array, maxRows: number): number[] {
  const rows = Array.from(weight.keys()).filter((i) => Number.isFinite(weight[i]));
  if (rows.length <= maxRows) return rows;
  const extreme = Math.floor(maxRows / 6);
  const sizes = Float64Array.from(rows, (i) => Math.abs(weight[i] ?? 0)).sort();
  const threshold = sizes[sizes.length - extreme] ?? Number.POSITIVE_INFINITY;
  const large = new Set(rows.filter((i) => Math.abs(weight[i] ?? 0) >= threshold).slice(0, extreme));
  const rest = rows.filter((i) => !large.has(i));
  const blocks = maxRows - large.size;
  for (let block = 0; block < blocks; block += 1) {
    const from = Math.floor((block * rest.length) / blocks);
    const to = Math.floor(((block + 1) * rest.length) / blocks);
    const chosen = rest[from + (hash(block) % (to - from))];
    if (chosen !== undefined) large.add(chosen);
  }
  return [...large].sort((a, b) => a - b);
}

/** The 32-bit finaliser of MurmurHash3. */
function hash(n: number): number {
  let h = n ^ 0x9e3779b9;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
