import type { Manifest } from "../core/manifest/manifest.ts";
import type { CompiledStep, Prepared } from "../core/preprocess/compiled.ts";
import { loudness } from "../core/audio/loudness.ts";
import type { AudioStep, ImageStep, ItemsStep, SeriesStep, TabularStep, TextStep } from "../core/preprocess/schema.ts";
import { fieldOf, type Row } from "../core/row.ts";

/** A variable that is read of a row. `categories`: its value is their index, or -1 for any other one. */
export type Feature = {
  name: string;
  role: "feature" | "quality";
  kind: "numbers" | "categories" | "rate";
  categories?: readonly string[];
};

/** What every step of the pipeline made of a row. */
type Steps = Readonly<Record<string, Prepared>>;
type Reader = Feature & { read: (row: Row, steps: Steps) => number };

/** What a profile holds at most. */
const MAX_FEATURES = 300;
/** A tensor or list of at most so many numbers is looked at number by number. */
const MAX_ELEMENTS = 32;

type Preprocess = Manifest["preprocess"];

/** The features of a model in a fixed order, and how many more there are than a profile holds. */
export function featuresOf(preprocess: Preprocess): { features: Feature[]; left: number } {
  const all = readersOf(preprocess, {});
  return {
    features: all.slice(0, MAX_FEATURES).map(({ read: _, ...feature }) => feature),
    left: Math.max(0, all.length - MAX_FEATURES),
  };
}

/**
 * Reads the features of a row from what the pipeline itself computed for the graph.
 *
 * @param steps the compiled steps; a text step says which id stands for an unknown token
 * @returns one number per feature, in the order of `featuresOf`; NaN for a missing one
 */
export function compileFeatures(
  preprocess: Preprocess,
  steps: Readonly<Record<string, Pick<CompiledStep, "unknownId">>>,
): (row: Row, prepared: Steps) => Float64Array {
  const readers = readersOf(preprocess, steps).slice(0, MAX_FEATURES);
  return (row, prepared) => {
    const values = new Float64Array(readers.length);
    for (let i = 0; i < readers.length; i++) values[i] = readers[i]!.read(row, prepared);
    return values;
  };
}

function readersOf(
  preprocess: Preprocess,
  compiled: Readonly<Record<string, Pick<CompiledStep, "unknownId">>>,
): Reader[] {
  return Object.entries(preprocess).flatMap(([name, step]): Reader[] => {
    switch (step.kind) {
      case "tabular":
        return tabular(name, step);
      case "text":
        return text(name, step, compiled[name]?.unknownId);
      case "image":
        return image(name, step);
      case "audio":
        return audio(name, step);
      case "tensor": {
        const size = step.shape.reduce((product, one) => product * one, 1);
        return size <= MAX_ELEMENTS
          ? Array.from({ length: size }, (_, i) => numeric(size === 1 ? name : `${name}.${i}`, at(name, i)))
          : [
              numeric(`${name}.mean`, (_row, steps) => mean(valuesOf(steps, name))),
              numeric(`${name}.std`, (_row, steps) => deviation(valuesOf(steps, name))),
            ];
      }
      case "items":
        return items(name, step);
      case "series":
        return series(name, step);
      // Texts that only the graph understands: nothing tells how many values there are.
      case "strings":
        return [];
      case "lookup":
        return Object.keys(step.features).map((feature, i) => numeric(`${name}.${feature}`, at(name, i)));
    }
  });
}

/** No values: the step feeds no input, and nothing was computed for it. */
const NOTHING = new Float64Array(0);

function valuesOf(steps: Steps, name: string): Float64Array | Float32Array {
  const prepared = steps[name];
  return prepared?.kind === "numbers" ? prepared.values : NOTHING;
}

const at =
  (name: string, i: number): Reader["read"] =>
  (_row, steps) =>
    valuesOf(steps, name)[i] ?? Number.NaN;

const numeric = (name: string, read: Reader["read"]): Reader => ({ name, role: "feature", kind: "numbers", read });
const rate = (name: string, read: Reader["read"]): Reader => ({ name, role: "quality", kind: "rate", read });

function tabular(name: string, step: TabularStep): Reader[] {
  let offset = 0;
  const seen = new Set<string>();
  const features = step.features.flatMap((feature): Reader[] => {
    const from = offset;
    const full = `${name}.${feature.column}`;
    const column = step.columns[feature.column];
    switch (feature.encode) {
      case "number":
        offset += 1;
        return [numeric(full, at(name, from))];
      case "standardize":
        offset += 1;
        return [numeric(full, (row, steps) => at(name, from)(row, steps) * feature.std + feature.mean)];
      case "min-max":
        offset += 1;
        return [numeric(full, (row, steps) => at(name, from)(row, steps) * (feature.max - feature.min) + feature.min)];
      case "list": {
        const length = column?.type === "number-list" ? column.length : 0;
        offset += length;
        return [
          numeric(`${full}.mean`, (_row, steps) => mean(valuesOf(steps, name).subarray(from, from + length))),
          numeric(`${full}.last`, at(name, from + length - 1)),
        ];
      }
      case "one-hot": {
        const size = feature.categories.length;
        offset += size;
        const index = (_row: Row, steps: Steps) =>
          valuesOf(steps, name)
            .subarray(from, from + size)
            .indexOf(1);
        return [
          { name: full, role: "feature", kind: "categories", categories: feature.categories.map(String), read: index },
          ...(feature.unknown === "zeros"
            ? [rate(`${full} unseen`, (row, steps) => Number(index(row, steps) < 0))]
            : []),
        ];
      }
    }
  });
  const missing = Object.entries(step.columns).flatMap(([column, declared]): Reader[] =>
    "missing" in declared && declared.missing !== "reject"
      ? [rate(`${name}.${column} missing`, (row) => Number((fieldOf(row, column) ?? null) === null))]
      : [],
  );
  // One column may be encoded in two ways; its name stands for the first.
  return [...features, ...missing].filter((one) => !seen.has(one.name) && seen.add(one.name));
}

