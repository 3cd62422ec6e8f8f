import type { RandomStream } from "../stats/random.ts";
import { drawNormal } from "./draw-normal.ts";

/**
 * A sound with white Gaussian noise, `snrDb` dB below it: both are powers over the whole sound. Silence stays silent,
 * because no noise is that far below it.
 */
export function noisySound(samples: Float32Array, snrDb: number, random: RandomStream): Float32Array {
  let power = 0;
  for (const sample of samples) power += sample ** 2 / samples.length;
  const deviation = Math.sqrt(power / 10 ** (snrDb / 10));
  return samples.map((sample) => sample + deviation * drawNormal(random));
}
