import type { MeasureOptions, Sample } from "./definition.ts";

/** Whether the rows have quantiles. */
export const hasQuantiles = ({ forecasts }: Sample): boolean => forecasts !== undefined && forecasts.quantiles !== null;

/** Two levels are the same apart from rounding: 1 - 0.9 is not 0.1. */
const same = (one: number, other: number): boolean => Math.abs(one - other) < 1e-9;

export function sameLevels(one: readonly number[], other: readonly number[]): boolean {
  return one.length === other.length && one.every((level, i) => same(level, other[i]!));
}

/** The position of a level; -1 when there is none. */
export function positionOf(levels: readonly number[], level: number): number {
  return levels.findIndex((one) => same(one, level));
}

/** The quantiles of a sample, row-major n × levels, or why it has none that can be measured. */
export function quantilesOf({ labels, forecasts }: Sample): { levels: number[]; values: Float64Array } | string {
  const quantiles = forecasts?.quantiles ?? null;
  if (quantiles === null)
    return "no quantiles are forecast: they are the columns q05, q50, q95 and so on of a prediction file that names series and step";
  const { levels, values } = quantiles;
  if (values.length !== labels.length * levels.length)
    return `${values.length} quantiles for ${labels.length} rows of ${levels.length}`;
  const wrong = values.findIndex((value) => !Number.isFinite(value));
  return wrong === -1
    ? quantiles
    : `the quantile ${levels[wrong % levels.length]} of row ${Math.floor(wrong / levels.length)} is ${values[wrong]}`;
}

/** The nominal coverage of the widest interval between two levels that lie alike around 0.5; null without one. */
export function widestNominal(levels: readonly number[]): number | null {
  const lower = levels.find((level) => level < 0.5 && positionOf(levels, 1 - level) >= 0);
  return lower === undefined ? null : 1 - 2 * lower;
}

/** Both ends of the central interval with this nominal coverage, n entries each, or why there is none. */
export function centralInterval(
  sample: Sample,
  { at }: Pick<MeasureOptions, "at">,
): { low: Float64Array; high: Float64Array } | string {
  const quantiles = quantilesOf(sample);
  if (typeof quantiles === "string") return quantiles;
  const { levels, values } = quantiles;
  const nominal = at ?? widestNominal(levels);
  const given = `the levels are ${levels.join(", ")}`;
  if (nominal === null) return `no two quantile levels lie alike around 0.5, such as 0.05 and 0.95: ${given}`;
  if (!(nominal > 0 && nominal < 1)) return `the nominal coverage at = ${nominal} lies outside (0, 1)`;
  const ends = [(1 - nominal) / 2, (1 + nominal) / 2].map((level) => positionOf(levels, level));
  const missing = ends.indexOf(-1);
  if (missing >= 0) {
    const level = Number(((1 + (missing === 0 ? -nominal : nominal)) / 2).toPrecision(9));
    return `a coverage of ${nominal} needs the quantile ${level}, and ${given}`;
  }
  const end = (which: 0 | 1): Float64Array =>
    sample.labels.map((_, row) => values[row * levels.length + (ends[which] as number)] as number);
  return { low: end(0), high: end(1) };
}
