import { rowBits, sortedPairs } from "../../stats/argsort.ts";

/** A receiver operating characteristic from (0, 0) to (1, 1), as false- and true-positive rates. */
export type RocCurve = { falsePositiveRate: number[]; truePositiveRate: number[] };

/**
 * The ROC curve of binary scores, unweighted, thinned to at most `maxPoints` (evenly along the curve, ends kept). Tied
 * scores make one slanted step. Null when a class is missing. Rows with a score that is not finite are left out.
 *
 * @param labels 1 is the positive class, one per row
 * @param scores P(positive), one per row
 */
export function rocCurve(labels: Float64Array, scores: Float64Array, maxPoints = 400): RocCurve | null {
  const finite = scores.every(Number.isFinite) ? null : scores.map((score) => (Number.isFinite(score) ? 1 : 0));
  const pairs =
    finite === null
      ? sortedPairs(scores, labels)
      : sortedPairs(
          scores.filter(Number.isFinite),
          labels.filter((_, i) => finite[i] === 1),
        );
  const sorted = finite === null ? scores : scores.filter(Number.isFinite);
  let positives = 0;
  for (let k = 1; k < pairs.length; k += 2) positives += (pairs[k] as number) >>> 31;
  const negatives = pairs.length / 2 - positives;
  if (positives === 0 || negatives === 0) return null;
  const curve = new ThinnedCurve(maxPoints);
  let hits = 0;
  let alarms = 0;
  curve.add(0, 0);
  for (let k = pairs.length - 2; k >= 0;) {
    // Different keys are different scores; equal keys may not be, and only then the scores are looked up.
    const key = pairs[k];
    const first = (pairs[k + 1] as number) & rowBits;
    do {
      if ((pairs[k + 1] as number) >>> 31 === 1) hits++;
      else alarms++;
      k -= 2;
    } while (k >= 0 && pairs[k] === key && sorted[(pairs[k + 1] as number) & rowBits] === sorted[first]);
    curve.add(alarms / negatives, hits / positives);
  }
  return curve.end();
}

/**
 * The corners of a curve as it is drawn: all of them while there are few, and beside them one for each equal step of
 * x + y, which grows from 0 to 2 along the curve.
 */
class ThinnedCurve {
  readonly #most: number;
  readonly #step: number;
  readonly #all: RocCurve = { falsePositiveRate: [], truePositiveRate: [] };
  readonly #some: RocCurve = { falsePositiveRate: [], truePositiveRate: [] };
  #next = 0;
  #corners = 0;
  #before: readonly [number, number] | null = null;
  #last: readonly [number, number] | null = null;

  constructor(maxPoints: number) {
    this.#most = maxPoints;
    this.#step = 2 / (maxPoints - 2);
  }

  add(x: number, y: number): void {
    const [before, last] = [this.#before, this.#last];
    // The middle of a straight line is no corner.
    const straight =
      before !== null &&
      last !== null &&
      ((before[0] === last[0] && last[0] === x) || (before[1] === last[1] && last[1] === y));
    if (last !== null && !straight) this.#corner(last, false);
    this.#before = last;
    this.#last = [x, y];
  }

  end(): RocCurve {
    if (this.#last !== null) this.#corner(this.#last, true);
    return this.#corners <= this.#most ? this.#all : this.#some;
  }

  #corner([x, y]: readonly [number, number], isEnd: boolean): void {
    this.#corners++;
    if (this.#corners <= this.#most) {
      this.#all.falsePositiveRate.push(x);
      this.#all.truePositiveRate.push(y);
    }
    if (x + y < this.#next && !isEnd) return;
    this.#some.falsePositiveRate.push(x);
    this.#some.truePositiveRate.push(y);
    this.#next = (Math.floor((x + y) / this.#step) + 1) * this.#step;
  }
}
