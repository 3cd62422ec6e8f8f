import type { Sample } from "../metrics/definition.ts";
import { rowsByValue } from "../metrics/rows.ts";
import { RandomStream } from "../stats/random.ts";

/** Number of resamples for a simulated standard error. The error's own relative error is about 1/√(2R), 4 %. */
const errorResamples = 300;

/**
 * Standard deviation of a figure over bootstrap resamples of rows, or of whole clusters where there are any. It is the
 * standard error of figures that have no closed form. Null when the figure is undefined in more than one resample in
 * twenty, or never varies.
 *
 * @param figure the figure of the rows at these positions (repeated rows count repeatedly); NaN where undefined
 */
export function resampledError(
  sample: Pick<Sample, "labels" | "groups">,
  seed: number,
  figure: (rows: Int32Array) => number,
): number | null {
  const units = unitsOf(sample);
  const values: number[] = [];
  for (let r = 0; r < errorResamples; r++) {
    const random = new RandomStream(seed, r);
    const drawn = Array.from(units, () => units[random.below(units.length)] as Int32Array);
    const rows = new Int32Array(drawn.reduce((sum, unit) => sum + unit.length, 0));
    let at = 0;
    for (const unit of drawn) {
      rows.set(unit, at);
      at += unit.length;
    }
    const value = figure(rows);
    if (Number.isFinite(value)) values.push(value);
  }
  if (values.length < 0.95 * errorResamples) return null;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const error = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
  return error > 0 ? error : null;
}

function unitsOf({ labels, groups }: Pick<Sample, "labels" | "groups">): Int32Array[] {
  return groups === null
    ? Array.from(labels, (_, row) => Int32Array.of(row))
    : [...rowsByValue(groups).values()].map((rows) => Int32Array.from(rows));
}
