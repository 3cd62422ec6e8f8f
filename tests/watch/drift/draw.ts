import type { RandomStream } from "../../../eval/stats/random.ts";

/** Counts of `rows` draws from `shares`. */
export function draw(random: RandomStream, rows: number, shares: readonly number[]): number[] {
  const counts = shares.map(() => 0);
  for (let i = 0; i < rows; i++) {
    let u = random.uniform();
    let bin = 0;
    while (bin < shares.length - 1 && u >= (shares[bin] as number)) u -= shares[bin++] as number;
    counts[bin] = (counts[bin] as number) + 1;
  }
  return counts;
}
