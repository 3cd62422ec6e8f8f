/**
 * Indices of at most `most` rows, ascending, the same on every run: the rows with the largest absolute `weight`
 * (a sixth of them, so that outliers are never hidden), and one row from each equal block of the rest, placed in its
 * block by a hash so that a period in the data cannot hide either. Rows whose weight is not finite are left out.
 */
export function sampleRows(weight: Float64Array, most: number): number[] {
  const rows = Array.from(weight.keys()).filter((i) => Number.isFinite(weight[i]));
  if (rows.length <= most) return rows;
  const extreme = Math.floor(most / 6);
  const sizes = Float64Array.from(rows, (i) => Math.abs(weight[i] ?? 0)).sort();
  const threshold = sizes[sizes.length - extreme] ?? Number.POSITIVE_INFINITY;
  const large = new Set(rows.filter((i) => Math.abs(weight[i] ?? 0) >= threshold).slice(0, extreme));
  const rest = rows.filter((i) => !large.has(i));
  const blocks = most - large.size;
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
