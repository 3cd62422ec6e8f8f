import type { CompiledStep, LookedUp, Prepared } from "../preprocess/compiled.ts";
import { RowError, type Row } from "../row.ts";
import { misfit, type Dtype, type GraphTensor } from "../tensors.ts";

/**
 * A faster path for pipelines whose inputs are all float32 or float64 of a fixed size: rows are written straight into
 * the feeds of a run. The numbers are the same to the bit: computed and
 * checked in float64, rounded once. `read-heads.ts` reads their outputs.
 */
export type DirectPipeline = {
  /** Memory for at most `rows` rows; to be released after the run. */
  begin(rows: number): DirectBatch;
  /**
   * What the steps make of one row, at once: looked-up features are valid only until the next call.
   *
   * @throws RowError
   */
  prepare(row: Row, lookedUp?: LookedUp): Record<string, Prepared>;
};

type DirectBatch = {
  /**
   * Writes one row as number `index` of the batch. After an error the same index can be written again.
   *
   * @throws RowError
   */
  put(row: Row, index: number, lookedUp?: LookedUp): void;
  /** Feeds of the first `rows` rows. */
  feeds(rows: number): Record<string, GraphTensor>;
  /** Called after the run, so that the next batch can use the memory. */
  release(): void;
};

type FloatInput = { name: string; from: string; dtype: "float32" | "float64"; stepName: string; output: string };

const LARGEST = { float32: 3.4028234663852886e38, float64: Number.MAX_VALUE };
/** Number of batches whose memory is kept: one runs while the next is written. */
const KEPT = 2;

/** @returns null for any other pipeline. */
export function directPipeline(
  active: readonly (readonly [name: string, step: CompiledStep])[],
  inputs: readonly { name: string; from: string; dtype: Dtype; stepName: string; output: string }[],
): DirectPipeline | null {
  if (!inputs.every((input): input is FloatInput => input.dtype === "float32" || input.dtype === "float64"))
    return null;
  if (!active.every(([, step]) => step.fill !== undefined)) return null;
  const steps = active.map(([name, step]) => {
    // A step writes all of its outputs, one behind the other.
    let size = 0;
    const outputs = new Map<string, { shape: readonly number[]; size: number; start: number }>();
    for (const [output, shape] of Object.entries(step.shapes as Readonly<Record<string, readonly number[]>>)) {
      const own = shape.reduce((product, one) => product * one, 1);
      outputs.set(output, { shape, size: own, start: size });
      size += own;
    }
    return { name, fill: step.fill!, nan: step.nan, outputs, scratch: new Float64Array(size) };
  });
  const fed = inputs.map((input) => {
    const at = steps.findIndex(({ name }) => name === input.stepName);
    return { ...input, at, ...steps[at]!.outputs.get(input.output)!, limit: LARGEST[input.dtype] };
  });
  const kept: Float[][] = [];
  let keptRows = 0;

  const takeArrays = (rows: number): Float[] => {
    if (rows <= keptRows && kept.length > 0) return kept.pop()!;
    return fed.map(({ dtype, size }) =>
      dtype === "float32" ? new Float32Array(rows * size) : new Float64Array(rows * size),
    );
  };

  return {
    prepare(row, lookedUp) {
      const prepared: Record<string, Prepared> = {};
      for (const { name, fill, scratch } of steps) {
        const values = new Float64Array(scratch.length);
        fill(row, values, lookedUp);
        prepared[name] = { kind: "numbers", values };
      }
      return prepared;
    },
    begin(rows) {
      if (rows > keptRows) {
        // The smaller arrays would never be used again.
        kept.length = 0;
        keptRows = rows;
      }
      const data = takeArrays(keptRows);
      return {
        put(row, index, lookedUp) {
          for (const step of steps) step.fill(row, step.scratch, lookedUp);
          for (let k = 0; k < fed.length; k++) {
            const input = fed[k]!;
            const into = data[k]!;
            const { scratch, nan } = steps[input.at]!;
            const base = index * input.size;
            for (let i = 0; i < input.size; i++) {
              const value = scratch[input.start + i]!;
              // Written so that NaN fails too.
              if (!(Math.abs(value) <= input.limit) && !(nan?.[input.start + i] === true && Number.isNaN(value)))
                throw new RowError(
                  `${input.from}[${i}]`,
                  `a value that the input ${input.name} cannot hold`,
                  misfit(value, input.dtype)!,
                  value,
                );
              into[base + i] = value;
            }
          }
        },
        feeds(count) {
          const feeds: Record<string, GraphTensor> = {};
          fed.forEach((input, k) => {
            feeds[input.name] = {
              dtype: input.dtype,
              data: data[k]!.subarray(0, count * input.size),
              dims: [count, ...input.shape],
            };
          });
          return feeds;
        },
        release() {
          if (kept.length < KEPT && data[0]?.length === keptRows * (fed[0]?.size ?? 0)) kept.push(data);
        },
      };
    },
  };
}

type Float = Float32Array | Float64Array;