function text(name: string, step: TextStep, unknownId: number | undefined): Reader[] {
  const ids = (steps: Steps): readonly number[] => {
    const prepared = steps[name];
    return prepared?.kind === "tokens" ? prepared.ids : [];
  };
  return [
    numeric(`${name}.characters`, (row) =>
      [step.field, ...step.append].reduce((sum, field) => {
        const value = fieldOf(row, field);
        return sum + (typeof value === "string" ? value.length : 0);
      }, 0),
    ),
    numeric(`${name}.tokens`, (_row, steps) => ids(steps).length),
    numeric(`${name}.unknown`, (_row, steps) => {
      const all = ids(steps);
      return unknownId === undefined || all.length === 0
        ? 0
        : all.reduce((sum, id) => sum + Number(id === unknownId), 0) / all.length;
    }),
    rate(`${name} cut`, (_row, steps) => {
      const prepared = steps[name];
      return Number(prepared?.kind === "tokens" && prepared.cut !== undefined);
    }),
  ];
}

/** Items that the catalogue lacks, and repeats that are dropped, are given and not read. */
function items(name: string, step: ItemsStep): Reader[] {
  const given = (row: Row) => {
    const list = fieldOf(row, step.field);
    return Array.isArray(list) ? list.length : Number.NaN;
  };
  return [
    numeric(`${name}.given`, given),
    numeric(`${name}.read`, (_row, steps) => {
      const prepared = steps[name];
      return prepared?.kind === "tokens" ? prepared.ids.length : Number.NaN;
    }),
    rate(`${name} cut`, (row) => Number(given(row) > step.maxItems)),
  ];
}

/** How long a history is, where it stands and how it moves; its values are a moment's and drift by themselves. */
function series(name: string, { field, maxLength }: SeriesStep): Reader[] {
  const history = (steps: Steps) => {
    const values = valuesOf(steps, name);
    const kept = values[maxLength] ?? 0;
    return values.subarray(maxLength - kept, maxLength);
  };
  return [
    numeric(`${name}.length`, at(name, maxLength)),
    numeric(`${name}.mean`, (_row, steps) => mean(history(steps))),
    numeric(`${name}.std`, (_row, steps) => deviation(history(steps))),
    numeric(`${name}.last`, at(name, maxLength - 1)),
    rate(`${name} cut`, (row) => {
      const given = fieldOf(row, field) as { length?: number } | null | undefined;
      return Number((given?.length ?? 0) > maxLength);
    }),
  ];
}

function image(name: string, step: ImageStep): Reader[] {
  const channels = step.channels === "gray" ? 1 : 3;
  const light = (steps: Steps) => {
    const values = valuesOf(steps, name);
    const plane = values.length / channels;
    let sum = 0;
    for (let i = 0; i < values.length; i++) {
      const channel = step.layout === "chw" ? Math.floor(i / plane) : i % channels;
      sum += values[i]! * step.std[channel]! + step.mean[channel]!;
    }
    // As the graph reads them, undone to 0 (black) to 1 (white).
    return sum / (values.length * 255 * step.scale);
  };
  return [
    numeric(`${name}.brightness`, (_row, steps) => light(steps)),
    numeric(`${name}.bytes`, (row) => {
      const value = fieldOf(row, step.field);
      if (value instanceof Uint8Array) return value.length;
      return typeof value === "string" ? Math.floor((value.length - (value.indexOf(",") + 1)) * 0.75) : Number.NaN;
    }),
    ...(step.missing === "reject"
      ? []
      : [
          rate(`${name} placeholder`, (_row, steps) => {
            const prepared = steps[name];
            return Number(prepared?.kind === "numbers" && prepared.replaced !== undefined);
          }),
        ]),
  ];
}

/** How long a sound is, how loud, and how much of it is silence. */
function audio(name: string, { rate }: AudioStep): Reader[] {
  const sound = (steps: Steps) => {
    const prepared = steps[name];
    return prepared?.kind === "audio" ? prepared.sound : new Float32Array(0);
  };
  return [
    numeric(`${name}.seconds`, (_row, steps) => sound(steps).length / rate),
    numeric(`${name}.level`, (_row, steps) => loudness(sound(steps), rate).level),
    numeric(`${name}.silence`, (_row, steps) => loudness(sound(steps), rate).silence),
  ];
}

function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
}

function deviation(values: ArrayLike<number>): number {
  const centre = mean(values);
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i]! - centre) ** 2;
  return Math.sqrt(sum / values.length);
}
