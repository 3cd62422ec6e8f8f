import type { MetricName } from "../../models/core/manifest/gates.ts";
import { type MetricDefinition, transcriptTasks } from "./definition.ts";
import { editDistance } from "./edit-distance.ts";
import { numberedSequences } from "./ngram-counts.ts";
import { normalisers } from "./normalisers/by-name.ts";
import { cellsOfRows, onceForAnswers } from "./once-for-answers.ts";
import { sumDefinition } from "./row-mean.ts";
import { referenceCount, type Texts, textsOf } from "./texts.ts";

/**
 * Errors over reference length, both added up over all rows: Σ (insertions + deletions + substitutions) / Σ units of the
 * references; [0, ∞), lower is better. Undefined where the references hold no unit at all (jiwer then gives the number
 * of insertions), and with several references in a row.
 *
 * Interval: of a ratio of sums, BCa over rows (utterances), ABC above 5,000.
 *
 * @param cut a text's units
 */
export function errorRate(
  name: MetricName,
  unit: "word" | "character",
  cut: (text: string) => string[],
): MetricDefinition {
  const rowErrors = ({ references, hypotheses }: Texts, apply: (text: string) => string): Float64Array => {
    const cells = new Float64Array(2 * hypotheses.length);
    hypotheses.forEach((hypothesis, row) => {
      const pair = [cut(apply((references[row] as string[])[0] as string)), cut(apply(hypothesis))];
      const [reference, answer] = numberedSequences(pair).sequences as [Int32Array, Int32Array];
      cells[2 * row] = editDistance(reference, answer);
      cells[2 * row + 1] = reference.length;
    });
    return cells;
  };
  return {
    ...sumDefinition(
      {
        name,
        tasks: transcriptTasks,
        direction: "lower",
        unit: "",
        range: [0, Infinity],
        defaultOptions: { normaliser: "none" },
        listed: (sample) => referenceCount(sample) === "1",
      },
      {
        demand: "any",
        range: [0, Infinity],
        byClass: false,
        heavyTails: "always",
        prepare(sample, { normaliser = "none" }) {
          const texts = textsOf(sample);
          if (texts === null) return "the predictions are no texts";
          if (referenceCount(sample) !== "1")
            return `${name} compares with one reference a row, and some rows have several`;
          const { apply } = normalisers[normaliser];
          const all = onceForAnswers(texts.of, `${name} ${normaliser}`, () => rowErrors(texts.of, apply));
          const cells = cellsOfRows(texts, all, 2);
          let spoken = 0;
          for (let i = 1; i < cells.length; i += 2) if (cells[i] !== 0) spoken++;
          return {
            cells,
            width: 2,
            value: (sums, offset) =>
              sums[offset + 1] === 0 ? Number.NaN : (sums[offset] as number) / (sums[offset + 1] as number),
            whyUndefined: `the references hold no ${unit}: there is nothing to divide by`,
            linear: false,
            trials: Math.max(1, spoken),
            // A row in which every unit is wrong.
            largest: 1,
          };
        },
      },
    ),
    signature: (sample, { normaliser = "none" }) =>
      `nrefs:${referenceCount(sample)}|unit:${unit}|norm:${normaliser}.${normalisers[normaliser].version}`,
  };
}
