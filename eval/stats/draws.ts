import { RandomStream } from "./random.ts";

const chunk = 4096;
/**
 * 64 MB. Draws are kept because every metric of a dataset and of its slices resamples the same units with the same
 * seed.
 */
const maxKept = 16_000_000;

type Kept = { key: string; units: number; resamples: Uint32Array[] };
const kept: Kept[] = [];

/**
 * The units that resample `stream` draws: as many as there are, with replacement, passed to `take` in pieces. The draws
 * depend only on (seed, stream, units). Those of small samples are kept, because drawing costs as much as summing.
 */
export function eachDraw(
  seed: number,
  stream: number,
  units: number,
  take: (drawn: Uint32Array, count: number) => void,
): void {
  if (units <= chunk) {
    const { resamples } = keptFor(seed, units);
    take((resamples[stream] ??= drawAll(seed, stream, units)), units);
    return;
  }
  const random = new RandomStream(seed, stream);
  const drawn = new Uint32Array(chunk);
  for (let left = units; left > 0; left -= chunk) {
    const count = Math.min(chunk, left);
    random.fillBelow(drawn, count, units);
    take(drawn, count);
  }
}

function drawAll(seed: number, stream: number, units: number): Uint32Array {
  const drawn = new Uint32Array(units);
  new RandomStream(seed, stream).fillBelow(drawn, units, units);
  return drawn;
}

/** The kept draws for a seed and number of units. The least recently used make room for new ones. */
function keptFor(seed: number, units: number): Kept {
  const key = `${seed}/${units}`;
  if (kept.at(-1)?.key === key) return kept.at(-1) as Kept;
  const at = kept.findIndex((one) => one.key === key);
  const found = at < 0 ? { key, units, resamples: [] } : (kept.splice(at, 1)[0] as Kept);
  kept.push(found);
  while (kept.length > 1 && kept.reduce((sum, one) => sum + one.units * one.resamples.length, 0) > maxKept)
    kept.shift();
  return found;
}
