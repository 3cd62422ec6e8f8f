import { normalCdf, normalQuantile } from "../../eval/stats/normal.ts";
import type { RandomStream } from "../../eval/stats/random.ts";

/** How a stream of scores varies without any drift. All in standard deviations of the score within an hour. */
export type World = {
  name: string;
  /** Amplitude of the daily cycle of the mean. */
  daily: number;
  /** How far weekends lie from weekdays. */
  weekly: number;
  /** Standard deviation of what a day has of its own. */
  day: number;
};

/** Scores are counted in narrow bins from which every rule reads; a value is its bin's centre. */
export const width = 0.05;
const lowest = -7;
export const bins = 320;
export const centre = (bin: number): number => lowest + (bin + 0.5) * width;

/** Traffic by hour of the day: least at night, most in the afternoon. Mean 1. */
const traffic = Array.from({ length: 24 }, (_, hour) => 1 + 0.8 * Math.sin((2 * Math.PI * (hour - 9)) / 24));

/** A finer table of one day's distribution function, so that a day's own shift is read by interpolation. */
const finer = 5;
const isWeekend = (day: number): boolean => day % 7 >= 5;

export class Stream {
  private readonly tables: readonly [Float64Array, Float64Array];

  private readonly world: World;

  constructor(world: World) {
    this.world = world;
    this.tables = [this.table(0), this.table(world.weekly)];
  }

  private table(shift: number): Float64Array {
    const means = traffic.map((_, hour) => shift + this.world.daily * Math.sin((2 * Math.PI * hour) / 24));
    return Float64Array.from({ length: bins * finer + 1 }, (_, i) => {
      const x = lowest + (i * width) / finer;
      return means.reduce((sum, mean, hour) => sum + ((traffic[hour] as number) / 24) * normalCdf(x - mean), 0);
    });
  }

  /** Probability of each bin on a day, with the mean moved by `shift`. */
  private shares(day: number, shift: number, out: Float64Array): void {
    const table = this.tables[isWeekend(day) ? 1 : 0];
    const last = table.length - 1;
    let before = 0;
    for (let bin = 0; bin < bins; bin++) {
      const at = ((bin + 1) * width - shift) * (finer / width);
      const below = Math.min(Math.max(Math.floor(at), 0), last - 1);
      const part = Math.min(Math.max(at - below, 0), 1);
      const upTo = bin === bins - 1 ? 1 : (table[below] as number) * (1 - part) + (table[below + 1] as number) * part;
      out[bin] = Math.max(0, upTo - before);
      before = upTo;
    }
  }

  private readonly scratch = new Float64Array(bins);

  /** Counts of one day with `rows` rows on average. Weekends have 60 % of a weekday's. */
  drawDay(random: RandomStream, day: number, rows: number, drift: number): Float64Array {
    const own = this.world.day === 0 ? 0 : this.world.day * normalQuantile(random.uniform());
    this.shares(day, own + drift, this.scratch);
    const mean = rows * (isWeekend(day) ? 0.6 : 1.16);
    return this.scratch.map((share) => poisson(random, mean * share));
  }

  /** Counts of a reference of about `rows` rows, drawn from every day of two years. */
  drawReference(random: RandomStream, rows: number): Float64Array {
    const sum = new Float64Array(bins);
    for (let day = 0; day < 728; day++) add(sum, this.drawDay(random, day, rows / 728, 0), 1);
    return sum;
  }
}

export function add(sum: Float64Array, one: Float64Array, sign: 1 | -1): void {
  for (let bin = 0; bin < sum.length; bin++) sum[bin] = (sum[bin] as number) + sign * (one[bin] as number);
}

/** Knuth's product below 30, a rounded normal above. */
export function poisson(random: RandomStream, mean: number): number {
  if (mean < 1e-9) return 0;
  if (mean >= 30) return Math.max(0, Math.round(mean + Math.sqrt(mean) * gaussian(random)));
  const limit = Math.exp(-mean);
  let product = random.uniform();
  let count = 0;
  while (product > limit) {
    product *= random.uniform();
    count++;
  }
  return count;
}

/** Box and Muller; the second of the pair is left. */
function gaussian(random: RandomStream): number {
  return Math.sqrt(-2 * Math.log(random.uniform())) * Math.cos(2 * Math.PI * random.uniform());
}
