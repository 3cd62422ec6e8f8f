import { type MetricDefinition, translationTasks } from "./definition.ts";
import { commonCount, ngramCounts } from "./ngram-counts.ts";
import { cellsOfRows, onceForAnswers } from "./once-for-answers.ts";
import { sumDefinition } from "./row-mean.ts";
import { referenceCount, sacrebleuVersion, type Texts, textsOf } from "./texts.ts";
import { splitAtSpace } from "./tokenizers/white-space.ts";

const charOrder = 6;
const punctuation = new Set("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~");

/** Words, a mark of ASCII punctuation at the end of one, or else at its beginning, apart. */
function words(text: string): string[] {
  return splitAtSpace(text).flatMap((word) => {
    const characters = [...word];
    if (characters.length === 1) return [word];
    const [first, last] = [characters[0] as string, characters.at(-1) as string];
    if (punctuation.has(last)) return [characters.slice(0, -1).join(""), last];
    return punctuation.has(first) ? [first, characters.slice(1).join("")] : [word];
  });
}

/** n-grams of the answer, of the reference and in common, for each order, of one answer and each of its references. */
function againstEach(hypothesis: string, references: readonly string[], wordOrder: number): Float64Array[] {
  const texts = [hypothesis, ...references];
  const orders = [
    ...ngramCounts(
      texts.map((text) => [...splitAtSpace(text).join("")]),
      charOrder,
    ),
    ...(wordOrder === 0 ? [] : ngramCounts(texts.map(words), wordOrder)),
  ];
  const sums = orders.map((sequences) => sequences.map((counts) => counts.reduce((sum, count) => sum + count, 0)));
  return references.map((_, r) => {
    const statistics = new Float64Array(3 * orders.length);
    orders.forEach((sequences, i) => {
      const reference = (sums[i] as number[])[r + 1] as number;
      // As sacreBLEU: without a reference n-gram of this order the answer's do not count either.
      statistics[3 * i] = reference === 0 ? 0 : ((sums[i] as number[])[0] as number);
      statistics[3 * i + 1] = reference;
      statistics[3 * i + 2] = commonCount(sequences[0] as Uint32Array, sequences[r + 1] as Uint32Array);
    });
    return statistics;
  });
}

const betaSquared = 4;

/** F2, 0 to 100, of precision and recall averaged over the orders that both sides have. */
function chrfOf(sums: Float64Array, offset: number, orders: number): number {
  let precision = 0;
  let recall = 0;
  let effective = 0;
  for (let i = 0; i < orders; i++) {
    const [answer, reference, common] = [0, 1, 2].map((k) => sums[offset + 3 * i + k] as number) as [
      number,
      number,
      number,
    ];
    if (!(answer > 0 && reference > 0)) continue;
    precision += common / answer;
    recall += common / reference;
    effective++;
  }
  if (precision + recall === 0) return 0;
  return (100 * (1 + betaSquared) * precision * recall) / (betaSquared * precision + recall) / effective;
}

function rowStatistics({ references, hypotheses }: Texts, wordOrder: number, lowercase: boolean): Float64Array {
  const orders = charOrder + wordOrder;
  const cells = new Float64Array(3 * orders * hypotheses.length);
  const form = (text: string): string => (lowercase ? text.toLowerCase() : text);
  hypotheses.forEach((hypothesis, row) => {
    const each = againstEach(form(hypothesis), (references[row] as string[]).map(form), wordOrder);
    let best = each[0] as Float64Array;
    if (each.length > 1) {
      const scores = each.map((statistics) => chrfOf(statistics, 0, orders));
      best = each[scores.indexOf(Math.max(...scores))] as Float64Array;
    }
    cells.set(best, row * best.length);
  });
  return cells;
}

/**
 * chrF2 of the whole sample, 0 to 100, higher is better: F2 of the precision and recall of character n-grams of 1 to 6
 * (white space left out) and, with `wordOrder: 2`, of words and pairs of words (chrF++), each averaged over the orders.
 * Of several references a row counts against the one it is nearest to. M. Popović, WMT 2015 and 2017. As sacreBLEU
 * 2.6.0 with its defaults.
 *
 * Interval: of a function of the sums of n-gram counts, BCa over rows (sentences), ABC above 5,000.
 */
export const chrf: MetricDefinition = {
  ...sumDefinition(
    {
      name: "chrf",
      tasks: translationTasks,
      direction: "higher",
      unit: "",
      range: [0, 100],
      defaultOptions: { wordOrder: 0, lowercase: false },
    },
    {
      demand: "any",
      range: [0, 100],
      byClass: false,
      heavyTails: "always",
      prepare(sample, { wordOrder = 0, lowercase = false }) {
        const texts = textsOf(sample);
        if (texts === null) return "the predictions are no texts";
        const all = onceForAnswers(texts.of, `chrf ${wordOrder} ${lowercase}`, () =>
          rowStatistics(texts.of, wordOrder, lowercase),
        );
        const orders = charOrder + wordOrder;
        return {
          cells: cellsOfRows(texts, all, 3 * orders),
          width: 3 * orders,
          value: (sums, offset) => chrfOf(sums, offset, orders),
          whyUndefined: "the sums of n-gram counts overflow",
          linear: false,
          trials: texts.rows.length,
          largest: 100,
        };
      },
    },
  ),
  signature: (sample, { wordOrder = 0, lowercase = false }) =>
    `nrefs:${referenceCount(sample)}|case:${lowercase ? "lc" : "mixed"}|eff:yes|nc:${charOrder}|nw:${wordOrder}|space:no|${sacrebleuVersion}`,
};
