import type { PreprocessStep, TabularStep } from "../preprocess/schema.ts";

/** Some neighbouring numbers of a graph's input that people know as one feature. */
export type FeatureColumn = {
  name: string;
  from: number;
  width: number;
  /** What people know it to be, of those numbers; null for a missing one. Absent where it is a list. */
  valueOf?: (numbers: ArrayLike<number>, at: number) => string | number | boolean | null;
};

/** The features of a graph's input: the columns of a tabular step, else its numbers by position. */
export function featureColumns(name: string, step: PreprocessStep, width: number): FeatureColumn[] {
  if (step.kind === "tabular") return tabularColumns(step);
  return Array.from({ length: width }, (_, from) => ({ name: `${name}[${from}]`, from, width: 1, valueOf: plain }));
}

/** Of what was rounded to float32, as many digits as it has. */
const shown = (value: number): number | null => (Number.isNaN(value) ? null : Number(value.toPrecision(7)));
const plain = (numbers: ArrayLike<number>, at: number) => shown(numbers[at]!);

function tabularColumns(step: TabularStep): FeatureColumn[] {
  let from = 0;
  return step.features.map((feature): FeatureColumn => {
    const column = step.columns[feature.column];
    const at = from;
    const whole = (width: number, valueOf?: FeatureColumn["valueOf"]): FeatureColumn => {
      from += width;
      return { name: feature.column, from: at, width, ...(valueOf === undefined ? {} : { valueOf }) };
    };
    switch (feature.encode) {
      case "number":
        return whole(1, plain);
      case "standardize":
        return whole(1, (numbers, i) => shown(numbers[i]! * feature.std + feature.mean));
      case "min-max":
        return whole(1, (numbers, i) => shown(numbers[i]! * (feature.max - feature.min) + feature.min));
      case "one-hot":
        return whole(
          feature.categories.length,
          (numbers, i) => feature.categories.find((_, k) => numbers[i + k] === 1) ?? null,
        );
      case "list":
        return whole(column?.type === "number-list" ? column.length : 0);
    }
  });
}
