import { normalQuantile } from "../stats/normal.ts";
import type { RandomStream } from "../stats/random.ts";

/** Standard normal quantiles at the middles of 65,536 steps: ±4.3 at most, far finer than a colour value is rounded. */
let normals: Float64Array | null = null;

/** A standard normal number, by one draw. */
export function drawNormal(random: RandomStream): number {
  normals ??= Float64Array.from({ length: 65_536 }, (_, k) => normalQuantile((k + 0.5) / 65_536));
  return normals[random.next() >>> 16]!;
}
